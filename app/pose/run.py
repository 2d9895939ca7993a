"""Pose targets and runs for a session, as messages for the figure view. Knows nothing of Gradio."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from app.pose import stream
from app.pose.session import PoseRun, PoseSession, PoseTarget
from app.pose.settings import MAX_K, PoseSettings
from app.runs.cards import read_card_file
from app.runs.judged import judged
from app.runs.legs import Legs, lasting
from app.runs.models import Models
from app.runs.session import Message
from app.runs.settings import values_of
from landscape_core.errors import UserError
from landscape_core.pose.hypotheses import joint_judges
from landscape_core.pose.kinematics import matrix_to_rotvec
from landscape_core.pose.motion import load_motion, pose_of
from landscape_core.pose.run_card import PoseCard, body_of, export_poses, hypotheses_target, make_pose_card, pose_card_target
from landscape_core.pose.task import Body, load_body
from landscape_core.search.judges import best_of, input_judge, prior_judge
from landscape_core.search.race import MAX_STEPS, prepare
from landscape_core.search.run_card import Card, replay_promise
from landscape_core.search.summary import result_of
from landscape_core.search.task import Task
from landscape_core.search.trajectory import Trajectory

USUAL_MORE = 100


def drawn(task: Task, number: int) -> PoseTarget:
    """The pose that the prior makes of input number `number`.

    Raises:
        UserError: not a whole number from 0 on.
    """
    if not isinstance(number, int) or not 0 <= number < 2**31:
        raise UserError("The number of a drawn pose must be a whole number from 0 on.")
    with torch.no_grad():
        rotations = task.forward(_input(task, number))[0]
    return PoseTarget(matrix_to_rotvec(rotations), f"drawn pose {number}", number)


def _input(task: Task, number: int) -> Tensor:
    return task.prior.sample(1, torch.Generator().manual_seed(number))


def uploaded(path: Path, frame: Any) -> PoseTarget:
    """One frame of a BVH file.

    Raises:
        UserError: not a BVH, a skeleton that cannot be matched, or no such frame; the sentence says which.
    """
    if not isinstance(frame, int):
        raise UserError("The frame must be a whole number from 0 on.")
    return PoseTarget(pose_of(load_motion(path), load_body().skeleton, frame), f"{path.stem[:40]}, frame {frame}")


def edited(before: PoseTarget, joint: str, degrees: Sequence[Any]) -> PoseTarget:
    """The pose with one joint's rotation replaced: axis-angle (x, y, z) in degrees.

    Raises:
        UserError: no such joint, or angles that are not finite numbers.
    """
    names = load_body().skeleton.names
    if joint not in names:
        raise UserError(f"There is no joint {joint!r}; there are: {', '.join(names)}.")
    if not all(isinstance(angle, int | float) for angle in degrees):
        raise UserError("A joint needs three angles in degrees.")
    angles = torch.tensor([float(angle) for angle in degrees])
    if not torch.isfinite(angles).all():
        raise UserError("The angles of a joint must be finite numbers, in degrees.")
    pose = before.rotvec.clone()
    pose[names.index(joint)] = torch.deg2rad(angles)
    return PoseTarget(pose, "edited pose")


def start(models: Models, session: PoseSession, asked: PoseSettings, visible: Any) -> Iterator[Message]:
    """Race X against Z on the session's pose, for k hypotheses of which the joints named in `visible` are seen.

    Raises:
        UserError: no target, k out of range, joints that do not exist, or a space that does not.
    """
    settings, k = asked.settings, asked.k
    if session.target is None:
        raise UserError("Choose a pose first.")
    if not isinstance(k, int) or not 1 <= k <= MAX_K:
        raise UserError(f"The number of hypotheses must be from 1 to {MAX_K}.")
    body = body_of(settings.task)
    seen = joints_of(body, visible)
    task = models.get(settings.task)
    solver, starts = prepare(task, settings, hypotheses_target(body, session.target.rotvec, seen, k))
    empty = Trajectory.empty(settings.names())
    run = PoseRun(session.count + 1, settings, session.target, task, solver, empty, body=body, visible=seen)
    return _legs().start(session, run, starts)


def joints_of(body: Body, visible: Any) -> list[str]:
    """The names of seen joints from the page, which is untrusted. Raises UserError where they are none."""
    if not isinstance(visible, list) or not all(isinstance(name, str) for name in visible):
        raise UserError("The visible joints must be a list of names.")
    body.mask(visible)
    return [name for name in body.skeleton.names if name in visible]


def resume(session: PoseSession, more: Any) -> Iterator[Message]:
    """Take `more` steps from where the session's run stands.

    Raises:
        UserError: as `continued`.
    """
    return _legs().resume(session, more)


def _legs() -> Legs[PoseRun]:
    return Legs(stream.begin, stream.column, _end, MAX_STEPS, USUAL_MORE, repeats)


def _end(run: PoseRun, reason: str) -> Message:
    last, number = run.trajectory.last, run.target.number
    assert last is not None  # a run always records its start
    found = {lane.name: best_of(run.solver, lane, now) for lane, now in zip(run.solver.lanes, last.lanes, strict=True)}
    inputs = [] if number is None else [input_judge(_input(run.task, number))]
    judges = [*joint_judges(run.body, run.target.rotvec, run.visible), *inputs, prior_judge(run.task.prior)]
    return {**stream.end(run, reason), **judged(found, run.solver.target, judges)}


def card_of(run: PoseRun) -> PoseCard:
    """The run's card."""
    target, result = run.target.rotvec, result_of(run.trajectory)
    return make_pose_card(run.task, lasting(run), target, run.visible, len(run.solver.target), **result)


def repeats(card: Card, run: PoseRun) -> bool:
    """Whether a run is the one that a card describes: settings, pose, joints seen and number of hypotheses."""
    if not isinstance(card, PoseCard) or not torch.equal(torch.tensor(card.rotvec), run.target.rotvec):
        return False
    return (card.settings, card.visible, card.hypotheses) == (run.settings, run.visible, len(run.solver.target))


def load_card(models: Models, session: PoseSession, data: bytes) -> tuple[PoseCard, str]:
    """Take the pose of a card for the session; nothing is run. The sentence says whether a replay can be exact.

    Raises:
        UserError: not the card of a run on a pose, or one that asks for what is not here.
    """
    card = read_card_file(data, PoseCard)
    if card.hypotheses > MAX_K:
        raise UserError(f"The card has {card.hypotheses} hypotheses; here at most {MAX_K} are drawn.")
    pose_card_target(card)  # what is wrong with its pose or joints is said now, not when it is run
    task = models.get(card.settings.task)
    values_of(card.settings)  # lanes that the form has no place for are refused now, before anything is taken over
    promise = replay_promise(card, task)
    session.target, session.card = PoseTarget(torch.tensor(card.rotvec), "from a run card"), card
    return card, f"Run card loaded; {promise}"


def export(session: PoseSession) -> Path:
    """A zip with the run's card, losses and latents, and as BVH the target and each lane's best poses.

    Raises:
        UserError: there is no run yet.
    """
    run = session.run
    if run is None or run.trajectory.last is None:
        raise UserError("There is no run to export; press Run first.")
    path = Path(tempfile.mkdtemp(prefix="landscape-")) / f"pose-run-{run.number}.zip"
    export_poses(path, card_of(run), run.task, run.solver.lanes, run.trajectory)
    return path
