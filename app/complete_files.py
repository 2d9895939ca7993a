"""Run cards of completions, and their export as one zip."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from app import complete_settings
from app.cards import read_card_file
from app.complete_picks import standing_run
from app.complete_settings import Asked
from app.complete_stream import mask_text
from app.continuing import lasting
from app.invert_events import open_card
from app.models import Models
from app.session import Run, Session
from landscape_core.completion import completion_sets
from landscape_core.completion_export import completions_zip
from landscape_core.errors import UserError
from landscape_core.runs import RunCard, card_target, make_card, png_tensor
from landscape_core.summary import result_of


def repeats(card: RunCard, standing: Run) -> bool:
    """Whether a run is the one that a card describes: settings, K, picture and mask."""
    ours, theirs = standing.solver.target, card_target(card)
    if card.k != len(ours) or theirs.mask is None or ours.mask is None:
        return False
    same = torch.equal(png_tensor(card.target_png), standing.target.picture) and torch.equal(theirs.mask, ours.mask[:1].cpu())
    return same and card.settings == standing.settings


def load_card(models: Models, session: Session, data: bytes) -> tuple[Asked, str]:
    """Settings of a card of completions, its target and mask for the session; nothing is run. The sentence says whether a
    replay can be exact.

    Raises:
        UserError: not such a card, or one that asks for what is not here.
    """
    card = read_card_file(data)
    if card.k is None:
        raise UserError("This is the card of a race, without a mask; load it in the Invert tab.")
    asked = complete_settings.from_values(complete_settings.values_of(Asked(card.settings, card.k)))
    mask = card_target(card).mask
    assert mask is not None  # a card with k has one
    session.target, sentence = open_card(models, card)
    session.card, session.mask = card, mask_text(mask)
    return asked, sentence


def card_of(standing: Run) -> RunCard:
    """The card of the completions that stand."""
    mask, result = standing.solver.target.mask, result_of(standing.trajectory)
    assert mask is not None
    return make_card(
        standing.task, lasting(standing), standing.target.picture, mask=mask[:1].cpu(), k=len(standing.solver.target), **result
    )


def export(session: Session) -> Path:
    """Write the zip of the completions that stand to a new temporary folder.

    Raises:
        UserError: there is nothing to export yet.
    """
    standing = standing_run(session)
    path = Path(tempfile.mkdtemp(prefix="landscape-")) / f"completions-{standing.number}-seed-{standing.settings.seed}.zip"
    lanes, target, state = standing.solver.lanes, standing.solver.target, standing.trajectory.last
    assert state is not None
    assert target.mask is not None
    sets = completion_sets(standing.task.objective, [lane.name for lane in lanes], state, target.mask[:1])
    completions_zip(path, card_of(standing), standing.task.forward, lanes, standing.trajectory, target, sets)
    return path
