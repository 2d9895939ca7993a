"""Races of the app on tiny models, for the tests of what it streams, keeps and exports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import gradio as gr

from app.invert import run as race
from app.runs.legs import with_errors
from app.runs.models import Models
from app.runs.session import Session
from app.runs.settings import from_values
from landscape_core.search.race import RunSettings
from tests.tiny.models import tiny_task

FORM = {  # in the order in which the page has the fields
    "model": "faces", "space": "residual", "start": "mean", "steps": 6, "optimiser1": "adam", "optimiser2": "lbfgs",
    "lanes": ["X1", "Z1", "X2", "Z2"], "seed": 0, "prior": 0, "perceptual": "lpips", "X1_lr": 0.1, "X2_lr": 1.0,
    "Z1_lr": 0.1, "Z2_lr": 1.0, "X1_first_move": 1.0, "X2_first_move": 1.0, "Z1_first_move": 1.0, "Z2_first_move": 1.0,
    "X1_history": 10, "X2_history": 100, "Z1_history": 10, "Z2_history": 100,
}  # fmt: skip
Message = dict[str, Any]
Built = TypeVar("Built")


def two_models() -> Models:
    """Two domains, the first being faces."""
    return Models({"faces": lambda perceptual: tiny_task(), "cats": lambda perceptual: tiny_task("cats")})


def race_of(models: Models, session: Session, **changes: Any) -> list[Message]:
    """The messages of a whole race of six steps."""
    return list(race.start(models, session, RunSettings.pair(**{"steps": 6, **changes})))


def run_form(models: Models, session: Session, form: dict[str, Any]) -> list[Message]:
    """The messages of a run with the form's values, as the page gets them."""
    return list(with_errors(lambda: race.start(models, session, from_values(form))))


def column(messages: list[Message], lane: str, what: str) -> list[Any]:
    """One figure of a lane at every step."""
    return [value for m in messages if m["kind"] == "frames" for value in m["lanes"][lane][what]]


def laid_out(build: Callable[[], Built]) -> Built:
    """What a part of a page builds, on a page of its own."""

    def page() -> Built:
        with gr.Blocks():
            return build()

    return in_a_loop(page)


def in_a_loop(build: Callable[[], Built]) -> Built:
    """What builds a page, where an event loop is running, as behind Playwright's: elsewhere Gradio would leave one open."""

    async def built() -> Built:
        return build()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(built())
    return build()
