"""Tables 4 to 6: what is spoiled is spoiled as said, and a lead is that of Z over X by the same optimiser on each set."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.experiments.paired import compare
from landscape_core.generators.commands import leads as commands
from landscape_core.generators.experiments import convergence as fig3a
from landscape_core.generators.experiments import leads
from landscape_core.generators.experiments.leads import LeadSettings, lead_over, run_leads, run_weighting
from landscape_core.generators.experiments.spectra import noise_levels, noise_pictures, out_of_line
from landscape_core.generators.training import theta
from landscape_core.generators.training.theta import MAPPING_PRESETS
from landscape_core.search.objectives import PerceptualObjective
from tests.tiny.models import PooledDistance, tiny_task
from tests.tiny.tables import data_folder, pictures, quadratic, silent

SETTINGS = LeadSettings(targets=3, steps=(2, 4), tune_targets=2)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fig3a, "ADAM_RATES", (0.02, 0.2))
    monkeypatch.setattr(fig3a, "FIRST_MOVES", {"mean": (0.5, 2.0), "encoder": (0.1,)})


def test_noise_is_twice_as_strong_on_our_range_and_the_first_level_is_clean() -> None:
    grey = torch.zeros(2, 3, 64, 64)
    levels = noise_levels(grey, 0)
    assert torch.equal(levels["σ 0"], grey)
    assert levels["σ 0.1"].std().item() == pytest.approx(0.2, rel=0.02)
    assert max(level.abs().max() for level in levels.values()) <= 1.0
    pure = noise_pictures(2, 64, 0)
    assert pure.abs().max() == 1.0
    assert (pure.abs() < 1).double().mean().item() == pytest.approx(0.683, abs=0.02)  # within one deviation


def test_pictures_out_of_line_are_each_moved_in_its_own_way_and_stay_full() -> None:
    ramp = torch.linspace(-1, 1, 64).expand(4, 3, 64, 64)
    moved = out_of_line(ramp, 0)
    assert moved.shape == ramp.shape
    assert torch.equal(moved, out_of_line(ramp, 0))
    assert all(not torch.allclose(a, b, atol=0.1) for a, b in ((moved[0], ramp[0]), (moved[0], moved[1])))
    ones = torch.ones(4, 3, 32, 32)
    assert torch.allclose(out_of_line(ones, 1), ones, atol=1e-5), "no black corners"


def test_a_lead_is_the_paired_comparison_and_the_paper_stands_beside_its_own_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leads, "PAPERS_STEPS", 4)
    task, sets = tiny_task(), noise_levels(pictures(3), 0)
    result = run_leads(leads.TABLE4, task, pictures(2, 3), sets, SETTINGS, "test", silent)
    named = {claim.claim: claim for claim in result.claims}
    rows = SETTINGS.rows(task)
    assert result.settings["rows"] == [row.name for row in rows] == ["X Adam", "Z Adam", "X L-BFGS", "Z L-BFGS"]
    choices = leads.tuned(task, rows, leads.Target(pictures(2, 3)), SETTINGS.descent(None), silent)
    losses = lead_over(task, rows, choices, sets["σ 0.2"], SETTINGS, silent, "x", None)
    again = compare(losses["Z L-BFGS"][4], losses["X L-BFGS"][4])
    claim = named["σ 0.2: loss after 4 steps, Z L-BFGS against X L-BFGS"]
    assert claim.ours == pytest.approx(again.change)
    assert claim.paper == -0.1257
    assert named["σ 0.2: loss after 2 steps, Z L-BFGS against X L-BFGS"].paper is None
    assert "Z/X by Adam after 2 steps, σ 0 against σ 0.4" in named
    assert len(result.claims) == 5 * 2 * 2 + 4


def test_every_weight_is_searched_by_its_own_loss() -> None:
    task = tiny_task()
    result = run_weighting(task, pictures(2, 3), pictures(3), SETTINGS, "test", silent)
    light, heavy = (result.series[f"rows at 2 steps | weight {weight:g}"] for weight in (0.1, 100.0))
    assert min(heavy) > 10 * min(light)
    own = PerceptualObjective(PooledDistance(), pixel_weight=10.0)
    weighed = replace(task, objective=own)
    choices = leads.tuned(weighed, SETTINGS.rows(task), leads.Target(pictures(2, 3)), SETTINGS.descent(None), silent)
    losses = leads.lead_over(
        weighed, SETTINGS.rows(task),
        choices, pictures(3), SETTINGS, silent, "x", None,
    )  # fmt: skip
    assert result.series["rows at 4 steps | weight 10"] == pytest.approx([float(by[4].mean()) for by in losses.values()])
    with pytest.raises(TypeError):
        run_weighting(quadratic(), pictures(2), pictures(2), SETTINGS, "test", silent)


def ships(folder: Path) -> None:
    for index in range(3):
        path = folder / "cifar10.zip" / "test" / "ship" / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 32), (10, 70 * index, 120)).save(path)


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    task = tiny_task()
    monkeypatch.setattr(commands, "load_image_task", lambda name, perceptual="lpips", device="cpu": task)
    monkeypatch.setattr(theta, "load_image_task", lambda name, device="cpu": task)
    data = data_folder(tmp_path / "data")
    ships(data)
    sizes = ["--targets", "2", "--tune-targets", "1", "--steps", "2", "--out", str(tmp_path / "r"), "--data", str(data)]
    return [*sizes, "--work", str(tmp_path / "w")]


def test_table_5_has_all_its_sets(tmp_path: Path, arguments: list[str]) -> None:
    CliRunner().invoke(cli.app, ["reproduce", "spectrum", *arguments], catch_exceptions=False)
    table5 = json.loads((tmp_path / "r/spectrum.json").read_text())
    assert list(table5["n"]) == ["faces", "aligned cats", "cats out of line", "ships", "noise"]
    assert (tmp_path / "r/spectrum.png").stat().st_size > 10_000


def test_table_6_learns_from_noise_alone(tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}
    usual = MAPPING_PRESETS["residual"]
    small = replace(usual, mapping=replace(usual.mapping, hidden=8), training=replace(usual.training, steps=2, batch=4))
    monkeypatch.setitem(MAPPING_PRESETS, "residual", small)
    monkeypatch.setattr(commands, "NOISES", 8)

    def mapping_trainer(domain: str, preset: str, images: torch.Tensor, work: Path, **given: Any) -> object:
        seen.update(given, spread=images.double().std().item())
        return theta.mapping_trainer(domain, preset, images, work, **given)

    monkeypatch.setattr(commands, "mapping_trainer", mapping_trainer)
    trained = ["--buffers", "1", "--buffer-targets", "4", "--curvature-inputs", "1"]
    CliRunner().invoke(cli.app, ["reproduce", "noise-only", *arguments, *trained], catch_exceptions=False)
    table6 = json.loads((tmp_path / "r/noise-only.json").read_text())
    assert seen["drawn"] == 0.0
    assert seen["spread"] > 80  # of bytes: noise, and no picture
    assert table6["settings"]["training_budget"]["Z from noise"]["draws"] == 4 * 3
    assert table6["settings"]["rows"][:3] == ["X Adam", "Z from noise Adam", "its whitener alone Adam"]
