"""Results files: `met` is computed, intervals cover, relative changes are paired."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from landscape_core.experiments.results import Claim, Result, relative_change, table
from landscape_core.generators.experiments.convergence import ConvergenceSettings, plot, run_convergence
from tests.tiny.models import tiny_task


@pytest.mark.parametrize(
    ("better", "ours", "spread", "met"),
    [
        ("lower", -0.4, 0.05, True),
        ("lower", -0.4, 0.2, False),
        ("lower", -0.3, 0.0, False),
        ("lower", -0.2, 0.05, False),
        ("higher", -0.2, 0.05, True),
        ("higher", -0.2, 0.2, False),
    ],
)
def test_whether_a_claim_is_met_follows_from_its_numbers(
    tmp_path: Path, better: str, ours: float, spread: float, met: bool
) -> None:
    assert Claim("loss", -0.24, -0.3, -0.3, better).met  # without an interval, reaching the aim is enough
    claim = Claim("loss", -0.24, ours, -0.3, better, (ours - spread, ours + spread))
    path = Result("toy", "python -m landscape_core", 0, {}, {}, {}, {}, [claim]).write(tmp_path)
    assert json.loads(path.read_text())["claims"][0]["met"] is met
    assert table([claim]).splitlines()[-1].endswith(f"{'yes' if met else 'no'} |")


def test_relative_change_resamples_pairs() -> None:
    random = torch.Generator().manual_seed(0)
    baseline = torch.rand(100, generator=random) * 100 + 1
    change, (low, high) = relative_change(0.75 * baseline, baseline)
    assert change == pytest.approx(-0.25)
    assert low == pytest.approx(-0.25, abs=1e-5)  # the targets differ a lot, the ratio within a pair never
    assert high == pytest.approx(-0.25, abs=1e-5)


def test_convergence_writes_series_and_claims_it_computed(tmp_path: Path) -> None:
    task = tiny_task()
    pictures = task.forward(task.prior.sample(6, torch.Generator().manual_seed(1)))
    settings = ConvergenceSettings(targets=6, steps=22, tune_targets=2)
    sets = {"faces": pictures, "cats": pictures.flip(3)}
    result = run_convergence(task, pictures, sets, settings, "python -m landscape_core reproduce convergence", lambda *_: None)
    assert len(result.series["X Adam | faces"]) == len(result.series["Z | cats"]) == 23
    start = task.objective.bind(type_target(pictures))(task.forward(task.prior.mean[None].expand(6, -1))).mean()
    assert result.series["X L-BFGS | faces"][0] == pytest.approx(float(start), rel=1e-4)
    for name in ("x_adam", "x_lbfgs"):
        sweep = result.settings[f"{name}_sweep"]
        assert min(sweep.values()) == sweep[str(result.settings[f"{name}_lr"])]
    labels = [claim.claim for claim in result.claims]
    assert "faces: loss in Z after 2 steps against X Adam after 20" in labels
    z2, x20 = result.series["Z | faces"][2], result.series["X Adam | faces"][20]
    assert result.claims[0].ours == pytest.approx(z2 / x20 - 1, rel=1e-4)
    path = result.write(tmp_path)
    plot(result, path.with_suffix(".png"))
    assert path.with_suffix(".png").stat().st_size > 5000


def type_target(pictures: torch.Tensor) -> object:
    from landscape_core.search.objectives import Target

    return Target(pictures)
