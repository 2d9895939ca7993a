"""Pose targets and runs for a session, as messages for the figure view. Knows nothing of Gradio.

A session's `Picked.picture` is a pose here: (J, 3), axis-angle in radians.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from app import pose_stream, stream
from app.models import Models
from app.session import Picked, Run, Session
from landscape_core.bvh import bvh_text, load_bvh, pose_of
from landscape_core.errors import UserError
from landscape_core.inversion import Lane, Solver, State
from landscape_core.kinematics import matrix_to_rotvec
from landscape_core.runs import MAX_STEPS, RunSettings, starts_in
from landscape_core.spaces import Start
from landscape_core.tasks.base import Task, X
from landscape_core.tasks.pose import Body, load_body
from landscape_core.trajectory import Trajectory, states

Message = dict[str, Any]
MAX_K = 8


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
    return Picked(pose_of(load_bvh(path), load_body().skeleton, frame), f"{path.stem[:40]}, frame {frame}")


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
    """Race X against Z on the session's pose, K hypotheses from the same random inputs, or one from the mean.

    `settings.task` is what is observed: "rotations" or "positions"; `visible` are the names of the joints seen.

    Raises:
        UserError: no target, K out of range, joints that do not exist, or a space that does not.
    """
    if session.target is None:
        raise UserError("Choose a pose first.")
    if not isinstance(k, int) or not 1 <= k <= MAX_K:
        raise UserError(f"The number of hypotheses must be from 1 to {MAX_K}.")
    body = load_body("positions" if settings.task == "positions" else "rotations")
    seen = joints_of(body, visible)
    task = models.get(body.observation)
    target = body.target(session.target.picture[None].expand(k, -1, -1), seen)
    lanes = [
        Lane("X", task.space(X), settings.x.build(settings.steps)),
        Lane("Z", task.space(settings.space), settings.z.build(settings.steps)),
    ]
    solver = Solver(task.forward, task.objective, target, lanes, max_steps=settings.steps)
    run = Run(session.count + 1, settings, session.target, task, solver, Trajectory.empty(["X", "Z"]))
    session.begin(run)
    with run.lock:
        kind: Start = "mean" if k == 1 else "random"
        starts = starts_in([lane.space for lane in lanes], task, kind, solver.target, settings.seed)
        further = states(solver, solver.init(starts), stop=run.stop.is_set)
        yield from stream.numbered(run, _first_leg(run, body, seen, further))


def joints_of(body: Body, visible: Any) -> list[str]:
    """The names of seen joints from the page, which is untrusted. Raises UserError where they are none."""
    if not isinstance(visible, list) or not all(isinstance(name, str) for name in visible):
        raise UserError("The visible joints must be a list of names.")
    body.mask(visible)
    return [name for name in body.skeleton.names if name in visible]


def resume(session: Session, more: Any) -> Iterator[Message]:
    """Take `more` steps from where the session's run stands.

    Raises:
        UserError: nothing to continue, a run still going, or a number out of range.
    """
    run = session.run
    if run is None or run.trajectory.last is None:
        raise UserError("There is no run to continue; press Run first.")
    if not isinstance(more, int) or not 1 <= more <= MAX_STEPS - run.trajectory.last.step:
        raise UserError(f"A run takes at most {MAX_STEPS} steps; this one has taken {run.trajectory.last.step}.")
    if not run.lock.acquire(blocking=False):
        raise UserError("The run is still going.")
    try:
        run.stop.clear()
        last = run.trajectory.last
        run.solver = run.solver.with_lanes(run.solver.lanes, max_steps=last.step + more)
        further = states(run.solver, last, stop=run.stop.is_set)
        next(further)  # the state that is already on record
        begun = run.messages[0]
        body = load_body("positions" if run.settings.task == "positions" else "rotations")
        yield from stream.numbered(run, _leg(run, body, begun["visible"], further))
    finally:
        run.lock.release()


def export(session: Session) -> Path:
    """A zip with the target and each lane's best poses as BVH, one frame a hypothesis.

    Raises:
        UserError: there is no run yet.
    """
    run = session.run
    if run is None or run.trajectory.last is None:
        raise UserError("There is no run to export; press Run first.")
    skeleton, decoder = load_body().skeleton, decoder_of(run.task)
    path = Path(tempfile.mkdtemp()) / f"pose-run-{run.number}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("target.bvh", bvh_text(skeleton, run.target.picture[None]))
        for lane, now in zip(run.solver.lanes, run.trajectory.last.lanes, strict=True):
            with torch.no_grad():
                rotations = decoder(lane.space.to_x(now.best_variable))
            archive.writestr(f"{lane.name}.bvh", bvh_text(skeleton, matrix_to_rotvec(rotations)))
        archive.writestr("settings.json", run.settings.model_dump_json(indent=1))
    return path


def decoder_of(task: Task) -> torch.nn.Module:
    """The part of F that gives rotations: the first of a sequence, or all of it."""
    return task.forward[0] if isinstance(task.forward, torch.nn.Sequential) else task.forward


def _first_leg(run: Run, body: Body, visible: list[str], further: Iterator[State]) -> Iterator[Message]:
    yield pose_stream.begin(run, body, visible)
    yield from _leg(run, body, visible, further)


def _leg(run: Run, body: Body, visible: list[str], further: Iterator[State]) -> Iterator[Message]:
    yield from pose_stream.batches(run, body, visible, further)
    step, state = run.trajectory.steps[-1], run.trajectory.last
    reason = run.solver.done(state) if state is not None else None
    said = reason.value if reason is not None else f"Stopped at step {step}; all that was reached is kept."
    more = min(MAX_STEPS - step, max(run.settings.steps - step, 0) or 100)
    yield pose_stream.end(run, said, more)
