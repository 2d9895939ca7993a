"""The Landscape tab: the loss around a race's two paths, as surfaces one can turn. Layout and wiring only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from app.landscape import run as events
from app.landscape.run import OWN, Drawing
from app.runs.latest import Latest
from app.runs.models import Models, label
from app.runs.session import Sessions
from app.runs.standing import Standing, StandingSource
from app.views.form import space_choices
from app.views.link import LandscapeLink
from app.views.view import sent, view
from app.views.wiring import COMPUTE, QUICK, click, found, missed
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


@dataclass(frozen=True)
class LandscapeForm:
    """The settings; `fields` in the order of `landscape_events.plan_from`, `own` those of a race of this tab's own."""

    fields: list[Component]
    own: list[Component]


def build_landscape(
    demo: gr.Blocks, tab: gr.Tab, models: Models, invert: Sessions, link: LandscapeLink, sources: Mapping[str, StandingSource]
) -> None:
    """Lay the tab out inside the current container and wire it. Its own races are on the targets of `invert`; `sources`
    are the other tabs' runs by their names, which `link` opens."""
    drawings = Latest(Drawing)
    with gr.Row(elem_classes="invert landscape"):
        with gr.Column(elem_classes="card settings-card"):
            gr.HTML("<h2>Surface</h2>")
            form = _build_form(models, link.source)
        with gr.Column(elem_classes="card race-card"):
            view = surfaces_view(missed(drawings))
            status = gr.HTML(elem_id="landscape-status")
            download = gr.DownloadButton("download", elem_id="surface-file")
    made = LandscapeTab(models, drawings, invert, sources, form, link.source, view)
    made.wire(demo, tab, status, download)


def _build_form(models: Models, source: gr.Dropdown) -> LandscapeForm:
    with gr.Group(elem_classes="fields"):
        source.render()
        choices = [(label(name), name) for name in models.names]
        first = models.names[0] if models.names else None
        model = gr.Dropdown(choices, value=first, label="Model", visible=len(choices) > 1, elem_id="landscape-model")
        space = gr.Dropdown([], label="Space Z", elem_id="landscape-space")
        plane = gr.Dropdown(PLANES, value="recovered", label="Plane", info=_PLANE, elem_id="plane")
        size = gr.Radio([(f"{n} × {n}", n) for n in events.SIZES], value=41, label="Grid", info=_SIZE, elem_classes="segmented")
        steps = gr.Slider(events.MIN_STEPS, events.MAX_STEPS, 20, step=1, label="Steps", elem_id="landscape-steps", buttons=[])
        seed = gr.Number(0, label="Seed of random directions", precision=0, minimum=0, elem_id="landscape-seed")
    own = [model, space, steps] if len(choices) > 1 else [space, steps]
    return LandscapeForm([model, space, plane, size, steps, seed], own)


def source_field(names: Sequence[str]) -> gr.Dropdown:
    """Whose steps are drawn, of the tabs of these names; made before they are, for they open this one, and rendered in it."""
    choices = [("A race of its own", OWN), *((f"The run in {name}", name) for name in names)]
    return gr.Dropdown(choices, value=OWN, label="Steps of", info=_SOURCE, elem_id="source", render=False)


class LandscapeTab:
    """Listeners of the tab. Each finds what stands for the visitor and hands on to `landscape_events`."""

    def __init__(
        self, models: Models, drawings: Latest[Drawing], invert: Sessions, sources: Mapping[str, StandingSource],
        form: LandscapeForm, source: gr.Dropdown, view: gr.HTML,
    ) -> None:  # fmt: skip
        self.lab = events.Laboratory(models)
        self.models, self.drawings, self.invert, self.sources = models, drawings, invert, sources
        self.form, self.source, self.view = form, source, view

    def wire(self, demo: gr.Blocks, tab: gr.Tab, status: gr.HTML, download: gr.DownloadButton) -> None:
        view, source, (model, space) = self.view, self.source, self.form.fields[:2]
        progress = {"show_progress": "full", "show_progress_on": status}
        followed = gr.State(None)
        asked, shown = [source, found("model"), followed, model, space], [model, space, view, followed]
        tab.select(self.on_open, asked, shown, **QUICK)
        model.input(self.on_model, model, space, **QUICK)
        source.change(self.on_source, source, [*self.form.own, view], **QUICK)
        begun = view.run(self.on_run, [source, *self.form.fields], view, **COMPUTE, **progress)
        measuring = view.measure(self.on_measure, outputs=view, **COMPUTE, **progress)
        view.stop(self.on_stop, **QUICK)
        view.cancel(self.on_stop, cancels=[begun, measuring], **QUICK)
        view.export(self.on_export, outputs=[download, view], **COMPUTE, **progress).success(None, js=click("surface-file"))

        def leave(request: gr.Request) -> None:
            self.drawings.drop(request.session_hash)

        demo.unload(leave)

    def taken(self, source: str, request: gr.Request) -> Standing | None:
        """The run that is asked for; None for a race of this tab's own.

        Raises:
            UserError: no run stands there, or it is still going.
        """
        if source == OWN:
            return None
        standing = self.sources[source](request.session_hash or "")
        if standing is None:
            raise UserError(f"There is no run in the {source} tab yet. Press Run there, or let this tab take its own steps.")
        return standing

    def shown(self, source: str, request: gr.Request) -> str:
        """The target that the next press of Run is about, or why there is none."""
        try:
            return sent(events.current(self.models, self.taken(source, request), self.invert.get(request.session_hash)))
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
        return [*(gr.update(visible=source == OWN) for _ in self.form.own), self.shown(source, request)]

    def on_run(self, request: gr.Request, source: str, *values: Any) -> Iterator[str]:
        other = self.invert.get(request.session_hash)
        try:
            plan, taken = events.plan_from(self.models, list(values)), self.taken(source, request)
            for message in events.run(self.lab, self.drawings.begin(request.session_hash), plan, taken, other):
                yield sent(message)
        except UserError as error:
            yield sent({"kind": "error", "text": str(error)})

    def on_measure(self, event: gr.EventData, request: gr.Request) -> Iterator[str]:
        try:
            for message in events.measure(self.lab, self.drawings.get(request.session_hash), event._data.get("n")):
                yield sent(message)
        except UserError as error:
            yield sent({"kind": "error", "text": str(error)})

    def on_stop(self, request: gr.Request) -> None:
        self.drawings.stop(request.session_hash)

    def on_export(self, event: gr.EventData, request: gr.Request) -> list[Any]:
        try:
            path = events.export(self.drawings.get(request.session_hash), event._data.get("what"), event._data.get("log"))
            return [str(path), sent({"kind": "exported"})]
        except UserError as error:
            return [gr.skip(), sent({"kind": "error", "text": str(error)})]


def surfaces_view(missed: Callable[[Any], list[dict[str, Any]]], elem_id: str = "surfaces") -> gr.HTML:
    """It takes the messages of `app.landscape.stream`, and emits: run, stop, cancel (while queued), measure {n} and
    export {what: "html" | "png", log}. `missed` is called with [run id, first number] for messages that were lost.
    """
    return view("landscape/surfaces", ("run", "stop", "cancel", "measure", "export"), elem_id=elem_id, server_functions=[missed])
