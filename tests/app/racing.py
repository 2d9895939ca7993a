"""Races of the app on tiny models, for the tests of what it streams, keeps and exports."""

from __future__ import annotations

from typing import Any

from app.invert import run as race
from app.runs.models import Models
from app.runs.session import Session
from landscape_core.search.race import RunSettings
from tests.tiny.models import tiny_task

FORM = ["faces", "residual", "mean", 6, 0, "adam", 0.1, 1.0, 10, "adam", 0.1, 1.0, 10, "embedded"]
Message = dict[str, Any]


def two_models() -> Models:
    """Two domains, the first being faces."""
    return Models({"faces": lambda perceptual: tiny_task(), "cats": lambda perceptual: tiny_task("cats")})


def race_of(models: Models, session: Session, **changes: Any) -> list[Message]:
    """The messages of a whole race of six steps."""
    return list(race.start(models, session, RunSettings.pair(**{"steps": 6, **changes})))


def column(messages: list[Message], lane: str, what: str) -> list[Any]:
    """One figure of a lane at every step."""
    return [value for m in messages if m["kind"] == "frames" for value in m["lanes"][lane][what]]
