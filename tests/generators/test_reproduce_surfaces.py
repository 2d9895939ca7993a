"""The experiments on surfaces and completions, on the tiny task: complete files whose claims follow from their series."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.errors import UserError
from landscape_core.experiments import landscapes as fig8
from landscape_core.generators.experiments import completions as fig6
from landscape_core.pose.task import load_pose_task
from landscape_core.search.objectives import Target
from landscape_core.search.trajectory import LaneRecord, Trajectory
from landscape_core.storage import zoo
from landscape_core.surfaces.averages import LandscapeSettings, committed
from tests.tiny.models import tiny_task
from tests.tiny.pose import shared


def pictures(n: int) -> Tensor:
    task = tiny_task()
    with torch.no_grad():
        return task.forward(task.prior.sample(n, torch.Generator().manual_seed(1)))


def silent(label: str, done: int, total: int) -> None:
    assert 0 < done <= total


def test_landscapes_measure_every_example_in_both_spaces(tmp_path: Path) -> None:
    settings = LandscapeSettings(steps=3, size=5, space="paper")
    result, examples, planes = fig8.run_landscapes(tiny_task(), Target(pictures(4)), settings, "test", silent)
    content = json.loads(result.write(tmp_path).read_text())
    assert content["n"] == {"examples": 4}
    assert set(planes) == {"X", "paper"}
    for lane in ("X", "Z"):
        assert len(content["series"][f"roughness | {lane}"]) == 4
        assert np.abs(content["series"][f"centre minus last loss | {lane}"]).max() < 1e-6
    convex = next(claim for claim in content["claims"] if "convex" in claim["claim"])
    series = content["series"]
    expected = np.mean(np.subtract(series["convex_share | Z"], series["convex_share | X"]))
    assert convex["ours"] == pytest.approx(expected, abs=1e-5)
    assert convex["met"] == (convex["ours"] >= 0.0)
    fig8.plot(result, examples, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 10_000


def test_a_race_that_was_given_up_early_stays_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fig8.run

    def given_up(*asked: Any) -> Trajectory:
        race = whole(*asked)
        if len(race.lanes[0].losses[0]) == 25:  # the first batch alone
            race = Trajectory([LaneRecord(each.name, each.variables[:2], each.losses[:2]) for each in race.lanes])
        return race

    monkeypatch.setattr(fig8, "run", given_up)
    settings = LandscapeSettings(steps=3, size=5, space="paper")
    result, examples, _ = fig8.run_landscapes(tiny_task(), Target(pictures(26)), settings, "test", silent)
    assert result.n == {"examples": 26}
    assert examples["X"][0].path.true_loss[1:].unique().numel() == 1
    assert examples["X"][25].path.true_loss[1:].unique().numel() == 3


def test_every_example_is_measured_on_a_grid_of_the_same_extent_around_its_own_end() -> None:
    settings = LandscapeSettings(steps=2, size=5, space="paper")
    _, examples, planes = fig8.run_landscapes(tiny_task(), Target(pictures(3)), settings, "test", silent)
    grids = [example.surface.grid for example in examples["Z"]]
    assert len({grid.half for grid in grids}) == 1
    spread = planes["paper"].spread
    assert spread is not None
    assert grids[0].half == pytest.approx((2 * spread).tolist())
    assert not torch.equal(grids[0].plane.origin, grids[1].plane.origin)
    assert all(float(example.path.distance[-1]) == 0.0 for example in examples["X"])


def test_completions_compare_fidelity_and_diversity(tmp_path: Path) -> None:
    study = fig6.CompletionStudy(k=2, steps=3, marks=(0, 2, 9), space="paper", masks=("mouth", "left-half"))
    result = fig6.run_completions(tiny_task(), pictures(3), study, "test", silent)
    content = json.loads(result.write(tmp_path).read_text())
    series = content["series"]
    assert series["step of each mark"] == [0, 2, 3]
    for lane in ("X", "Z"):
        assert len(series[f"fidelity | {lane}"]) == len(series[f"diversity | {lane}"]) == 3
        marks = series[f"mean fidelity per mark | {lane}"]
        assert marks[-1] == pytest.approx(np.mean(series[f"fidelity | {lane}"]), rel=1e-4)
        assert marks[-1] < marks[0]
    claims = {claim["claim"]: claim for claim in content["claims"]}
    visible = claims["visible loss of completions, Z (adam) against X (adam)"]
    expected = np.mean(series["fidelity | Z"]) / np.mean(series["fidelity | X"]) - 1
    assert visible["ours"] == pytest.approx(expected, rel=1e-3)
    assert claims["largest change of the loss when hidden pixels change"]["ours"] == 0.0
    fig6.plot(result, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 10_000


def test_completions_are_kept_and_the_same_comes_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = fig6.CompletionStudy(k=2, steps=2, marks=(0, 1), space="paper", masks=("mouth",))
    first, anew = (fig6.run_completions(tiny_task(), pictures(2), study, "test", silent, work) for work in (tmp_path, None))
    with monkeypatch.context() as patch:
        patch.setattr(fig6, "completions", lambda *_: pytest.fail("searched again"))
        again = fig6.run_completions(tiny_task(), pictures(2), study, "test", silent, tmp_path)
    assert again.series == first.series == anew.series
    assert [claim.ours for claim in again.claims] == [claim.ours for claim in first.claims]
    other = fig6.run_completions(tiny_task(), pictures(2), replace(study, seed=1), "test", silent, tmp_path)
    assert other.series["fidelity | X"] != first.series["fidelity | X"]


def test_completions_can_give_x_zs_optimiser() -> None:
    study = fig6.CompletionStudy(k=2, steps=2, marks=(0,), space="paper", masks=("mouth",), x_optimizer="lbfgs")
    result = fig6.run_completions(tiny_task(), pictures(2), study, "test", silent)
    assert result.experiment == "completions-x-lbfgs"
    chosen = result.settings["x_optimizer"]
    assert (chosen["name"], chosen["lr"], chosen["history"]) == ("lbfgs", 1.0, 100)
    advised = fig6.run_completions(tiny_task(), pictures(2), replace(study, x_optimizer=None), "test", silent)
    assert result.series["fidelity | X"] != advised.series["fidelity | X"]
    assert result.series["fidelity | Z"] == advised.series["fidelity | Z"]
    assert "X (lbfgs)" in result.claims[0].claim


def test_diversity_at_equal_fidelity_is_that_of_the_first_mark_below() -> None:
    curves = fig6.Curves(fidelity=[3.0, 2.0, 1.0], diversity=[0.9, 0.5, 0.2])
    assert curves.diversity_at(2.5) == 0.5
    assert curves.diversity_at(0.5) is None


def test_x_can_be_given_zs_optimiser() -> None:
    settings = LandscapeSettings(steps=2, size=5, space="paper", x_optimizer="lbfgs")
    result, examples, _ = fig8.run_landscapes(tiny_task(), Target(pictures(3)), settings, "test", silent)
    assert result.experiment == "landscapes-x-lbfgs"  # beside the other, not over it
    assert (result.settings["x_optimizer"], result.settings["x_lr"]) == ("lbfgs", 1.0)
    advised = LandscapeSettings(steps=2, size=5, space="paper")
    _, others, _ = fig8.run_landscapes(tiny_task(), Target(pictures(3)), advised, "test", silent)
    assert not torch.equal(examples["X"][0].path.true_loss, others["X"][0].path.true_loss)
    assert torch.equal(examples["Z"][0].path.true_loss, others["Z"][0].path.true_loss)


def test_the_command_measures_poses_as_it_does_pictures(tmp_path: Path) -> None:
    data = shared("data/mocap.npz").parent
    arguments = ["--task", "pose-positions", "--data", str(data), "--targets", "3", "--steps", "2", "--size", "5"]
    done = CliRunner().invoke(cli.app, ["reproduce", "landscapes", *arguments, "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    content = json.loads((tmp_path / "landscapes-pose-positions.json").read_text())
    assert content["n"] == {"examples": 3}
    (found,) = committed(tmp_path, load_pose_task("positions"), "residual")  # the app finds it for these models
    assert found.optimizers == {"X": "L-BFGS 1", "Z": "L-BFGS 1"}


def test_a_grid_without_a_centre_is_refused_before_anything_is_measured() -> None:
    done = CliRunner().invoke(cli.app, ["reproduce", "landscapes", "--size", "6"])
    assert isinstance(done.exception, UserError)
    assert "--size must be odd" in str(done.exception)


@pytest.mark.parametrize("command", [["convergence"], ["why"], ["pose"], ["pose-completions"], ["follow"], ["restore"]])
def test_nothing_is_measured_where_rates_are_chosen(command: list[str]) -> None:
    done = CliRunner().invoke(cli.app, ["reproduce", *command, "--split", "train"])
    assert isinstance(done.exception, UserError)
    assert "Rates are chosen on train" in str(done.exception)


def test_the_command_measures_cats_too(tmp_path: Path) -> None:
    arguments = ["--task", "cats", "--images", str(zoo.ASSETS / "examples"), "--targets", "3", "--steps", "2", "--size", "5"]
    done = CliRunner().invoke(cli.app, ["reproduce", "landscapes", *arguments, "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    content = json.loads((tmp_path / "landscapes-cats.json").read_text())
    assert content["n"] == {"examples": 3}
    assert "cats/generator" in content["models"]
