"""Drawings of the Landscape tab on tiny models, for the tests of what it streams, keeps and exports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.landscape import run as events
from app.landscape.drawing import Drawing, Resources
from app.landscape.plan import plan_from
from app.runs.session import Session
from app.runs.standing import Standing

Message = dict[str, Any]


def begin(
    lab: Resources, drawing: Drawing, invert: Session, taken: Standing | None = None, **changes: Any
) -> Iterator[Message]:
    """A drawing of the form's values with some changed, of a run taken from another tab or of a race of its own."""
    form = {
        "model": "faces", "space": "residual", "plane": "path", "column": None, "at_step": None, "size": 21, "steps": 4,
        "seed": 0,
    } | changes  # fmt: skip
    return events.run(lab, drawing, plan_from(lab.models, form), "own", taken, invert)


def run(lab: Resources, drawing: Drawing, invert: Session, taken: Standing | None = None, **changes: Any) -> list[Message]:
    """The messages of a whole drawing."""
    return list(begin(lab, drawing, invert, taken, **changes))


def only(messages: list[Message], kind: str) -> list[Message]:
    """The messages of one kind."""
    return [m for m in messages if m["kind"] == kind]
