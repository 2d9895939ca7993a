"""The pose experiments: tuned baselines, claims computed from curves, hypotheses measured where they should be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from landscape_core.cli import app
from landscape_core.errors import UserError
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.experiments import hypotheses as fig6
from landscape_core.pose.experiments import inversion as fig3b
from landscape_core.pose.hypotheses import diversity, measure
from landscape_core.pose.task import load_body, load_pose_task, upper_body
from landscape_core.search.optimizers import Adam
from landscape_core.search.solver import Solver
from landscape_core.search.task import X
from tests.tiny.pose import random_rotvec

J = 20


def quiet(label: str, done: int, total: int) -> None:
    pass


def test_an_experiment_tunes_x_and_states_its_claims(tmp_path: Path) -> None:
    task, body = load_pose_task(), load_body()
    settings = fig3b.PoseSettings(targets=5, steps=21, batch=3, more_starts=2, space=next(iter(task.mappings)))
    sets = {"near": 0.2 * random_rotvec(5, J, seed=1), "far": random_rotvec(5, J, seed=2)}
    result = fig3b.run_pose(task, body, 0.2 * random_rotvec(4, J), sets, settings, "test", quiet, known="near")
    sweep = result.settings["x_sweep"]["Adam"]
    assert set(sweep) == {"0.5", "0.1", "0.05", "0.01", "0.001"}
    assert result.settings["x_lr"]["Adam"] == float(min(sweep, key=sweep.get))
    assert len(result.series["X Adam | near"]) == len(result.series["Z cm | far"]) == 22
    assert result.series["Z | near"] == sorted(result.series["Z | near"], reverse=True), "best so far never rises"
    change = result.series["Z | far"][-1] / result.series["X Adam | far"][-1] - 1
    claim = next(c for c in result.claims if c.claim == "far: loss after 21 steps, Z against X Adam")
    assert (claim.ours, claim.paper, claim.aim) == (pytest.approx(change, abs=1e-6), -0.11, -0.15)
    fig3b.plot(result, tmp_path / "pose.png")
    assert (tmp_path / "pose.png").stat().st_size > 10_000
    assert json.loads(result.write(tmp_path).read_text())["n"] == {"near": 5, "far": 5}


def test_the_lowest_loss_found_is_below_every_lane_and_falls_with_more_starts() -> None:
    task, body = load_pose_task(), load_body()
    poses = random_rotvec(4, J)
    settings = fig3b.PoseSettings(steps=15, batch=3, more_starts=0)
    curves = fig3b.pose_curves(task, body, poses, {"X Adam": (X, Adam(0.1))}, settings, quiet, "")
    none = fig3b.lowest_found(task, body, poses, curves, 1.0, settings, quiet)
    assert torch.equal(none, curves["X Adam"].loss[-1])
    one, four = (fig3b.lowest_found(task, body, poses, curves, 1.0, replace(settings, more_starts=n), quiet) for n in (1, 4))
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
    monkeypatch.setattr(fig6.HypothesesSettings, "report_at", (0, 2))
    typed = ["reproduce", command, "--bvh", str(recordings), "--data", str(tmp_path / "none"), "--targets", "2", *extra]
    done = CliRunner().invoke(app, [*typed, "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    result = json.loads((tmp_path / "out" / f"{command}.json").read_text())
    assert result["n"] == {"walks": 2}
    assert result["settings"]["x_tuned_on"] == "poses drawn from the prior"
    if command == "pose":
        final = [c["aim"] for c in result["claims"] if "after 2 steps, Z against X" in c["claim"]]
        assert final == [-0.15] * 4, "nobody knows whether own recordings are like the training data"


def test_without_own_recordings_the_data_must_be_there(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["reproduce", "pose", "--data", str(tmp_path)])
    assert isinstance(done.exception, UserError)
    assert "There is no file" in str(done.exception)


def test_curves_do_not_depend_on_the_batch() -> None:
    task, body = load_pose_task(), load_body()
    poses = 0.3 * random_rotvec(4, J)
    lanes = {"X": (X, Adam(0.1))}
    settings = fig3b.PoseSettings(steps=3, batch=4)
    whole = fig3b.pose_curves(task, body, poses, lanes, settings, quiet, "")["X"]
    parts = fig3b.pose_curves(task, body, poses, lanes, replace(settings, batch=3), quiet, "")["X"]
    torch.testing.assert_close(whole.loss, parts.loss)
    torch.testing.assert_close(whole.error, parts.error, rtol=1e-3, atol=1e-3)


def test_the_error_reported_is_that_of_the_best_loss() -> None:
    body = load_body("positions")
    target = body.target(torch.zeros(1, J, 3)).value
    follow = fig3b._Best(body, target)
    task = load_pose_task("positions")
    state = Solver(
        task.forward, task.objective, body.target(torch.zeros(1, J, 3)), fig3b.pose_lanes(task, {"X": (X, Adam())})
    ).init([torch.zeros(1, 32)])
    good, bad = target + 1.0, target + 5.0
    for output, loss, best in ((good, 1.0, 1.0), (bad, 25.0, 1.0)):
        follow.record(replace(state.lanes[0], output=output, loss=torch.tensor([loss]), best_loss=torch.tensor([best])))
    assert float(follow.error[-1]) == pytest.approx(3**0.5, rel=1e-5)


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
    for name in ("X Adam", "Z"):
        for half in ("upper body", "lower body"):
            errors = result.series[f"{name} visible cm | {half}"]
            assert errors[2] < errors[0]
    starts = [result.series[f"{name} diversity cm | upper body"][0] for name in ("X Adam", "Z")]
    assert np.isclose(*starts, rtol=0.05), "both spaces start from the same inputs"
    fig6.plot(result, tmp_path / "completions.png")
    assert (tmp_path / "completions.png").stat().st_size > 10_000
