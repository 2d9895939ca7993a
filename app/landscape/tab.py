"""The Landscape tab: the loss around a race's two paths, as surfaces one can turn. Layout and wiring only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from app.landscape import run as events
from app.landscape.run import OWN, Drawing
from app.runs.jobs import Jobs
from app.runs.legs import with_errors
from app.runs.models import Models, label
from app.runs.session import Message
from app.runs.standing import Standing
from app.views.form import Form, space_choices
from app.views.page import Page
from app.views.view import sent, view
from app.views.wiring import COMPUTE, QUICK, click, enclosing_tab, found, missed
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
_SOURCE = "Whose steps are drawn: a race of this tab's own, on the target of the Invert tab, or the run that stands in a tab."
_SIZE = "Points a side of the grid. It is drawn coarse at once and refined while you watch."


NAME = "Landscape"


def build(page: Page) -> None:
    """Lay the tab out inside the current container and wire it. Its own races are on the Invert tab's targets; the runs of
    other tabs are the page's sources."""
    drawings = Jobs(Drawing)
    with gr.Row(elem_classes="invert landscape"):
        with gr.Column(elem_classes="card settings-card"):
            gr.HTML("<h2>Surface</h2>")
            form = _build_form(page.models, page.source)
        with gr.Column(elem_classes="card race-card"):
            view = surfaces_view(missed(drawings))
            status = gr.HTML(elem_id="landscape-status")
            download = gr.DownloadButton("download", elem_id="surface-file")
    LandscapeTab(page, drawings, form, view, download).wire(status)


def _build_form(models: Models, source: gr.Dropdown) -> Form:
    form = Form()
    with gr.Group(elem_classes="fields"):
        source.render()
        choices = [(label(name), name) for name in models.names]
        first = models.names[0] if models.names else None
        form["model"] = gr.Dropdown(choices, value=first, label="Model", visible=len(choices) > 1, elem_id="landscape-model")
        form["space"] = gr.Dropdown([], label="Space Z", elem_id="landscape-space")
        form["plane"] = gr.Dropdown(PLANES, value="recovered", label="Plane", info=_PLANE, elem_id="plane")
        sizes = [(f"{n} × {n}", n) for n in events.SIZES]
        form["size"] = gr.Radio(sizes, value=41, label="Grid", info=_SIZE, elem_classes="segmented")
        form["steps"] = gr.Slider(
            events.MIN_STEPS, events.MAX_STEPS, 20, step=1, label="Steps", elem_id="landscape-steps", buttons=[]
        )
        form["seed"] = gr.Number(0, label="Seed of random directions", precision=0, minimum=0, elem_id="landscape-seed")
    return form


def source_field(names: Sequence[str]) -> gr.Dropdown:
    """Whose steps are drawn, of the tabs of these names; made before they are, for they open this one, and rendered in it."""
    choices = [("A race of its own", OWN), *((f"The run in {name}", name) for name in names)]
    return gr.Dropdown(choices, value=OWN, label="Steps of", info=_SOURCE, elem_id="source", render=False)


class LandscapeTab:
    """Listeners of the tab. Each finds what stands for the visitor and hands on to the tab's `run.py`."""

    def __init__(self, page: Page, drawings: Jobs[Drawing], form: Form, view: gr.HTML, download: gr.DownloadButton) -> None:
        self.shared = events.Resources(page.models)
        self.page, self.models, self.drawings = page, page.models, drawings
        self.form, self.view, self.download = form, view, download

    @property
    def own(self) -> list[Component]:
        """The settings of a race of this tab's own."""
        names = ["model", "space", "steps"] if len(self.models.names) > 1 else ["space", "steps"]
        return [self.form[name] for name in names]

    def wire(self, status: gr.HTML) -> None:
        view, form, source = self.view, self.form, self.page.source
        model, space = form["model"], form["space"]
        progress = {"show_progress": "full", "show_progress_on": status}
        followed = gr.State(None)
        asked, shown = [source, found("model"), followed, model, space], [model, space, view, followed]
        enclosing_tab().select(self.on_open, asked, shown, **QUICK)
        model.input(self.on_model, model, space, **QUICK)
        source.change(self.on_source, source, [*self.own, view], **QUICK)
        begun = view.run(self.on_run, [source, *form.components], view, **COMPUTE, **progress)
        measuring = view.measure(self.on_measure, outputs=view, **COMPUTE, **progress)
        view.stop(self.on_stop, **QUICK)
        view.cancel(self.on_stop, cancels=[begun, measuring], **QUICK)
        exported = view.export(self.on_export, outputs=[self.download, view], **COMPUTE, **progress)
        exported.success(None, js=click("surface-file"))

        def leave(request: gr.Request) -> None:
            self.drawings.drop(request.session_hash)

        self.page.demo.unload(leave)

    def taken(self, source: str, request: gr.Request) -> Standing | None:
        """The run that is asked for; None for a race of this tab's own.

        Raises:
            UserError: no run stands there, or it is still going.
        """
        if source == OWN:
            return None
        standing = self.page.sources[source](request.session_hash or "")
        if standing is None:
            raise UserError(f"There is no run in the {source} tab yet. Press Run there, or let this tab take its own steps.")
        return standing

    def shown(self, source: str, request: gr.Request) -> str:
        """The target that the next press of Run is about, or why there is none."""
        try:
            return sent(events.current(self.models, self.taken(source, request), self.page.invert.get(request.session_hash)))
        except UserError as error:
            return sent({"kind": "error", "text": str(error)})

    def on_open(
        self, request: gr.Request, source: str, inverted: str, followed: str | None, model: str, space: str | None
    ) -> list[Any]:
        """Follow the Invert tab's model where another was chosen there since this tab last did; else keep one's own."""
        now = model if inverted == followed else inverted
        try:
            return [now, self._spaces(now, space), self.shown(source, request), inverted]
        except UserError as error:
            return [gr.skip(), gr.skip(), sent({"kind": "error", "text": str(error)}), followed]

    def on_model(self, model: str) -> Any:
        return self._spaces(model, None)

    def _spaces(self, model: str, space: str | None) -> Any:
        spaces = list(self.models.get(model).mappings)
        return gr.update(choices=space_choices(spaces), value=space if space in spaces else spaces[0])

    def on_source(self, source: str, request: gr.Request) -> list[Any]:
        """A run that was taken elsewhere has its own model and steps."""
        return [*(gr.update(visible=source == OWN) for _ in self.own), self.shown(source, request)]

    def on_run(self, request: gr.Request, source: str, *values: Any) -> Iterator[str]:
        def messages() -> Iterator[Message]:
            plan, taken = events.plan_from(self.models, self.form.read(values)), self.taken(source, request)
            invert = self.page.invert.get(request.session_hash)
            return events.run(self.shared, self.drawings.begin(request.session_hash), plan, taken, invert)

        for message in with_errors(messages):
            yield sent(message)

    def on_measure(self, event: gr.EventData, request: gr.Request) -> Iterator[str]:
        drawing = self.drawings.latest(request.session_hash)
        for message in with_errors(lambda: events.measure(self.shared, drawing, event._data.get("n"))):
            yield sent(message)

    def on_stop(self, request: gr.Request) -> None:
        self.drawings.get(request.session_hash).stop()

    def on_export(self, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        drawing, data = self.drawings.latest(request.session_hash), event._data
        try:
            path = events.export(drawing, data.get("what"), data.get("log"))
        except UserError as error:
            return {self.view: sent({"kind": "error", "text": str(error)})}
        return {self.download: str(path), self.view: sent({"kind": "exported"})}


def surfaces_view(missed: Callable[[Any], list[dict[str, Any]]], elem_id: str = "surfaces") -> gr.HTML:
    """It takes the messages of `app.landscape.stream`, and emits: run, stop, cancel (while queued), measure {n} and
    export {what: "html" | "png", log}. `missed` is called with [run id, first number] for messages that were lost.
    """
    emits = ("run", "stop", "cancel", "measure", "export")
    return view("landscape/surfaces", emits, elem_id=elem_id, server_functions=[missed])
