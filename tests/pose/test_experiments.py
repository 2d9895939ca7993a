"""The pose experiments: tuned baselines, claims computed from curves, hypotheses measured where they should be."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from landscape_core.cli import app
from landscape_core.errors import UserError
from landscape_core.experiments.curves import Searches
from landscape_core.experiments.paired import compare
from landscape_core.experiments.results import Result
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.experiments import hypotheses as fig6
from landscape_core.pose.experiments import inversion as fig3b
from landscape_core.pose.hypotheses import diversity, measure
from landscape_core.pose.task import load_body, load_pose_task, upper_body
from landscape_core.search.optimizers import LBFGS, Adam
from landscape_core.search.task import X
from tests.tiny.pose import random_rotvec

J = 20


def quiet(label: str, done: int, total: int) -> None:
    pass


@pytest.fixture(scope="module")
def result() -> Result:
    with pytest.MonkeyPatch.context() as patch:
        for swept in ("ADAM_RATES", "FIRST_MOVES", "INVERSE_DAMPINGS"):
            patch.setattr(fig3b, swept, (0.1, 1.0))
        task, body = load_pose_task(), load_body()
        settings = fig3b.PoseSettings(targets=5, steps=21, batch=3, more_starts=2, space="residual")
        sets = {"near": 0.2 * random_rotvec(5, J, seed=1), "far": random_rotvec(5, J, seed=2)}
        return fig3b.run_pose(task, body, 0.2 * random_rotvec(4, J), sets, settings, "test", quiet, known="near")


def test_every_optimiser_searches_both_spaces_at_rates_of_their_own(result: Result, tmp_path: Path) -> None:
    rows = [f"{space} {column}" for column in fig3b.COLUMNS for space in "XZ"]
    assert [*result.settings["chosen"]] == [*rows, "Z paper"]
    for row, by_budget in result.settings["chosen"].items():
        assert [*by_budget] == ["20", "21"]
        for chosen in by_budget.values():
            sweep = chosen["sweep_on_train"]
            swept = chosen["first_move" if "L-BFGS" in row else "lr"]
            assert f"{swept:g}" == min(sweep, key=lambda name, sweep=sweep: sweep[name])
        for label in ("near", "far"):
            series = result.series[f"{row} | {label}"]
            assert series == sorted(series, reverse=True), "best so far never rises"
            assert len(series) == len(result.series[f"{row} cm | {label}"]) == 22
    fig3b.plot(result, tmp_path / "pose.png")
    assert (tmp_path / "pose.png").stat().st_size > 10_000
    assert json.loads(result.write(tmp_path).read_text())["n"] == {"near": 5, "far": 5}


def test_claims_compare_the_same_poses_within_one_optimiser(result: Result) -> None:
    by_name = {claim.claim: claim for claim in result.claims}
    assert set(result.comparisons) == set(by_name)
    for name in by_name:
        ours, _, theirs = name.partition(" against ")
        assert any(f"Z {by}" in ours and f"X {by}" in theirs for by in fig3b.COLUMNS) or "Z paper" in name or "lowest" in name
    claim = by_name["far: loss after 21 steps, Z Adam against X Adam"]
    assert (claim.paper, claim.aim) == (-0.11, -0.15)
    task, body = load_pose_task(), load_body()
    lanes = {
        row: (space, Adam(result.settings["chosen"][row]["21"]["lr"])) for row, space in (("Z Adam", "residual"), ("X Adam", X))
    }
    target = body.target(random_rotvec(5, J, seed=2))
    curves = Searches(task, quiet, batch=5).curves(target, lanes, 21, "again")
    expected = compare(curves["Z Adam"].loss[21], curves["X Adam"].loss[21], floor=result.settings["floor"])
    assert claim.ours == pytest.approx(expected.change, rel=1e-3)
    assert by_name["near: loss after 21 steps, Z Levenberg-Marquardt against X Levenberg-Marquardt"].aim == 0.0


def test_the_lowest_loss_found_is_below_every_lane_and_falls_with_more_starts() -> None:
    task, body = load_pose_task(), load_body()
    target = body.target(random_rotvec(4, J))
    settings = fig3b.PoseSettings(steps=15, batch=3)
    curves = Searches(task, quiet).curves(target, {"X Adam": (X, Adam(0.1))}, 15, "")
    none, one, four = (
        fig3b.lowest_found(task, target, [curves["X Adam"].loss[-1]], LBFGS(1.0), replace(settings, more_starts=starts), quiet)
        for starts in (0, 1, 4)
    )
    assert torch.equal(none, curves["X Adam"].loss[-1])
    assert bool((four <= one).all())
    assert bool((one <= none).all())
    assert float(four.mean()) < float(none.mean())


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    (tmp_path / "walks").mkdir()
    (tmp_path / "walks" / "a.bvh").write_text(bvh_text(load_body().skeleton, 0.2 * random_rotvec(3, J)))
    return tmp_path / "walks"


@pytest.mark.parametrize(("command", "extra"), [("pose", ["--steps", "2"]), ("pose-completions", ["--k", "2"])])
def test_own_recordings_are_evaluated_without_the_data(
    command: str, extra: list[str], recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fig6, "HypothesesSettings", partial(fig6.HypothesesSettings, report_at=(0, 2)))
    typed = ["reproduce", command, "--bvh", str(recordings), "--data", str(tmp_path / "none"), "--targets", "2", *extra]
    done = CliRunner().invoke(app, [*typed, "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    result = json.loads((tmp_path / "out" / f"{command}.json").read_text())
    assert result["n"] == {"walks": 2}
    assert result["settings"]["x_tuned_on"] == "poses drawn from the prior"
    if command == "pose":
        (aim,) = (c["aim"] for c in result["claims"] if "loss after 2 steps, Z Adam against X Adam" in c["claim"])
        assert aim == -0.15, "nobody knows whether own recordings are like the training data"


def test_without_own_recordings_the_data_must_be_there(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["reproduce", "pose", "--data", str(tmp_path)])
    assert isinstance(done.exception, UserError)
    assert "There is no file" in str(done.exception)


def test_curves_do_not_depend_on_the_batch() -> None:
    task, body = load_pose_task(), load_body()
    target = body.target(0.3 * random_rotvec(4, J))
    lanes = {"X": (X, Adam(0.1))}
    whole, parts = (Searches(task, quiet, batch=batch).curves(target, lanes, 3, "")["X"] for batch in (4, 3))
    torch.testing.assert_close(whole.loss, parts.loss)


def test_diversity_is_the_mean_distance_between_hypotheses() -> None:
    positions = torch.zeros(1, 3, 2, 3)
    positions[0, 1, :, 0], positions[0, 2, :, 0] = 3.0, 6.0
    assert float(diversity(positions)) == pytest.approx((3 + 6 + 3) / 3)
    with pytest.raises(ValueError, match="two"):
        diversity(positions[:, :1])


def test_fit_is_measured_on_visible_joints_and_variety_on_hidden_ones() -> None:
    body = load_body("positions")
    truth = body.target(random_rotvec(2, J)).value  # (2, J + 1, 3)
    visible = upper_body(body.skeleton)
    outputs = truth.repeat_interleave(2, dim=0)
    hidden = [i for i, name in enumerate(body.skeleton.node_names) if name not in visible and i > 0]
    moved = outputs.clone()
    moved[1, hidden, 1] += 7.0  # the second hypothesis of the first pose
    found = measure(body, moved, truth, visible)
    torch.testing.assert_close(found.visible, torch.zeros(2))
    torch.testing.assert_close(found.diversity, torch.tensor([7.0, 0.0]))


def test_hypotheses_fit_better_as_steps_go_by(tmp_path: Path) -> None:
    task, body = load_pose_task(), load_body()
    settings = fig6.HypothesesSettings(targets=3, k=2, report_at=(0, 3, 12), batch=2, space=next(iter(task.mappings)))
    poses = {"val": 0.2 * random_rotvec(3, J)}
    result = fig6.run_hypotheses(task, body, 0.2 * random_rotvec(3, J, seed=3), poses, settings, "test", quiet)
    for name in ("X Adam", "Z L-BFGS", "Z Levenberg-Marquardt"):
        for half in ("upper body", "lower body"):
            errors = result.series[f"{name} visible cm | {half}"]
            assert errors[2] < errors[0]
    starts = [result.series[f"{name} diversity cm | upper body"][0] for name in ("X Adam", "Z L-BFGS")]
    assert all(f" Z {by} against X {by}" in f" {claim.claim}" for claim in result.claims for by in [claim.claim.split("X ")[1]])
    assert np.isclose(*starts, rtol=0.05), "both spaces start from the same inputs"
    fig6.plot(result, tmp_path / "completions.png")
    assert (tmp_path / "completions.png").stat().st_size > 10_000
