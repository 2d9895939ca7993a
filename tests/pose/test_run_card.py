"""Runs on poses: their cards replay bit for bit, hostile ones are refused, and exports read back."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import torch

from landscape_core.errors import UserError
from landscape_core.generators.run_card import read_run_card
from landscape_core.pose.bvh import load_bvh
from landscape_core.pose.motion import pose_of
from landscape_core.pose.priors import body_of
from landscape_core.pose.run_card import PoseCard, export_poses, hypotheses_target, make_pose_card, pose_card_target
from landscape_core.pose.task import NAMES, Observation, load_pose_task, lower_body
from landscape_core.records.export import CARD
from landscape_core.records.run_card import check_models, read_card
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.summary import replay_sentence, result_of
from landscape_core.search.trajectory import run
from tests.tiny.pose import random_rotvec

J = 20
POSE = 0.3 * random_rotvec(1, J, seed=4)[0]
LBFGS, LM = OptimizerSettings(name="lbfgs", lr=1.0), OptimizerSettings(name="levenberg-marquardt")


def settings_for(task: str, **changes: object) -> RunSettings:
    return RunSettings.pair(task=task, steps=4, x=LBFGS, z=LBFGS).model_copy(update=changes)


@pytest.mark.parametrize("observation", list(NAMES))
@pytest.mark.parametrize(
    ("k", "start", "z"),
    [(1, "mean", LBFGS), (3, "random", LBFGS), (3, "random", LM)],
)
def test_a_pose_card_replays_bit_for_bit(observation: Observation, k: int, start: str, z: OptimizerSettings) -> None:
    task, body = load_pose_task(observation), body_of(NAMES[observation])
    settings, seen = settings_for(task.name, start=start, seed=5, z=z), lower_body(body.skeleton)
    first = run(*prepare(task, settings, hypotheses_target(body, POSE, seen, k)))
    card = read_card(make_pose_card(task, settings, POSE, seen, k, **result_of(first)).model_dump_json(), PoseCard)
    assert torch.equal(torch.tensor(card.rotvec), POSE), "not a bit is lost on the way through the text"
    second = run(*prepare(load_pose_task(observation), card.settings, pose_card_target(card)))
    for one, other in zip(first.lanes, second.lanes, strict=True):
        assert torch.equal(one.loss_table(), other.loss_table())
        assert torch.equal(torch.stack(one.variables), torch.stack(other.variables))
    assert "bit for bit" in (replay_sentence(card.result, second) or "")


def test_a_card_names_the_models_that_took_part() -> None:
    task = load_pose_task("rotations")
    card = make_pose_card(task, settings_for("pose", space="residual"), POSE, ["Head"], 1)
    assert set(card.models) == {"pose", "pose/theta-rotations-residual"}
    assert check_models(card, task) == []
    card.models["pose"] = "1" * 64
    assert check_models(card, task) == ["pose"]


def valid() -> dict:
    return json.loads(make_pose_card(load_pose_task(), settings_for("pose"), POSE, ["Head"], 2).model_dump_json())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 3}, "version"),
        ({"kind": "picture"}, "kind"),
        ({"rotvec": [[0, 0]] * 20}, "rotvec"),
        ({"rotvec": [[0, 0, "NaN!"]] * 20}, "rotvec"),
        ({"rotvec": [[0, 0, 0]] * 100_000}, "rotvec"),
        ({"visible": "Head"}, "visible"),
        ({"hypotheses": 0}, "hypotheses"),
        ({"hypotheses": 1000}, "hypotheses"),
        ({"target_png": "A"}, "target_png"),
    ],
)
def test_a_hostile_card_is_refused_by_the_field_that_is_wrong(change: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_card(json.dumps(valid() | change), PoseCard)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rotvec": [[0, 0, 0]] * 7}, "20 joints"),
        ({"rotvec": [[float("nan"), 0, 0]] * 20}, "finite"),
        ({"rotvec": [[1e20, 0, 0]] * 20}, "beyond 1000 radians"),
        ({"rotvec": [[1e300, 0, 0]] * 20}, "finite"),
        ({"visible": ["Tail"]}, "Tail"),
        ({"visible": []}, "At least one"),
        ({"settings": {"task": "faces"}}, "no pose task"),
    ],
)
def test_a_card_of_no_such_pose_is_refused_in_a_sentence(change: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        pose_card_target(read_card(json.dumps(valid() | change), PoseCard))


def test_a_pose_card_is_not_taken_for_one_of_a_picture() -> None:
    with pytest.raises(UserError, match="kind"):
        read_run_card(json.dumps(valid()))


def test_an_export_brings_back_the_target_and_the_best_bodies(tmp_path: Path) -> None:
    task, body = load_pose_task("positions"), body_of("pose-positions")
    settings, seen = settings_for(task.name, start="random"), list(body.skeleton.names)
    solver, starts = prepare(task, settings, hypotheses_target(body, POSE, seen, 2))
    done = run(solver, starts)
    card = make_pose_card(task, settings, POSE, seen, 2, **result_of(done))
    export_poses(tmp_path / "run.zip", card, task, solver.lanes, done, solver.target)
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        archive.extractall(tmp_path)
    assert read_card((tmp_path / CARD).read_text(), PoseCard) == card
    target = pose_of(load_bvh(tmp_path / "target.bvh"), body.skeleton)
    torch.testing.assert_close(target, POSE, atol=1e-4, rtol=1e-4)
    best = load_bvh(tmp_path / "Z.bvh")
    assert len(best.frames) == 2
    assert done.last is not None
    with torch.no_grad():
        wanted = task.forward(solver.lanes[1].space.to_x(done.last.lanes[1].best_variable))
    again = body.target(torch.stack([pose_of(best, body.skeleton, i) for i in range(2)])).value
    assert body.joint_error(again, wanted).max() < 0.01
