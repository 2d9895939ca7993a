"""Pose targets and runs for a session, as messages for the figure view. Knows nothing of Gradio.

A session's `Picked.picture` is a pose here: (J, 3), axis-angle in radians.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from app.pose import stream as pose_stream
from app.runs.cards import read_card_file
from app.runs.legs import Message, continued, further_steps, lasting, numbered, stopped
from app.runs.models import Models
from app.runs.session import Picked, Run, Session
from landscape_core.errors import UserError
from landscape_core.pose.kinematics import matrix_to_rotvec
from landscape_core.pose.motion import load_motion, pose_of
from landscape_core.pose.run_card import PoseCard, body_of, export_poses, hypotheses_target, make_pose_card, pose_card_target
from landscape_core.pose.task import Body, load_body
from landscape_core.search.race import MAX_STEPS, RunSettings, prepare
from landscape_core.search.run_card import replay_promise
from landscape_core.search.solver import State
from landscape_core.search.summary import replay_sentence, result_of
from landscape_core.search.task import Task
from landscape_core.search.trajectory import Trajectory, states

MAX_K = 8


@dataclass(frozen=True)
class FromCard(Picked):
    """The pose of a run card, with the card: a run of it says whether it came out as the card's did."""

    card: PoseCard | None = None


def drawn(task: Task, number: int) -> Picked:
    """The pose that the prior makes of input number `number`.

    Raises:
        UserError: not a whole number from 0 on.
    """
    if not isinstance(number, int) or not 0 <= number < 2**31:
        raise UserError("The number of a drawn pose must be a whole number from 0 on.")
    with torch.no_grad():
        rotations = task.forward(task.prior.sample(1, torch.Generator().manual_seed(number)))[0]
    return Picked(matrix_to_rotvec(rotations), f"drawn pose {number}")


def uploaded(path: Path, frame: Any) -> Picked:
    """One frame of a BVH file.

    Raises:
        UserError: not a BVH, a skeleton that cannot be matched, or no such frame; the sentence says which.
    """
    if not isinstance(frame, int):
        raise UserError("The frame must be a whole number from 0 on.")
    return Picked(pose_of(load_motion(path), load_body().skeleton, frame), f"{path.stem[:40]}, frame {frame}")


def edited(before: Picked, joint: str, degrees: Sequence[Any]) -> Picked:
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
    pose = before.picture.clone()
    pose[names.index(joint)] = torch.deg2rad(angles)
    return Picked(pose, "edited pose")


def start(models: Models, session: Session, settings: RunSettings, k: int, visible: Any) -> Iterator[Message]:
    """Race X against Z on the session's pose, for k hypotheses of which the joints named in `visible` are seen.

    Raises:
        UserError: no target, k out of range, joints that do not exist, or a space that does not.
    """
    if session.target is None:
        raise UserError("Choose a pose first.")
    if not isinstance(k, int) or not 1 <= k <= MAX_K:
        raise UserError(f"The number of hypotheses must be from 1 to {MAX_K}.")
    body = body_of(settings.task)
    seen = joints_of(body, visible)
    task = models.get(settings.task)
    solver, starts = prepare(task, settings, hypotheses_target(body, session.target.picture, seen, k))
    run = Run(session.count + 1, settings, session.target, task, solver, Trajectory.empty(["X", "Z"]))
    session.begin(run)
    with run.lock:
        further = states(solver, solver.init(starts), stop=run.stop.is_set)
        yield from numbered(run, _first_leg(run, body, seen, further))


def joints_of(body: Body, visible: Any) -> list[str]:
    """The names of seen joints from the page, which is untrusted. Raises UserError where they are none."""
    if not isinstance(visible, list) or not all(isinstance(name, str) for name in visible):
        raise UserError("The visible joints must be a list of names.")
    body.mask(visible)
    return [name for name in body.skeleton.names if name in visible]


def resume(session: Session, more: Any) -> Iterator[Message]:
    """Take `more` steps from where the session's run stands.

    Raises:
        UserError: as `continued`.
    """
    with continued(session.run, more, MAX_STEPS) as (run, further):
        yield from numbered(run, _leg(run, body_of(run.settings.task), seen_in(run), further))


def seen_in(run: Run) -> list[str]:
    """The names of the joints that a run was told."""
    seen: list[str] = run.messages[0]["visible"]
    return seen


def card_of(run: Run) -> PoseCard:
    """The run's card."""
    target, result = run.target.picture, result_of(run.trajectory)
    return make_pose_card(run.task, lasting(run), target, seen_in(run), len(run.solver.target), **result)


def load_card(models: Models, session: Session, data: bytes) -> tuple[PoseCard, str]:
    """Take the pose of a card for the session; nothing is run. The sentence says whether a replay can be exact.

    Raises:
        UserError: not the card of a run on a pose, or one that asks for what is not here.
    """
    card = read_card_file(data, PoseCard)
    if card.hypotheses > MAX_K:
        raise UserError(f"The card has {card.hypotheses} hypotheses; here at most {MAX_K} are drawn.")
    pose_card_target(card)  # what is wrong with its pose or joints is said now, not when it is run
    task = models.get(card.settings.task)
    promise = replay_promise(card, task)
    session.target = FromCard(torch.tensor(card.rotvec), "from a run card", card=card)
    return card, f"Run card loaded; {promise}"


def export(session: Session) -> Path:
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


def _first_leg(run: Run, body: Body, visible: list[str], further: Iterator[State]) -> Iterator[Message]:
    yield pose_stream.begin(run, body, visible)
    yield from _leg(run, body, visible, further)


def _leg(run: Run, body: Body, visible: list[str], further: Iterator[State]) -> Iterator[Message]:
    yield from pose_stream.batches(run, body, visible, further)
    state = run.trajectory.last
    reason = run.solver.done(state) if state is not None else None
    message = pose_stream.end(run, stopped(run) if reason is None else reason.value, further_steps(run, MAX_STEPS, 100))
    card = repeated(run)
    if card is not None:
        message["replay"] = replay_sentence(card.result, run.trajectory)
    yield message


def repeated(run: Run) -> PoseCard | None:
    """The card that a run's target came with, where the run has all that it asks for."""
    card = run.target.card if isinstance(run.target, FromCard) else None
    asked = (run.settings, seen_in(run), len(run.solver.target))
    return card if card is not None and (card.settings, card.visible, card.hypotheses) == asked else None
