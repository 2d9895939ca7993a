"""Starting, continuing and ending a race for a session, as messages for the race view. Knows nothing of Gradio."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from app import stream
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
    """Take `more` steps from where the session's run stands: the numbers an uninterrupted run would have had.

    Raises:
        UserError: nothing to continue, a run still going, or the limit of steps reached.
    """
    run = session.run
    if run is None or run.trajectory.last is None:
        raise UserError("There is no run to continue; press Run first.")
    if not isinstance(more, int) or more < 1:
        raise UserError(f"The number of further steps must be a whole number from 1 to {MAX_STEPS}.")
    last = run.trajectory.last
    if last.step >= MAX_STEPS:
        raise UserError(f"A run takes at most {MAX_STEPS} steps, and this one has taken them.")
    if not run.lock.acquire(blocking=False):
        raise UserError("The run is still going.")
    try:
        run.stop.clear()
        run.solver = run.solver.with_lanes(run.solver.lanes, max_steps=min(last.step + more, MAX_STEPS))
        further = states(run.solver, last, stop=run.stop.is_set)
        next(further)  # the state that is already on record
        yield from stream.numbered(run, _leg(session, run, further))
    finally:
        run.lock.release()


def card_of(run: Run) -> RunCard:
    """The run's card. A run continued beyond its settings gets the steps it took, unless an optimiser's schedule hangs
    on that number: then the card says how many steps to replay and where the run stood."""
    steps = run.trajectory.steps[-1]
    longer = steps > run.settings.steps and not _scheduled(run.settings)
    settings = run.settings.model_copy(update={"steps": steps}) if longer else run.settings
    return make_card(run.task, settings, run.target.picture, **result_of(run.trajectory))


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
    message["more"] = min(MAX_STEPS - run.trajectory.steps[-1], max(run.settings.steps - run.trajectory.steps[-1], 0) or 100)
    if message["more"] and run.trajectory.steps[-1] >= run.settings.steps and _scheduled(run.settings):
        message["hint"] = "Adam with ramps has come to the end of its schedule: its learning rate stays zero from here on."
    card = session.card
    if card is not None and card.settings == run.settings and torch.equal(png_tensor(card.target_png), run.target.picture):
        message["replay"] = replay_sentence(card.result, run.trajectory)
    yield message


def _scheduled(settings: RunSettings) -> bool:
    return "adam-ramps" in (settings.x.name, settings.z.name)


def _reason(run: Run) -> str:
    state = run.trajectory.last
    reason = run.solver.done(state) if state is not None else None
    if reason is not None:
        return reason.value
    return f"Stopped at step {run.trajectory.steps[-1]}; all that was reached is kept."
