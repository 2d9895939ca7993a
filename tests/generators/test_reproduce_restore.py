"""`reproduce restore`: what it measures, keeps and claims, on tiny models."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from landscape_core.errors import UserError
from landscape_core.experiments.curves import Curves
from landscape_core.experiments.results import Result
from landscape_core.generators.experiments import editing, restoring
from landscape_core.generators.experiments import restoring_taught as taught
from landscape_core.generators.experiments.restoring_claims import at_equal_fit, decibels_gained, markdown, plot
from landscape_core.generators.experiments.restoring_searches import RestoreSettings
from landscape_core.search.task import X
from landscape_core.search.trajectory import LaneRecord, Trajectory
from tests.tiny.models import PooledDistance, tiny_task

NAMES = ("low-resolution:8", "mask:centre", "measurements:64")


def silent(label: str, done: int, total: int) -> None:
    """No progress bar."""


def measured(work: Path | None, names: tuple[str, ...] = NAMES, steps: tuple[int, ...] = (2, 20)) -> Result:
    task = tiny_task()
    pictures = task.forward(task.prior.sample(4, torch.Generator().manual_seed(1))).detach()
    settings = RestoreSettings(
        targets=2, steps=steps, observations=names, tune_targets=1, tune_steps=2, hypotheses=2, spread_targets=1
    )
    return restoring.run_restore(task, pictures[2:], pictures[:2], settings, PooledDistance(), "test", silent, work)


def test_every_observation_has_an_entry_in_every_series_and_claims(tmp_path: Path) -> None:
    result = measured(tmp_path)
    assert {len(values) for values in result.series.values()} == {len(NAMES)}
    for row in ("X Adam", "Z Adam", "X L-BFGS", "Z L-BFGS"):
        early, late = (result.series[f"fit, {at} steps | {row}"] for at in (2, 20))
        assert all(b <= a * 1.5 for a, b in zip(early, late, strict=True))  # rates of both budgets differ
        assert result.series[f"distance to the prior, 20 steps | {row}"][0] > 0
    assert result.series["spread of 2 hypotheses, 20 steps | Z L-BFGS"][0] > 0
    assert math.isfinite(result.series["PSNR | encoder"][0])
    assert all(math.isnan(result.series["PSNR | encoder"][i]) for i in (1, 2))  # nothing to read behind a mask, or in numbers
    assert math.isfinite(result.series["PSNR | observation"][2])
    fits = [claim for claim in result.claims if "data fit" in claim.claim]
    assert len(fits) == 2 * len(NAMES)
    assert {claim.aim for claim in fits} == {-0.15}
    plot(result, tmp_path / "restore.png")
    assert (tmp_path / "restore.png").stat().st_size > 0
    assert markdown(result).count("\n") == 1 + len(NAMES)
    kept = sorted(path.name for path in tmp_path.glob("*.safetensors"))
    again = measured(tmp_path, NAMES[:1])
    assert sorted(path.name for path in tmp_path.glob("*.safetensors")) == kept, "what was done is found again"
    assert again.series["fit, 20 steps | Z Adam"] == result.series["fit, 20 steps | Z Adam"][:1]


def test_a_table_of_another_budget_alone_has_a_name_and_claims_of_its_own() -> None:
    result = measured(None, NAMES[:1], steps=(30,))
    assert result.experiment == "restore-30"
    assert {claim.claim.partition(" at ")[2] for claim in result.claims if "data fit" in claim.claim} == {"30 steps"}


def test_a_theta_of_the_mixture_stands_beside_its_twin(tmp_path: Path) -> None:
    task = tiny_task()
    pictures = task.forward(task.prior.sample(5, torch.Generator().manual_seed(1))).detach()
    spaces = {taught.OBSERVED: task.space("residual"), taught.WHOLE: task.space(X)}
    settings = RestoreSettings(targets=3, steps=(2, 20), observations=NAMES, tune_targets=2, tune_steps=2, spread_targets=0)
    result = taught.run_taught(
        task, pictures[3:], pictures[:3], spaces, settings, PooledDistance(), "test", silent, tmp_path, {"training_budget": {}}
    )
    fits = {row: result.series[f"fit, 20 steps | {row}"] for row in result.settings["rows"]}
    assert fits[f"{taught.OBSERVED} Adam"] == pytest.approx(fits["Z Adam"]), "here it is the same space"
    assert fits[f"{taught.WHOLE} L-BFGS"] == pytest.approx(fits["X L-BFGS"])
    changes = {claim.claim: claim.ours for claim in result.claims}
    assert len(changes) == 4
    each = [result.comparisons[f"{name}, Adam: fit at 20 steps"]["ratio"] for name in NAMES]
    over = next(change for words, change in changes.items() if "data fit" in words and "Adam" in words)
    assert over == pytest.approx(math.prod(each) ** (1 / len(each)) - 1, rel=1e-4)
    taught.plot(result, tmp_path / "taught.png")
    assert (tmp_path / "taught.png").stat().st_size > 0
    assert taught.markdown(result).count("\n") == 1 + len(NAMES)


def curves(losses: list[list[float]], errors: list[list[float]]) -> Curves:
    return Curves(torch.tensor(losses).T, {"PSNR": torch.tensor(errors).T})


def test_equal_fit_is_where_z_first_fits_as_well_as_x_at_the_end() -> None:
    falling = [1.0 - 0.04 * step for step in range(21)]
    x = curves([falling] * 3, [[0.5, 0.4]] * 3)
    z = curves([[value - 0.7 for value in falling], [1.0] * 20 + [0.2], [0.9] * 21], [[0.2, 0.1], [0.3, 0.3], [0.0, 0.0]])
    even, reached = at_equal_fit(x, z, (10, 20), 20)
    assert reached == 2  # the third never fits as well
    assert even is not None
    assert even.ratio == pytest.approx(math.sqrt((0.2 / 0.4) * (0.3 / 0.4)), rel=1e-5)  # the first already at step 10
    gained, (low, high) = decibels_gained(even)
    assert gained == pytest.approx(-10 * math.log10(even.ratio))
    assert low <= gained <= high
    assert at_equal_fit(x, curves([[1.0] * 21] * 3, [[0.1, 0.1]] * 3), (10, 20), 20) == (None, 0)


def test_edits_are_measured_at_equal_loss(tmp_path: Path) -> None:
    task = tiny_task()
    pictures = task.forward(task.prior.sample(3, torch.Generator().manual_seed(1))).detach()
    settings = editing.EditingSettings(targets=3, steps=6, directions=2)
    result = editing.run_editing(task, pictures, settings, "test", silent, tmp_path)
    for name in editing.MEASURES:
        for row in editing.ROWS:
            found, moved = (torch.tensor(result.series[f"{name}, {state} | {row}"]) for state in ("as found", "edited"))
            assert found.shape == (3,)
            assert bool((moved > 0).all())
    away = [torch.tensor(result.series[f"distance to the prior, {state} | X"]).mean() for state in ("as found", "edited")]
    assert away[1] > away[0]
    assert len(result.claims) == 2
    editing.plot(result, tmp_path / "editing.png")
    assert "distance to the prior, edited" in editing.markdown(result)
    with pytest.raises(UserError, match="no encoder"):
        editing.run_editing(replace(task, encode=None), pictures, settings, "test", silent)


def test_equally_good_is_where_each_lane_first_reaches_the_worse_end() -> None:
    losses = {"X": [9.0, 5.0, 3.0, 2.0], "Z": [4.0, 2.5, 1.0, 0.5]}
    lanes = [LaneRecord(name, losses=[torch.tensor([each]) for each in values]) for name, values in losses.items()]
    assert editing.equally_good(Trajectory(lanes, [0, 1, 2, 3])) == [3, 2]
