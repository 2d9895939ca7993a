"""Starting, continuing and ending a race for a session, as messages for the race view. Knows nothing of Gradio."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from app import stream
from app.continuing import continued, further_steps, lasting, scheduled, stopped
from app.models import Models
from app.session import Picked, Run, Session
from landscape_core.data import to_unit
from landscape_core.errors import UserError
from landscape_core.inversion import State
from landscape_core.objectives import Target
from landscape_core.runs import MAX_STEPS, RunCard, RunSettings, make_card, png_tensor, prepare
from landscape_core.summary import replay_sentence, result_of
from landscape_core.tasks.base import Task
from landscape_core.trajectory import Trajectory, states


def start(models: Models, session: Session, settings: RunSettings) -> Iterator[stream.Message]:
    """Race X against Z on the session's target from the beginning.

    Raises:
        UserError: no target was chosen, or the settings ask for what the model does not have.
    """
    if session.target is None:
        raise UserError("Choose a target first: a picture drawn by the model, an example, or your own.")
    task = models.get(settings.task, settings.perceptual)
    target = Target(to_unit(session.target.picture)[None])
    solver, starts = prepare(task, settings, target)
    run = Run(session.count + 1, settings, session.target, task, solver, Trajectory.empty(["X", "Z"]))
    session.begin(run)
    with run.lock:
        yield from stream.numbered(run, _first_leg(session, run, starts))


def resume(session: Session, more: int) -> Iterator[stream.Message]:
    """Take `more` steps from where the session's run stands.

    Raises:
        UserError: as `continued`.
    """
    with continued(session.run, more, MAX_STEPS) as (run, further):
        yield from stream.numbered(run, _leg(session, run, further))


def card_of(run: Run) -> RunCard:
    """The run's card."""
    return make_card(run.task, lasting(run), run.target.picture, **result_of(run.trajectory))


def encoded(task: Task, picked: Picked) -> Tensor | None:
    """The encoder's reconstruction (1, 3, H, W) in one pass; None for a task without an encoder."""
    if task.encode is None:
        return None
    with torch.no_grad():
        return task.forward(task.encode(to_unit(picked.picture)[None]))


def _first_leg(session: Session, run: Run, starts: list[Tensor]) -> Iterator[stream.Message]:
    yield stream.begin(run, encoded(run.task, run.target))
    yield from _leg(session, run, states(run.solver, run.solver.init(starts), stop=run.stop.is_set))


def _leg(session: Session, run: Run, further: Iterator[State]) -> Iterator[stream.Message]:
    yield from stream.batches(run, further)
    message = stream.end(run, _reason(run))
    message["more"] = further_steps(run, MAX_STEPS, 100)
    if message["more"] and run.trajectory.steps[-1] >= run.settings.steps and scheduled(run):
        message["hint"] = "Adam with ramps has come to the end of its schedule: its learning rate stays zero from here on."
    card = session.card
    if card is not None and card.settings == run.settings and torch.equal(png_tensor(card.target_png), run.target.picture):
        message["replay"] = replay_sentence(card.result, run.trajectory)
    yield message


def _reason(run: Run) -> str:
    state = run.trajectory.last
    reason = run.solver.done(state) if state is not None else None
    return stopped(run) if reason is None else reason.value
