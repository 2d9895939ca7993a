"""What happens on each event of the Invert tab: a session and plain values in, messages for the views out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from app.runs import picture_stream as stream
from app.runs import settings
from app.runs.address import FIRST, TARGET
from app.runs.cards import LOADED, open_card, read_race_card
from app.runs.judged import judged
from app.runs.lanes import table_of
from app.runs.legs import Legs, lasting, result_so_far, scheduled
from app.runs.models import Models
from app.runs.session import Message, Picked, Run, Session
from app.runs.settings import defaults
from app.runs.told import to_export, told_of
from app.scratch import export_path
from app.target import targets
from app.target.judges import picture_judges
from app.target.targets import drawn_input, target_message
from landscape_core.errors import UserError
from landscape_core.generators.run_card import RunCard, make_card
from landscape_core.images.pixels import png_tensor
from landscape_core.plugins.run_card import PluginCard, make_plugin_card
from landscape_core.plugins.task import is_own
from landscape_core.records.run_card import Card
from landscape_core.records.run_zip import export_zip
from landscape_core.search.judges import best_of
from landscape_core.search.race import MAX_STEPS, RunSettings, prepare
from landscape_core.search.trajectory import Trajectory

Race = Run[Picked]
RaceSession = Session[Picked, Race]
USUAL_MORE = 100
LIMIT = "What no lane recovers may lie beyond what this small model can draw: that is its limit, not the search's."


def open_page(models: Models, session: RaceSession, query: Mapping[str, str]) -> tuple[RunSettings, list[str]]:
    """Settings and target that the page's address asks for, with a sentence for each thing it could not have."""
    chosen, notes = settings.from_query(query, defaults(models, query.get("model")), models)
    unknown = targets.open_target(session, query.get(TARGET), models.get(chosen.task))
    return chosen, [*notes, *unknown, *models.left_out.get(chosen.task, ())]


def note(models: Models, session: RaceSession, values: Mapping[str, Any]) -> Message:
    """What the form means now: an error, or how the next run differs from the one that stands; and its address."""
    session.noted = session.target
    try:
        chosen = settings.from_values(values)
        query = settings.query_of(chosen, models) | settings.WHOLE | session.query
    except UserError as error:
        return {"text": str(error), "level": "error", "query": None}
    text, table = _next_run(session, chosen), table_of(chosen)
    return {"text": text, "level": "plain", "query": query, "tab": FIRST, "table": table}


def _next_run(session: RaceSession, chosen: RunSettings) -> str:
    run = session.run
    if run is None or session.target is None:
        return ""
    if session.target.picture is not run.target.picture:
        return "The next run has another target."
    changes = settings.difference(run.settings, chosen)
    if not changes:
        return f"The next run would repeat run {run.number}."
    elsewhere = any(change.startswith(("seed", "start", "space", "model")) for change in changes)
    kept = "same target" if elsewhere else "same target and start"
    return f"Next run: {kept} as run {run.number}, but {'; '.join(changes)}."


def start(models: Models, session: RaceSession, settings: RunSettings) -> Iterator[Message]:
    """Race X against Z on the session's target from the beginning.

    Raises:
        UserError: no target was chosen, or the settings ask for what the model does not have.
    """
    if session.target is None:
        raise UserError("Choose a target first: a picture drawn by the model, an example, or your own.")
    task = models.get(settings.task, settings.perceptual)
    session.target = targets.fitting(session.target, task)
    solver, starts = prepare(task, settings, session.target.target, models.threads)
    run = Run(session.count + 1, settings, session.target, task, solver, Trajectory.empty(settings.names()))
    return _legs(models).start(session, run, starts)


def resume(models: Models, session: RaceSession, more: Any) -> Iterator[Message]:
    """Take `more` steps from where the session's run stands.

    Raises:
        UserError: as `continued`.
    """
    return _legs(models).resume(session, more)


def _legs(models: Models) -> Legs[Race]:
    return Legs(stream.begin, stream.column, partial(_end, models), card_of, MAX_STEPS, USUAL_MORE, _repeats)


def _end(models: Models, run: Race, reason: str) -> Message:
    last = run.trajectory.last
    assert last is not None  # a run always records its start
    found = {lane.name: best_of(run.solver, lane, now) for lane, now in zip(run.solver.lanes, last.lanes, strict=True)}
    message = {**stream.end(run, reason), **judged(found, run.solver.target, picture_judges(models, run))}
    hints = [] if drawn_input(run.task, run.target) is not None else [LIMIT]
    if run.settings.steps <= last.step < MAX_STEPS and scheduled(run):
        hints.append("Adam with ramps has come to the end of its schedule: its learning rate stays zero from here on.")
    return {**message, "hint": " ".join(hints)}


def _repeats(card: Card, run: Race) -> bool:
    if isinstance(card, RunCard):
        return torch.equal(png_tensor(card.target_png), run.target.picture) and card.settings == run.settings
    return isinstance(card, PluginCard) and card == card_of(run).model_copy(update={"result": card.result})


def shown(session: RaceSession) -> Message:
    """The session's target for the view, or that it is missing."""
    return target_message(session.target) if session.target is not None else targets.missing_message(session.missing)


def load_card(models: Models, session: RaceSession, data: bytes, said: str = LOADED) -> tuple[RunSettings, Message, str]:
    """Settings and target of a run card; nothing is run. The sentence says whether a replay can be exact.

    Raises:
        UserError: not a card, or one for a model that is not here.
    """
    card = read_race_card(data)
    if isinstance(card, RunCard) and card.k is not None:
        raise UserError("This is the card of completions; load it in the Complete tab.")
    session.target, exact = open_card(models, card, said)
    session.card = card
    return card.settings, target_message(session.target), exact


def card_of(run: Race) -> RunCard | PluginCard:
    """The run's card."""
    if is_own(run.task):
        return make_plugin_card(run.task, lasting(run), run.target.target, result_so_far(run))
    return make_card(run.task, lasting(run), run.target.picture, **result_so_far(run))


def export(session: RaceSession) -> Path:
    """Write the zip of the run that stands to a new temporary folder.

    Raises:
        UserError: there is nothing to export yet.
    """
    standing = to_export(session.run)
    path = export_path(f"run-{standing.number}-seed-{standing.settings.seed}.zip")
    lanes, target = standing.solver.lanes, standing.solver.target
    export_zip(path, card_of(standing), standing.task, lanes, standing.trajectory, target, told_of(standing))
    return path
