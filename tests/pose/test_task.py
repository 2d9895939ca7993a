"""Pose as a task: observations, masks, encoder, spaces, and learning Θ for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from landscape_core.errors import UserError
from landscape_core.pose.drawing import FIGURE_SIDE, draw
from landscape_core.pose.task import Observation, body_parts, load_body, load_pose_task, lower_body, upper_body
from landscape_core.pose.training import theta as pose_theta
from landscape_core.search.optimizers import LBFGS
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.task import X
from landscape_core.search.trajectory import run
from landscape_core.storage import zoo
from landscape_core.surfaces.planes import Grid, principal_plane
from landscape_core.surfaces.surface import evaluate, path_on_plane
from landscape_core.training.alternating import train_mapping
from tests.tiny.pose import random_rotvec

J = 20
OBSERVATIONS: tuple[Observation, ...] = ("rotations", "positions")


@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_descent_in_x_and_in_theta_explains_a_pose_that_the_prior_can_make(observation: Observation) -> None:
    task, body = load_pose_task(observation), load_body(observation)
    with torch.no_grad():
        wanted = task.forward(task.prior.sample(4, torch.Generator().manual_seed(1)))
    target = replace(body.target(torch.zeros(4, J, 3)), value=wanted)
    lanes = [Lane(name, task.space(name), LBFGS(1.0)) for name in (X, next(iter(task.mappings)))]
    done = run(Solver(task.forward, task.objective, target, lanes, max_steps=30), [lane.space.mean_start(4) for lane in lanes])
    for lane in done.lanes:
        assert (lane.best_so_far()[-1] < 0.05 * lane.losses[0]).all()


def test_the_encoder_comes_closer_than_the_mean() -> None:
    task, body = load_pose_task(), load_body()
    with torch.no_grad():
        wanted = task.forward(task.prior.sample(8, torch.Generator().manual_seed(2)))
        assert task.encode is not None
        guess, mean = task.forward(task.encode(wanted)), task.forward(torch.zeros(8, 32))
    assert body.joint_error(guess, wanted).mean() < 0.5 * body.joint_error(mean, wanted).mean()
    assert load_pose_task("positions").encode is None


@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_hidden_joints_do_not_reach_the_loss_and_visible_ones_do(observation: Observation) -> None:
    task, body = load_pose_task(observation), load_body(observation)
    target = body.target(random_rotvec(3, J), ["Hand_L", "Head"])
    loss = task.objective.bind(target)
    names = body.skeleton.names if observation == "rotations" else body.skeleton.node_names
    for name in names:
        changed = target.value.clone()
        changed[:, names.index(name)] += 1.0
        assert bool((loss(changed) > 0).all()) == (name in ("Hand_L", "Head"))


def test_halves_and_parts_cover_the_body_once() -> None:
    skeleton = load_body().skeleton
    assert sorted([*upper_body(skeleton), *lower_body(skeleton)]) == sorted(skeleton.names)
    assert sorted(joint for part in body_parts(skeleton) for joint in part) == list(range(J))
    assert {"Hand_L", "Head", "Spine"} <= set(upper_body(skeleton))
    assert {"UpperLeg_L", "Toes_R"} <= set(lower_body(skeleton))


def test_joint_error_is_in_centimetres() -> None:
    body = load_body("positions")
    target = body.target(torch.zeros(1, J, 3)).value
    moved = target.clone()
    moved[0, 1:] += torch.tensor([3.0, 0.0, 4.0])
    torch.testing.assert_close(body.joint_error(moved, target), torch.full((1, J), 5.0))


@pytest.mark.parametrize(
    ("rotvec", "visible", "word"),
    [
        (torch.full((1, J, 3), float("nan")), None, "finite"),
        (torch.zeros(1, 7, 3), None, "20 joints"),
        (torch.zeros(1, J, 3), ["Tail"], "Tail"),
        (torch.zeros(1, J, 3), [], "At least one"),
    ],
)
def test_what_is_no_pose_is_said_in_a_sentence(rotvec: torch.Tensor, visible: list[str] | None, word: str) -> None:
    with pytest.raises(UserError, match=word):
        load_body().target(rotvec, visible)


def test_theta_is_learned_and_its_card_loads_as_a_space(tmp_path: Path) -> None:
    poses = random_rotvec(64, J) * 0.3
    trainer, config = pose_theta.pose_mapping_trainer("pose", "residual", poses, tmp_path / "work", buffers=2)
    trainer.config = replace(trainer.config, targets=32, steps=2, batch=16)
    before = {name: value.clone() for name, value in trainer.mapping.state_dict().items()}
    train_mapping(trainer, lambda *_: False)
    assert trainer.progress.buffer == 2
    changed = [name for name, value in trainer.mapping.state_dict().items() if not torch.equal(value, before[name])]
    assert changed
    assert "whitener" not in changed
    (tmp_path / "pose").mkdir()
    for file in (zoo.ASSETS / "pose").iterdir():
        if file.is_file():
            (tmp_path / "pose" / file.name).write_bytes(file.read_bytes())
    card = pose_theta.publish_pose_mapping(
        trainer, config, "pose", "residual", trained_on="noise", command="test", assets=tmp_path
    )
    task = load_pose_task("rotations", tmp_path)
    assert list(task.mappings) == ["residual", "random"]
    assert task.hashes[card.name] == card.sha256
    assert task.advice("residual").name == "lbfgs"
    assert load_pose_task("positions", tmp_path).mappings.keys() == {"random"}


def test_spliced_poses_take_every_part_from_some_recorded_pose() -> None:
    poses = random_rotvec(50, J)
    parts = body_parts(load_body().skeleton)
    mixed = pose_theta.spliced(poses, 40, parts, torch.Generator().manual_seed(0))
    sources = []
    for part in parts:
        same = (mixed[:, None, part] == poses[None, :, part]).all(dim=(2, 3))  # (40, 50)
        assert same.any(dim=1).all()
        sources.append(same.float().argmax(dim=1))
    assert (sources[0] != sources[3]).any()


def test_unknown_presets_are_named() -> None:
    with pytest.raises(UserError, match="residual, short, long, paper, full"):
        pose_theta.pose_mapping_trainer("pose", "best", torch.zeros(1, J, 3), Path("unused"))


@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_a_task_shows_its_target_and_its_outputs_as_figures(observation: Observation) -> None:
    task, body = load_pose_task(observation), load_body(observation)
    output = task.forward(task.prior.sample(3, torch.Generator().manual_seed(0)))
    target = replace(body.target(torch.zeros(1, J, 3)), value=output[:1])
    pictures = task.shown(output, target)
    assert pictures.shape == (3, 3, FIGURE_SIDE, FIGURE_SIDE)
    assert torch.equal(task.shown(None, target), pictures[:1])
    assert not torch.equal(pictures[0], pictures[1])
    torch.testing.assert_close(pictures, draw(body.positions(output), body.skeleton))


@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_the_loss_around_a_run_is_drawn_as_for_any_task(observation: Observation) -> None:
    """One target against many outputs, half of it hidden; the grid's centre has the run's own loss."""
    task, body = load_pose_task(observation), load_body(observation)
    target = body.target(0.2 * random_rotvec(1, J), upper_body(body.skeleton))
    space = next(iter(task.mappings))
    lanes = [Lane(X, task.space(X), LBFGS(1.0)), Lane(space, task.space(space), LBFGS(1.0))]
    done = run(Solver(task.forward, task.objective, target, lanes, max_steps=6), [lane.space.mean_start(1) for lane in lanes])
    for lane in done.lanes:
        path = torch.cat(lane.variables)
        plane = principal_plane(path, lane.name)
        *_, surface = evaluate(task, target, Grid(plane, (1.0, 1.0), size=5))
        assert surface.done == 25
        torch.testing.assert_close(surface.losses[2, 2], lane.losses[-1][0], rtol=1e-4, atol=1e-7)
        seen = path_on_plane(task, target, plane, path, torch.cat(lane.losses))
        assert float(seen.distance[-1]) < 1e-4
        assert bool((seen.distance >= 0).all())
