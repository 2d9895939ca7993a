"""One of K completions: as a picture for the Invert tab, or with its path for the Landscape tab."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from app.complete.session import CompletionRun, CompletionSession
from app.runs.session import Message, Picked, Session
from app.runs.standing import Standing, standing_of
from app.target.targets import COMPLETION, choose
from landscape_core.errors import UserError
from landscape_core.generators.completion import pasted, whole_mask
from landscape_core.images.pixels import to_bytes


def standing_run(session: CompletionSession) -> CompletionRun:
    """The completions that stand.

    Raises:
        UserError: there are none yet.
    """
    if session.run is None or session.run.trajectory.last is None:
        raise UserError("There are no completions yet; press Run first.")
    return session.run


def picked(session: CompletionSession, asked: dict[str, Any]) -> Picked:
    """One completion as a target: {"lane", "index", "step", "pasted"} of the session's run. Of the last step it is the
    picture itself; of others it is drawn again, which can differ by the rounding of a batch of one.

    Raises:
        UserError: no such completion.
    """
    standing = standing_run(session)
    lane, index, step = str(asked.get("lane")), asked.get("index"), asked.get("step")
    names, target, steps = [each.name for each in standing.solver.lanes], standing.solver.target, standing.trajectory.steps
    if not isinstance(index, int) or not 0 <= index < len(target) or lane not in names or not isinstance(step, int):
        raise UserError("That completion is no longer known to the server.")
    if step not in steps:
        raise UserError("That step is no longer known to the server.")
    output = _output(standing, names.index(lane), index, steps.index(step))
    mask = whole_mask(target)
    if asked.get("pasted") and mask is not None:
        output = pasted(output, target.value[:1], mask)
    return Picked(to_bytes(output)[0], f"completion {index + 1} in {lane}", {"target": COMPLETION})


def _output(standing: CompletionRun, lane: int, index: int, at: int) -> Tensor:
    """Completion `index` of a lane at the recorded step number `at`: (1, 3, H, W)."""
    last = standing.trajectory.last
    if last is not None and at == len(standing.trajectory.steps) - 1:
        return last.lanes[lane].output[index : index + 1]
    variable = standing.trajectory.lanes[lane].variables[at][index : index + 1]
    with torch.no_grad():
        return standing.task.forward(standing.solver.lanes[lane].space.to_x(variable))


def send_on(session: CompletionSession, invert: Session[Picked, Any], asked: dict[str, Any]) -> tuple[Message | None, str]:
    """Make a completion the Invert tab's target; returns what its race view shows, and a sentence."""
    shown, sentence = choose(invert, lambda: picked(session, asked))
    return shown, sentence or "Sent to Invert."


def landscape_of(session: CompletionSession) -> Standing | None:
    """The completion that was picked last, for the Landscape tab; the first where none was.

    Raises:
        UserError: the run is still going.
    """
    found = standing_of(session.run, session.sample)
    return None if found is None else replace(found, label=f"completion {session.sample + 1} of {found.label}")


def pick(session: CompletionSession, index: Any) -> None:
    """Make a completion the one that `landscape_of` gives.

    Raises:
        UserError: no such completion.
    """
    if not isinstance(index, int) or not 0 <= index < len(standing_run(session).solver.target):
        raise UserError("That completion is no longer known to the server.")
    session.sample = index


def edited(session: CompletionSession) -> tuple[CompletionRun | None, int]:
    """The run that stands and the completion that is picked of it, for the panel that edits."""
    return session.run, session.sample
