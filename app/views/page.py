"""What a tab is given to lay itself out in and to hold on to: the page with the things that all of its tabs share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from app.runs.address import FIRST, TAB, of_tab, parameters
from app.runs.models import Models
from app.runs.session import Sessions
from app.runs.standing import StandingSource
from app.views.view import view
from app.views.wiring import QUICK, data_of


@dataclass(frozen=True)
class Page:
    """One page. `invert` are the Invert tab's sessions, whose target other tabs take over; `source` chooses whose run the
    Landscape tab draws, and `sources` are those runs by the names of their tabs; `address` is told of the history."""

    demo: gr.Blocks
    tabs: gr.Tabs
    models: Models
    source: gr.Dropdown
    address: gr.HTML
    invert: Sessions = field(default_factory=Sessions)
    sources: dict[str, StandingSource] = field(default_factory=dict)
    opened: list[Any] = field(default_factory=list)  # the events of `opens`

    def opens(self, name: str, take: Callable[[gr.Request, dict[str, str]], dict[Any, Any]], outputs: Sequence[Any]) -> Any:
        """A tab's settings come from the page's address: when the page is loaded, and when the history goes back to them.
        `take` is called with the parameters that the address has for the tab. Returns the event of loading; the first tab's
        goes before those of all others, for its Run is waited for."""

        def load(request: gr.Request) -> dict[Any, Any]:
            query = request.query_params
            selected = gr.Tabs(selected=name.lower()) if query.get(TAB, FIRST) == name.lower() else gr.skip()
            return {self.tabs: selected, **take(request, of_tab(query, name.lower()))}

        def back(event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
            query = parameters(data_of(event).get("query"))
            return {self.tabs: gr.Tabs(selected=name.lower()), **take(request, query)}

        getattr(self.address, name.lower())(back, outputs=[self.tabs, *outputs], **QUICK)
        loads = self.opened[0].then if self.opened else self.demo.load
        self.opened.append(loads(load, outputs=[self.tabs, *outputs], **QUICK))
        return self.opened[-1]

    def landscape_of(self, name: str) -> dict[Any, Any]:
        """The Landscape tab opened, with that tab's run chosen, as an event with the outputs `tabs` and `source` returns it."""
        return {self.tabs: gr.Tabs(selected="landscape"), self.source: name}


def address_view(names: Sequence[str]) -> gr.HTML:
    """It keeps the browser's history, and emits a tab's name (in small letters) with {query} when that goes back to the tab."""
    tabs = [name.lower() for name in names]
    return view("views/address", tabs, elem_id="address", value=tabs)
