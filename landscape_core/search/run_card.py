"""Run cards: versioned JSON that names every setting and model of a run, and replays it."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, ValidationError

from landscape_core.errors import UserError, listed
from landscape_core.search.race import RunSettings
from landscape_core.search.task import Task


class Card(BaseModel):
    """A run that can be repeated: settings, the models' hashes, where it ran and how it ended. What was inverted, the
    target itself, is what each `kind` of card adds."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    kind: str
    settings: RunSettings
    models: dict[str, str]
    environment: dict[str, Any] = {}
    result: dict[str, Any] = {}


CardKind = TypeVar("CardKind", bound=Card)


def models_used(task: Task, settings: RunSettings) -> dict[str, str]:
    """The hashes of the models that take part in a run: of several learned spaces, the one that is searched."""
    other = [name for name in task.hashes if "/theta-" in name and not name.endswith(f"-{settings.space}")]
    return {name: digest for name, digest in task.hashes.items() if name not in other}


def environment() -> dict[str, Any]:
    """What bit-for-bit equality hangs on besides the settings."""
    return {"torch": torch.__version__, "threads": torch.get_num_threads()}


def read_card(text: str, kind: type[CardKind]) -> CardKind:
    """Parse a card of one kind; it is untrusted input and every field is checked.

    Raises:
        UserError: not JSON, another version or kind, or a value out of range; the sentence names the first problem.
    """
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = listed([".".join(str(part) for part in first["loc"]) or "the file"])
        raise UserError(f"This is not a run card that can be replayed: {where}: {first['msg'][:200]}.") from error


def check_models(card: Card, task: Task) -> list[str]:
    """The names of models that differ from those the card was made with, or that it does not name; empty means a replay is
    exact."""
    names = [*card.models, *(name for name in models_used(task, card.settings) if name not in card.models)]
    return [name for name in names if task.hashes.get(name) != card.models.get(name)]


def replay_promise(card: Card, task: Task) -> str:
    """Whether Run can repeat what the card records: the end of a sentence, after "Run card loaded; ".

    Raises:
        UserError: the card's Z searches a space that is not here, or X.
    """
    task.learned(card.settings.space)
    changed = check_models(card, task)
    if not changed:
        return "the models are the same, so Run repeats it exactly."
    if card.models.keys().isdisjoint(changed):
        return f"it does not say which {listed(changed)} it was made with, so results may differ."
    return f"these models differ from the card's, so results will too: {listed(changed)}."
