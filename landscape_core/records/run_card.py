"""Run cards: versioned JSON that names every setting and model of a run, and replays it."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, ValidationError

from landscape_core.errors import UserError, first_problem, listed
from landscape_core.search.race import RunSettings
from landscape_core.search.task import Task
from landscape_core.search.thetas import without_other_thetas


class Card(BaseModel):
    """A run that can be repeated: settings, the models' hashes, where it ran and how it ended. What was inverted, the
    target itself, is what each `kind` of card adds."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[2] = 2
    kind: str
    settings: RunSettings
    models: dict[str, str]
    environment: dict[str, Any] = {}
    result: dict[str, Any] = {}

    @property
    def samples(self) -> int:
        """How many times the run had its target in a batch."""
        return 1


FIRST_VERSION = (
    "This run card is of the first version: of a race of X against Z, on models that have been replaced since. Runs are now "
    "tables of spaces and optimisers; make the run anew and save its card."
)
CardKind = TypeVar("CardKind", bound=BaseModel)


def models_used(task: Task, settings: RunSettings) -> dict[str, str]:
    """The hashes of the models that take part in a run: of several learned spaces, those that are searched."""
    return without_other_thetas(task.hashes, settings.learned)


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
        if any(each["loc"] == ("version",) and each["input"] == 1 for each in error.errors()):
            raise UserError(FIRST_VERSION) from error
        problem = first_problem(error, lambda place: ".".join(str(part) for part in place) or "the file")
        raise UserError(f"This is not a run card that can be replayed: {problem[:300]}") from error


def check_models(card: Card, task: Task) -> list[str]:
    """The names of models that differ from those the card was made with, or that it does not name; empty means a replay is
    exact."""
    names = [*card.models, *(name for name in models_used(task, card.settings) if name not in card.models)]
    return [name for name in names if task.hashes.get(name) != card.models.get(name)]


def replay_promise(card: Card, task: Task) -> str:
    """Whether Run can repeat what the card records: the end of a sentence, after "Run card loaded; ".

    Raises:
        UserError: one of the card's lanes searches a space that is not here.
    """
    for space in card.settings.learned:
        task.learned(space)
    changed = check_models(card, task)
    if not changed:
        return "the models are the same, so Run repeats it exactly."
    if card.models.keys().isdisjoint(changed):
        return f"it does not say which {listed(changed)} it was made with, so results may differ."
    return f"these models differ from the card's, so results will too: {listed(changed)}."
