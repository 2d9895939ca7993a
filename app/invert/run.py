"""What happens on each event of the Invert tab: a session and plain values in, messages for the views out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from app.invert import stream
from app.runs import settings
from app.runs.cards import open_card, read_card_file
from app.runs.legs import Message, continued, further_steps, lasting, numbered, scheduled, stopped
from app.runs.models import Models, defaults
from app.runs.session import Picked, Run, Session
from app.target import targets
from app.target.targets import target_message
from landscape_core.errors import UserError
from landscape_core.generators.export import export_zip
from landscape_core.generators.run_card import RunCard, make_card
from landscape_core.images.pixels import png_tensor, to_unit
from landscape_core.search.objectives import Target
from landscape_core.search.race import MAX_STEPS, RunSettings, prepare
from landscape_core.search.solver import State
from landscape_core.search.summary import replay_sentence, result_of
from landscape_core.search.task import Task
from landscape_core.search.trajectory import Trajectory, states


def open_page(models: Models, session: Session, query: Mapping[str, str]) -> tuple[RunSettings, list[str]]:
    """Settings and target that the page's address asks for, with a sentence for each thing it could not have."""
    usual = defaults(models, query.get("model"), query.get("space"))
    chosen, notes = settings.from_query(query, usual, models.names)
    task = models.get(chosen.task)
    if chosen.space not in task.mappings:
        notes.append(f"{chosen.task.title()} has no space “{chosen.space}”; {usual.space} is used.")
        chosen = chosen.in_space(usual.space)
    session.target = targets.from_query(query.get("target"), task)
    return chosen, notes


def note(models: Models, session: Session, values: list[Any]) -> Message:
    """What the form means now: an error, or how the next run differs from the one that stands; and its address."""
    try:
        chosen = settings.from_values(values)
        usual = defaults(models, chosen.task, chosen.space)
        query = settings.to_query(chosen, models.first(usual)) | (session.target.query if session.target else {})
    except UserError as error:
        return {"text": str(error), "level": "error", "query": None}
    return {"text": _next_run(session, chosen), "level": "plain", "query": query, "own": settings.OWN}


def _next_run(session: Session, chosen: RunSettings) -> str:
    run = session.run
    if run is None or session.target is None:
        return ""
    if session.target.picture is not run.target.picture:
        return "The next run has another target."
    changes = settings.difference(run.settings, chosen)
    if not changes:
        return f"The next run would repeat run {run.number}."
    kept = "same target" if any(c.startswith(("seed", "start", "space", "model")) for c in changes) else "same target and start"
    return f"Next run: {kept} as run {run.number}, but {'; '.join(changes)}."


def run(models: Models, session: Session, values: list[Any]) -> Iterator[Message]:
    """Race from the start; an error is the last message."""
    try:
        yield from start(models, session, settings.from_values(values))
    except UserError as error:
        yield {"kind": "error", "text": str(error)}


def more(session: Session, steps: Any) -> Iterator[Message]:
    """Go on from where the run stands."""
    try:
        yield from resume(session, steps)
    except UserError as error:
        yield {"kind": "error", "text": str(error)}


def restore(session: Session, run_id: Any) -> tuple[RunSettings, Message]:
    """The settings of an earlier run, with its target.

    Raises:
        UserError: no such run in this session.
    """
    found = session.find(str(run_id))
    if found is None:
        raise UserError("That run is no longer known to the server.")
    session.target = found.target
    return found.settings, target_message(found.target)


def load_card(models: Models, session: Session, data: bytes) -> tuple[RunSettings, Message, str]:
    """Settings and target of a run card; nothing is run. The sentence says whether a replay can be exact.

    Raises:
        UserError: not a card, or one for a model that is not here.
    """
    card = read_card_file(data)
    if card.k is not None:
        raise UserError("This is the card of completions; load it in the Complete tab.")
    session.target, exact = open_card(models, card)
    session.card = card
    return card.settings, target_message(session.target), exact


def export(session: Session) -> Path:
    """Write the zip of the run that stands to a new temporary folder.

    Raises:
        UserError: there is nothing to export yet.
    """
    standing = session.run
    if standing is None or standing.trajectory.last is None:
        raise UserError("There is no run to export; press Run first.")
    folder = Path(tempfile.mkdtemp(prefix="landscape-"))
    path = folder / f"run-{standing.number}-seed-{standing.settings.seed}.zip"
    lanes, picture = standing.solver.lanes, standing.target.picture
    export_zip(path, card_of(standing), standing.task.forward, lanes, standing.trajectory, picture)
    return path


def start(models: Models, session: Session, settings: RunSettings) -> Iterator[Message]:
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
        yield from numbered(run, _first_leg(session, run, starts))


def resume(session: Session, more: int) -> Iterator[Message]:
    """Take `more` steps from where the session's run stands.

    Raises:
        UserError: as `continued`.
    """
    with continued(session.run, more, MAX_STEPS) as (run, further):
        yield from numbered(run, _leg(session, run, further))


def card_of(run: Run) -> RunCard:
    """The run's card."""
    return make_card(run.task, lasting(run), run.target.picture, **result_of(run.trajectory))


def encoded(task: Task, picked: Picked) -> Tensor | None:
    """The encoder's reconstruction (1, 3, H, W) in one pass; None for a task without an encoder."""
    if task.encode is None:
        return None
    with torch.no_grad():
        return task.forward(task.encode(to_unit(picked.picture)[None]))


def _first_leg(session: Session, run: Run, starts: list[Tensor]) -> Iterator[Message]:
    yield stream.begin(run, encoded(run.task, run.target))
    yield from _leg(session, run, states(run.solver, run.solver.init(starts), stop=run.stop.is_set))


def _leg(session: Session, run: Run, further: Iterator[State]) -> Iterator[Message]:
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
