"""Reading a run card from an uploaded file: the JSON itself, or the zip of an export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Protocol, TypeVar

from app.runs.address import LONGEST, TARGET
from app.runs.models import Models
from app.runs.session import Picked
from app.runs.settings import values_of
from landscape_core.errors import UserError
from landscape_core.generators.run_card import RunCard
from landscape_core.images.pixels import png_tensor, to_bytes
from landscape_core.plugins.run_card import PluginCard, plugin_card_target
from landscape_core.records.card_file import card_kind, card_text
from landscape_core.records.run_card import CardKind, read_card, replay_promise

LOADED = "Run card loaded"
EARLIER = (
    "This card is of an earlier model: its picture has {had} × {had} pixels, and “{model}” now draws {side} × {side}. The "
    "model was replaced since, so the card's run cannot be repeated; make the run anew and save its card."
)
T = TypeVar("T", bound="Addressed")


def read_card_file(data: bytes | None, kind: type[CardKind]) -> CardKind:
    """The card of a kind in an uploaded file, which is untrusted.

    Raises:
        UserError: no file, or neither a run card nor an export with one.
    """
    return read_card(_text(data), kind)


def read_race_card(data: bytes | None) -> RunCard | PluginCard:
    """The card of a race in an uploaded file, which is untrusted: of a picture, or of a plug-in by its name.

    Raises:
        UserError: no file, or neither a run card nor an export with one.
    """
    text = _text(data)
    own = PluginCard.model_fields["kind"].default
    return read_card(text, PluginCard) if card_kind(text) == own else read_card(text, RunCard)


def _text(data: bytes | None) -> str:
    if data is None:
        raise UserError("Choose a run card, or the zip of an export.")
    return card_text(data)


def open_card(models: Models, card: RunCard | PluginCard, said: str = LOADED) -> tuple[Picked, str]:
    """A card's target, and a sentence that says (after what was `said`) whether a replay can be exact.

    Raises:
        UserError: the card is for a model or a space that is not here, or its picture cannot be read, or it has lanes
            that the table has no place for.
    """
    if card.settings.task not in models.names:
        raise UserError(f"The card is for the model “{card.settings.task}”; here there are: {', '.join(models.names)}.")
    task = models.get(card.settings.task, card.settings.perceptual)
    values_of(card.settings)  # lanes that the form has no place for are refused now, before anything is taken over
    promise = replay_promise(card, task)
    if isinstance(card, PluginCard):
        target = plugin_card_target(card, task)
        shown, observed = to_bytes(task.shown(None, target))[0], None if task.picture is None else target
        picked = Picked(shown, "from a run card", {TARGET: "card"}, observed=observed, task=task.name)
        return picked, f"{said}; {promise}"
    smaller = card.instrument.factor if card.taken and card.instrument is not None else 1
    picture, side = png_tensor(card.target_png), task.side // smaller
    if picture.shape[-1] != side:
        raise UserError(EARLIER.format(had=picture.shape[-1], side=side, model=card.settings.task))
    return Picked(picture, "from a run card", {"target": "card"}), f"{said}; {promise}"


def as_it_was(target: T, origin: Any) -> T:
    """A target that a card brought back, called what the page says it was called then, which is untrusted."""
    known = origin if isinstance(origin, Mapping) else {}
    query = known["query"] if isinstance(known.get("query"), Mapping) else {}
    named = {name: str(query[name])[:LONGEST] for name in (TARGET, "edit") if name in query}
    return replace(target, label=str(known.get("label", target.label))[:80], query=named or target.query)


class Addressed(Protocol):
    """A target that an address can name."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def label(self) -> str: ...

    @property
    def query(self) -> dict[str, str]: ...
