"""What happens on each event of the Complete tab: a session and plain values in, messages for the views out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from app.complete import mask_link, observing, stream
from app.complete import settings as complete_settings
from app.complete.observing import Asked
from app.complete.picks import standing_run
from app.complete.session import CompletionRun, CompletionSession
from app.complete.settings import MAX_STEPS, USUAL_STEPS, CompletionSettings
from app.complete.stream import mask_text
from app.runs.address import TARGET
from app.runs.cards import LOADED, open_card, read_card_file
from app.runs.judged import judged
from app.runs.lanes import table_of
from app.runs.legs import Legs, lasting, result_so_far
from app.runs.models import Models
from app.runs.session import Message
from app.runs.told import told_of
from app.scratch import export_path
from app.target import targets
from app.target.judges import picture_judges
from landscape_core.errors import UserError
from landscape_core.generators.completion import completion_sets, completion_solver
from landscape_core.generators.completion_export import completions_zip
from landscape_core.generators.masks import PRESETS, preset
from landscape_core.generators.run_card import RunCard, card_mask, make_card
from landscape_core.images.pixels import png_base64, png_tensor
from landscape_core.records.run_card import Card
from landscape_core.search.judges import last_of
from landscape_core.search.prior_term import with_prior_term
from landscape_core.search.trajectory import Trajectory

FIRST_MASK = "centre"
LABELS = {"centre": "Centre only", "mouth": "Mouth", "eyes": "Eyes", "left-half": "Left half", "border": "Border"}


def presets(side: int) -> list[Message]:
    """Every preset mask, side x side, with words for it."""
    return [{"name": n, "label": LABELS.get(n, n), "mask": stream.mask_text(preset(n, side))} for n in PRESETS]


def painter_message(session: CompletionSession) -> Message:
    """What is observed of the session's target, where that is not missing, and where a mask is painted, that on it, at the
    model's side."""
    picked, asked = session.target, session.asked
    side = session.side if picked is None or session.side else picked.picture.shape[-1]
    session.mask = stream.mask_at(session.mask, side)
    picture = None if picked is None else png_base64(observing.preview(asked, picked, side))
    message: Message = {"picture": picture, "label": "missing" if picked is None else picked.label, "side": side}
    message |= {"presets": presets(side), "first": FIRST_MASK, "painting": asked.instrument.painted}
    message["loss"] = asked.instrument.loss_words(side)
    return message | ({"mask": session.mask} if session.mask else {})


def paint(session: CompletionSession, mask: Any, side: int) -> str:
    """Take a painted mask, side x side; returns what is wrong with it, empty where it can be used."""
    session.mask = mask if isinstance(mask, str) and len(mask) == side * side else ""
    return mask_sentence(session.mask, side)


def mask_sentence(text: Any, side: int) -> str:
    """What is wrong with a painted mask; empty where it can be used."""
    try:
        observing.read_painted(text, side)
    except UserError as error:
        return str(error)
    return ""


def open_page(models: Models, session: CompletionSession, query: Mapping[str, str]) -> tuple[CompletionSettings, list[str]]:
    """Settings and mask (the session's) that the page's address asks for, with a sentence per thing refused.

    Raises:
        UserError: there is no model at all, or its files are damaged.
    """
    usual = complete_settings.defaults(models, query.get("model"))
    asked, notes = complete_settings.from_query(query, usual, models)
    task, session.mask = models.get(asked.settings.task), ""
    if TARGET in query:
        notes += targets.open_target(session, query[TARGET], task)
    session.take(asked.observed, task.side)
    try:
        session.mask = mask_link.from_link(query.get("mask", FIRST_MASK), task.side) if query else ""
    except UserError as error:
        notes.append(str(error))
    return asked, notes


def note(models: Models, session: CompletionSession, values: Mapping[str, Any]) -> Message:
    """What is wrong with the form, if anything, and the address of what it asks for, the mask in it."""
    session.noted = session.target
    try:
        asked = complete_settings.from_values(values)
        side = models.get(asked.settings.task).side
        asked.observed.instrument.observation(side)  # whether pictures of that side can be seen by it
        query = complete_settings.query_of(asked, models)
    except UserError as error:
        return {"text": str(error), "level": "error", "query": None}
    session.take(asked.observed, side)
    query |= session.query
    painted = session.mask if asked.observed.instrument.painted else ""
    link = mask_link.to_link(painted) if painted else FIRST_MASK
    query |= {"mask": link} if link != FIRST_MASK else {}
    return {"text": "", "level": "plain", "query": query, "tab": "complete", "table": table_of(asked.settings)}


def start(models: Models, session: CompletionSession, asked: CompletionSettings) -> Iterator[Message]:
    """K completions in X and in Z of what is observed of the session's picture.

    Raises:
        UserError: no picture, a mask that makes no problem, or settings that the model cannot have.
    """
    if session.target is None:
        raise UserError("Choose a picture first: one drawn by the model, an example, or your own.")
    task, observed = models.get(asked.settings.task, asked.settings.perceptual), asked.observed
    session.mask = stream.mask_at(session.mask, task.side)
    picked = session.target.at(observing.side_of(observed, task.side))
    mask = observing.read_mask(observed, session.mask, task.side)
    target = observing.target_of(observed, picked, mask, task.side)
    solver, starts = completion_solver(task, target, asked.k, asked.settings, models.threads)
    task = with_prior_term(task, asked.settings.prior_weight)  # which completions are told without
    run = CompletionRun(
        session.count + 1, asked.settings, picked, task, solver, Trajectory.empty(asked.settings.names()),
        observed=observed, mask=mask,
    )  # fmt: skip
    return _legs(models).start(session, run, starts)


def resume(models: Models, session: CompletionSession, more: Any) -> Iterator[Message]:
    """Take `more` steps from where the completions stand.

    Raises:
        UserError: as `continued`.
    """
    return _legs(models).resume(session, more)


def _legs(models: Models) -> Legs[CompletionRun]:
    return Legs(stream.begin, stream.column, partial(_end, models), card_of, MAX_STEPS, USUAL_STEPS, repeats)


def _end(models: Models, run: CompletionRun, reason: str) -> Message:
    """That all steps were taken goes without saying; judged are the completions that are shown, the last ones."""
    last = run.trajectory.last
    assert last is not None  # a run always records its start
    found = {lane.name: last_of(lane, now) for lane, now in zip(run.solver.lanes, last.lanes, strict=True)}
    said = judged(found, run.solver.target, picture_judges(models, run))
    return {**stream.end(run, reason if run.solver.done(last) is None else ""), **said}


def repeats(card: Card, standing: CompletionRun) -> bool:
    """Whether a run is the one that a card describes: settings, K, and what is observed of which picture."""
    if not isinstance(card, RunCard) or (card.k, card.settings) != (len(standing.solver.target), standing.settings):
        return False
    ours, asked = standing.target.picture, standing.observed
    if str(card.instrument) != str(asked.instrument) or card.taken != asked.taken:
        return False
    theirs = png_tensor(card.target_png)
    mask = card_mask(card, standing.task.side)
    masked = mask is None if standing.mask is None else mask is not None and torch.equal(mask, standing.mask)
    return theirs.shape == ours.shape and torch.equal(theirs, ours) and masked


def load_card(models: Models, session: CompletionSession, data: bytes, said: str = LOADED) -> tuple[CompletionSettings, str]:
    """Settings of a card of completions, its target and mask for the session; nothing is run. The sentence says whether a
    replay can be exact.

    Raises:
        UserError: not such a card, or one that asks for what is not here.
    """
    card = read_card_file(data, RunCard)
    if card.k is None:
        raise UserError("This is the card of a race, without a mask; load it in the Invert tab.")
    asked = complete_settings.from_values(complete_settings.values_of(completion_settings_of(card)))
    picked, sentence = open_card(models, card, said)
    side = models.get(card.settings.task).side
    mask = card_mask(card, side)
    session.target, session.card, session.mask = picked, card, "" if mask is None else mask_text(mask)
    session.take(asked.observed, side)
    return asked, sentence


def completion_settings_of(card: RunCard) -> CompletionSettings:
    """The settings of a card of completions.

    Raises:
        UserError: there is no such observation.
    """
    assert card.k is not None
    assert card.instrument is not None  # a card with k has one
    return CompletionSettings(card.settings, card.k, Asked(card.instrument, card.taken))


def card_of(standing: CompletionRun) -> RunCard:
    """The card of the completions that stand."""
    observed, result = standing.observed, result_so_far(standing)
    return make_card(
        standing.task, lasting(standing), standing.target.picture, instrument=observed.instrument, mask=standing.mask,
        taken=observed.taken, k=len(standing.solver.target), **result,
    )  # fmt: skip


def export(session: CompletionSession) -> Path:
    """Write the zip of the completions that stand to a new temporary folder.

    Raises:
        UserError: there is nothing to export yet.
    """
    standing = standing_run(session)
    path = export_path(f"completions-{standing.number}-seed-{standing.settings.seed}.zip")
    lanes, target, state = standing.solver.lanes, standing.solver.target, standing.trajectory.last
    assert state is not None
    sets = completion_sets(standing.task, lanes, state, target)
    card, told = card_of(standing), told_of(standing)
    completions_zip(path, card, standing.task, lanes, standing.trajectory, target, sets, told)
    return path
