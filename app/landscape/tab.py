"""The Landscape tab: the loss around a race's two paths, as surfaces one can turn. Layout and wiring only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from app.landscape import averaging, files
from app.landscape import run as events
from app.landscape.drawing import Drawing, Resources
from app.landscape.form import build_form, columns_update, planes_update, spaces_update
from app.landscape.plan import OWN, from_query, note, own_columns, plan_from
from app.runs.jobs import Jobs
from app.runs.legs import with_errors
from app.runs.session import Message
from app.runs.settings import defaults
from app.runs.standing import Standing
from app.scratch import exported
from app.views.form import Form, note_of, note_view, told
from app.views.page import Page
from app.views.view import sent, view
from app.views.wiring import (
    COMPUTE,
    EXPORT,
    LATEST,
    QUICK,
    data_of,
    enclosing_tab,
    found,
    missed,
    offer,
    press,
    unseen_download,
)
from landscape_core.errors import UserError

NAME = "Landscape"
ADDRESS = "address"  # what is followed once an address has chosen the model


def build(page: Page) -> None:
    """Lay the tab out inside the current container and wire it. Its own races are on the Invert tab's targets; the runs of
    other tabs are the page's sources."""
    drawings = Jobs(Drawing)
    with gr.Row(elem_classes="invert landscape"):
        with gr.Column(elem_classes="card settings-card"):
            gr.HTML("<h2>Surface</h2>")
            form = build_form(page.models, page.source)
            said = note_view("landscape-note")
        with gr.Column(elem_classes="card race-card"):
            view = surfaces_view(missed(drawings))
            status = gr.HTML(elem_id="landscape-status")
            download = unseen_download("surface-file")
    LandscapeTab(page, drawings, form, view, download, said).wire(status)


class LandscapeTab:
    """Listeners of the tab. Each finds what stands for the visitor and hands on to the tab's `run.py`. Outputs of an event are
    given by component; the others stay."""

    def __init__(
        self, page: Page, drawings: Jobs[Drawing], form: Form, view: gr.HTML, download: gr.DownloadButton, said: gr.HTML
    ) -> None:
        self.shared = Resources(page.models)
        self.page, self.models, self.drawings = page, page.models, drawings
        self.form, self.view, self.download, self.note = form, view, download, said
        self.followed = gr.State(None)  # the Invert tab's model when it last was followed, or ADDRESS
        self.chosen = gr.State(False)  # whether the visitor has said whose steps are drawn
        self.planed = gr.State(False)  # and on which plane

    @property
    def own(self) -> list[Component]:
        """The settings of a race of this tab's own."""
        names = ["model", "space", "steps"] if len(self.models.names) > 1 else ["space", "steps"]
        return [self.form[name] for name in names]

    def wire(self, status: gr.HTML) -> None:
        view, form, source = self.view, self.form, self.page.source
        model, space, column, plane = form["model"], form["space"], form["column"], form["plane"]
        progress = {"show_progress": "full", "show_progress_on": status}
        shown = [view, column, plane, *self.own]
        drawn = [column, plane, self.planed]
        asked = [source, self.chosen, found("model"), self.followed, model, space, *drawn]
        telling: dict[str, Any] = {"fn": self.on_settings, "inputs": [source, *form.components], "outputs": self.note}
        self.page.opens(NAME, self.on_address, [source, self.chosen, self.planed, self.followed, *form.components, self.note])
        entered = enclosing_tab().select(self.on_open, asked, [*shown, model, space, source, self.followed], **QUICK)
        entered.then(**telling, **QUICK)
        gr.on([source.input, *form.changed_but()], **telling, **LATEST)
        model.input(self.on_model, [model, *drawn], [space, plane, view], **QUICK)
        space.input(self.on_space, [model, space, plane, self.planed], plane, **QUICK)
        source.input(lambda: True, outputs=self.chosen, **QUICK)
        source.change(self.shown, [source, model, space, *drawn], shown, **QUICK)
        plane.input(lambda: True, outputs=self.planed, **QUICK)
        plane.change(self.on_plane, plane, [form["at_step"], form["seed"], form["size"]], **QUICK)
        begun = view.run(self.on_run, [source, *form.components], view, **COMPUTE, **progress)
        for name, component in form.items():
            component.input(partial(self.on_changed, name), [source, *form.components], view, **LATEST)
        measuring = view.measure(self.on_measure, outputs=view, **COMPUTE, **progress)
        view.stop(self.on_stop, **QUICK)
        view.cancel(self.on_stop, cancels=[begun, measuring], **QUICK)
        made = view.export(self.on_export, outputs=[self.download, view], **EXPORT, **progress)
        made.success(None, js=press(self.download))

        def leave(request: gr.Request) -> None:
            self.drawings.drop(request.session_hash)

        self.page.demo.unload(leave)

    def on_address(self, request: gr.Request, query: dict[str, str]) -> dict[Any, Any]:
        if not query:
            return {self.note: gr.skip()}  # the form is as it was laid out
        source = query.get("source", OWN)
        source = source if source in self.page.sources else OWN
        try:
            values, notes = from_query(self.models, query)
            spaces = spaces_update(self.models.get(values["model"]), values["space"])
        except UserError as error:
            return {self.note: note_of(str(error), error=True)}
        target = self.page.invert.get(request.session_hash).target
        said = told(note(self.models, source, values, target), notes)
        columns = own_columns(defaults(self.models, values["model"])) if source == OWN else [values["column"]]
        column = columns_update(columns, values["column"])
        form = {**self.form.filled(values), self.form["space"]: spaces, self.form["column"]: column, self.note: said}
        said_of = {self.chosen: "source" in query, self.planed: "plane" in query}
        return {**form, **said_of, self.page.source: source, self.followed: ADDRESS}

    def on_settings(self, request: gr.Request, source: str, *values: Any) -> str:
        target = self.page.invert.get(request.session_hash).target
        return sent(note(self.models, source, self.form.read(values), target))

    def taken(self, source: str, request: gr.Request) -> Standing | None:
        """The run that is asked for; None for a race of this tab's own.

        Raises:
            UserError: no run stands there, or it is still going.
        """
        if source == OWN:
            return None
        standing = self.page.sources[source](request.session_hash or "") if source in self.page.sources else None
        if standing is None:
            raise UserError(f"There is no run in the {source} tab yet. Press Run there, or let this tab take its own steps.")
        return standing

    def shown(
        self, source: str, model: str, space: str | None, column: str | None, plane: str, planed: bool, request: gr.Request
    ) -> dict[Any, Any]:
        """What the next press of Run is about: its target, lanes and planes; or why there is nothing. A run that was taken
        elsewhere has its own model and steps."""
        own = {each: gr.update(visible=source == OWN) for each in self.own}
        try:
            taken = self.taken(source, request)
            about = events.current(self.shared, model, taken, self.page.invert.get(request.session_hash))
        except UserError as error:
            return {**own, self.view: sent({"kind": "nothing", "text": str(error)})}
        columns = own_columns(defaults(self.models, model)) if taken is None else [*taken.columns]
        task = self.models.get(model) if taken is None else taken.task
        space = taken.space if taken is not None else space or next(iter(task.mappings))
        planes = planes_update(task, space, plane, planed=planed)
        lanes = columns_update(columns, column)
        return {**own, self.form["plane"]: planes, self.form["column"]: lanes, self.view: sent(about)}

    def on_open(
        self, request: gr.Request, source: str, chosen: bool, inverted: str, followed: str | None, model: str,
        space: str | None, column: str | None, plane: str, planed: bool,
    ) -> dict[Any, Any]:  # fmt: skip
        """Draw the run at hand, unless somebody said otherwise. A race of this tab's own follows the Invert tab's model where
        another was chosen there since this tab last did, or since an address chose this tab's."""
        now = model if followed in (inverted, ADDRESS) else inverted
        try:
            spaces = spaces_update(self.models.get(now), space)
            source = source if chosen or source != OWN else self._at_hand(request)
            about = self.shown(source, now, spaces["value"], column, plane, planed, request)
        except UserError as error:
            return {self.view: sent({"kind": "error", "text": str(error)})}
        visible = gr.update(visible=source == OWN and len(self.models.names) > 1, value=now)
        more = {self.form["model"]: visible, self.form["space"]: {**spaces, "visible": source == OWN}}
        return {**about, **more, self.page.source: source, self.followed: inverted}

    def _at_hand(self, request: gr.Request) -> str:
        """The tab whose run stands, the Invert tab first; this tab's own race where none does."""
        for name, standing in self.page.sources.items():
            try:
                if standing(request.session_hash or "") is not None:
                    return name
            except UserError:  # it is still going, or no column can be compared: it cannot be drawn now
                continue
        return OWN

    def on_space(self, model: str, space: str, plane: str, planed: bool) -> dict[str, Any]:
        return planes_update(self.models.get(model), space, plane, planed=planed)

    def on_model(self, model: str, column: str | None, plane: str, planed: bool, request: gr.Request) -> dict[Any, Any]:
        spaces = spaces_update(self.models.get(model), None)
        about = self.shown(OWN, model, spaces["value"], column, plane, planed, request)
        kept = {key: value for key, value in about.items() if key in (self.view, self.form["plane"])}
        return {**kept, self.form["space"]: spaces}

    def on_plane(self, plane: str) -> list[Any]:
        """Only what bears on a plane is asked for."""
        return [gr.update(visible=plane == "hessian"), gr.update(visible=plane == "random"), gr.update(visible=plane != "cut")]

    def on_changed(self, changed: str, source: str, *values: Any) -> str:
        """What stands may be of other settings now."""
        try:
            plan = plan_from(self.models, self.form.read(values))
        except UserError as error:
            return sent({"kind": "asked", "text": str(error)})
        return sent(events.asked(plan, source, own=source == OWN, changed=changed))

    def on_run(self, request: gr.Request, source: str, *values: Any) -> Iterator[str]:
        def messages() -> Iterator[Message]:
            plan, taken = plan_from(self.models, self.form.read(values)), self.taken(source, request)
            invert = self.page.invert.get(request.session_hash)
            return events.run(self.shared, self.drawings.begin(request.session_hash), plan, source, taken, invert)

        for message in with_errors(messages):
            yield sent(message)

    def on_measure(self, event: gr.EventData, request: gr.Request) -> Iterator[str]:
        drawing = self.drawings.latest(request.session_hash)
        for message in with_errors(lambda: averaging.measure(self.shared, drawing, data_of(event).get("n"))):
            yield sent(message)

    def on_stop(self, request: gr.Request) -> None:
        self.drawings.get(request.session_hash).stop()

    def on_export(self, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        drawing, data = self.drawings.latest(request.session_hash), data_of(event)
        try:
            path = exported(lambda: files.export(drawing, data))
        except UserError as error:
            return {self.view: sent({"kind": "error", "text": str(error)})}
        return {self.download: offer(path), self.view: sent({"kind": "exported"})}


def surfaces_view(missed: Callable[[Any], list[dict[str, Any]]], elem_id: str = "surfaces") -> gr.HTML:
    """It takes the messages of `app.landscape.stream`, and emits: run, stop, cancel (while queued), measure {n} and
    export {what, log, shared} as `files.export` takes it. `missed` is called with [run id, first number] for messages that
    were lost.
    """
    emits = ("run", "stop", "cancel", "measure", "export")
    return view("landscape/surfaces", emits, elem_id=elem_id, server_functions=[missed])
