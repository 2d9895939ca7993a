"""What a tab is given to lay itself out in and to hold on to: the page with the things that all of its tabs share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from app.runs.models import Models
from app.runs.session import Sessions
from app.runs.standing import StandingSource


@dataclass(frozen=True)
class Page:
    """One page. `invert` are the Invert tab's sessions, whose target other tabs take over; `source` chooses whose run the
    Landscape tab draws, and `sources` are those runs by the names of their tabs."""

    demo: gr.Blocks
    tabs: gr.Tabs
    models: Models
    source: gr.Dropdown
    invert: Sessions = field(default_factory=Sessions)
    sources: dict[str, StandingSource] = field(default_factory=dict)

    def landscape_of(self, name: str) -> dict[Any, Any]:
        """The Landscape tab opened, with that tab's run chosen, as an event with the outputs `tabs` and `source` returns it."""
        return {self.tabs: gr.Tabs(selected="landscape"), self.source: name}
