"""A playground's run card: every setting, the y that was searched, and what Θ came to, to be repeated bit for bit."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from landscape_core.playground.settings import MAX_BUFFERS, PlaySettings
from landscape_core.playground.task import load_playground
from landscape_core.playground.training import LiveTraining
from landscape_core.records.run_card import environment, read_card
from landscape_core.storage.fingerprint import fingerprint

Finite = Annotated[float, Field(allow_inf_nan=False)]


class PlayCard(BaseModel):
    """Settings, the observation y, the number of buffers Θ was trained for, and a fingerprint of its weights then."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    kind: Literal["playground"] = "playground"
    settings: PlaySettings
    y: list[Finite] = Field(min_length=2, max_length=4)
    buffer: int = Field(ge=0, le=MAX_BUFFERS)
    theta: str
    losses: dict[str, float] = {}
    environment: dict[str, Any] = {}


def make_card(training: LiveTraining, y: list[float]) -> PlayCard:
    """The card of a training as it stands."""
    return PlayCard(
        settings=training.playground.settings,
        y=y,
        buffer=training.buffer,
        theta=fingerprint(training.trainer.mapping),
        losses=training.history[-1] if training.history else {},
        environment=environment(),
    )


def read_play_card(text: str) -> PlayCard:
    """Parse a card, which is untrusted input.

    Raises:
        UserError: not JSON, another kind of card, or a value out of range; the sentence names the first problem.
    """
    return read_card(text, PlayCard)


def replayed(card: PlayCard) -> tuple[LiveTraining, str]:
    """Train again what the card says, and a sentence on whether it came out the same.

    Raises:
        UserError: an expression in the card cannot be read.
    """
    training = LiveTraining(load_playground(card.settings))
    training.rewind(card.buffer)
    if fingerprint(training.trainer.mapping) == card.theta:
        return training, f"This repeats the card's training exactly: after {card.buffer} buffers Θ is the same bit for bit."
    made = ", ".join(f"{name} {value}" for name, value in card.environment.items()) or "it does not say what"
    return training, f"This differs from the card's training after {card.buffer} buffers. The card was made with {made}."
