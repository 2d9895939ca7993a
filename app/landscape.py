"""The Landscape tab: the loss around a race's two paths, as surfaces one can turn. Layout and wiring only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.components import Component

from app import landscape_events as events
from app.form import space_choices
from app.invert import _CLICK, COMPUTE, QUICK, _missed
from app.models import Models
from app.session import Session, Sessions
from app.views.surfaces import surfaces_view
from app.views.view import sent
from landscape_core.errors import UserError

PLANES = [
    ("Recovered latents (the paper's)", "recovered"),
    ("This run's own path", "path"),
    ("Start, X's end and Z's end", "ends"),
    ("Both paths, shared plane in X", "shared"),
    ("Random directions", "random"),
]
_PLANE = (
    "Which two of the hundreds of dimensions are drawn. The paper takes the principal directions of many recovered latents. "
    "In a shared plane Z's path is mapped into X, so that both runs stand on one surface."
)
_SOURCE = "Whose steps are drawn: a race of this tab's own, on the target of the Invert tab, or the run that stands there."
_SIZE = "Points a side of the grid. It is drawn coarse at once and refined while you watch."
_JS_CLICK = _CLICK.replace("export-file", "surface-file")


def build_landscape(demo: gr.Blocks, tab: gr.Tab, models: Models, invert: Sessions) -> None:
    """Lay the tab out inside the current container and wire it; `invert` are the sessions of the Invert tab."""
    sessions = Sessions()
    with gr.Row(elem_classes="invert landscape"):
        with gr.Column(elem_classes="card settings-card"):
            gr.HTML("<h2>Surface</h2>")
            fields = _build_form(models)
        with gr.Column(elem_classes="card race-card"):
            view = surfaces_view(_missed(sessions))
            status = gr.HTML(elem_id="landscape-status")
            download = gr.DownloadButton("download", elem_id="surface-file")
    made = LandscapeTab(models, sessions, invert, fields, view)
    made.wire(demo, tab, status, download)


def _build_form(models: Models) -> list[Component]:
    with gr.Group(elem_classes="fields"):
        sources = [("Own race", "own"), ("Run of Invert", "invert")]
        source = gr.Radio(sources, value="own", label="Steps of", info=_SOURCE, elem_classes="segmented", elem_id="source")
        choices = [(name.title(), name) for name in models.names]
        first = models.names[0] if models.names else None
        model = gr.Dropdown(choices, value=first, label="Model", visible=len(choices) > 1)
        space = gr.Dropdown([], label="Space Z", elem_id="landscape-space")
        plane = gr.Dropdown(PLANES, value="recovered", label="Plane", info=_PLANE, elem_id="plane")
        size = gr.Radio([(f"{n} × {n}", n) for n in events.SIZES], value=41, label="Grid", info=_SIZE, elem_classes="segmented")
        steps = gr.Slider(events.MIN_STEPS, events.MAX_STEPS, 20, step=1, label="Steps", elem_id="landscape-steps", buttons=[])
        seed = gr.Number(0, label="Seed", precision=0, minimum=0, elem_id="landscape-seed")
    return [source, model, space, plane, size, steps, seed]


class LandscapeTab:
    """Listeners of the tab. Each finds the visitor's sessions and hands on to `landscape_events`."""

    def __init__(self, models: Models, sessions: Sessions, invert: Sessions, fields: list[Component], view: gr.HTML) -> None:
        self.lab = events.Laboratory(models)
        self.models, self.sessions, self.invert = models, sessions, invert
        self.fields, self.view = fields, view

    def session(self, request: gr.Request) -> Session:
        return self.sessions.get(request.session_hash)

    def wire(self, demo: gr.Blocks, tab: gr.Tab, status: gr.HTML, download: gr.DownloadButton) -> None:
        view, (source, model, space) = self.view, self.fields[:3]
        progress = {"show_progress": "full", "show_progress_on": status}
        tab.select(self.on_open, [model, space], [space, view], **QUICK)
        model.input(self.on_model, model, space, **QUICK)
        source.input(self.on_source, source, [self.fields[5], self.fields[6]], **QUICK)
        begun = view.run(self.on_run, self.fields, view, **COMPUTE, **progress)
        view.stop(self.on_stop, **QUICK)
        view.cancel(self.on_stop, cancels=[begun], **QUICK)
        view.export(self.on_export, outputs=[download, view], **COMPUTE, **progress).success(None, js=_JS_CLICK)

        def leave(request: gr.Request) -> None:
            self.sessions.drop(request.session_hash)

        demo.unload(leave)

    def on_open(self, request: gr.Request, model: str, space: str | None) -> list[Any]:
        try:
            shown = events.current(self.models, self.invert.get(request.session_hash))
            return [self._spaces(model, space), sent(shown)]
        except UserError as error:
            return [gr.skip(), sent({"kind": "error", "text": str(error)})]

    def on_model(self, model: str) -> Any:
        return self._spaces(model, None)

    def _spaces(self, model: str, space: str | None) -> Any:
        spaces = list(self.models.get(model).mappings)
        return gr.update(choices=space_choices(spaces), value=space if space in spaces else spaces[0])

    def on_source(self, source: str) -> list[Any]:
        """A run that was taken elsewhere has its own steps."""
        return [gr.update(visible=source == "own"), gr.update(visible=source == "own")]

    def on_run(self, request: gr.Request, *values: Any) -> Iterator[str]:
        other = self.invert.get(request.session_hash)
        for message in events.run(self.lab, self.session(request), other, list(values)):
            yield sent(message)

    def on_stop(self, request: gr.Request) -> None:
        self.session(request).stop()

    def on_export(self, event: gr.EventData, request: gr.Request) -> list[Any]:
        try:
            path = events.export(self.lab, self.session(request), event._data.get("what"), event._data.get("log"))
            return [str(path), sent({"kind": "exported"})]
        except UserError as error:
            return [gr.skip(), sent({"kind": "error", "text": str(error)})]
