"""The base of every tab with a run: its session, the buttons of its view, and the settings that follow each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Generic

import gradio as gr
from gradio.components import Component

from app.runs.legs import with_errors
from app.runs.models import Models
from app.runs.session import Message, V, Visitors
from app.views.form import Form, optimiser_choices, optimiser_values, settings_values, space_choices
from app.views.page import Page
from app.views.view import sent
from app.views.wiring import COMPUTE, LATEST, QUICK, click
from landscape_core.errors import UserError
from landscape_core.search.optimizers import LBFGS_ONLY, OptimizerName
from landscape_core.search.task import X


class RunTab(Generic[V]):
    """Listeners of a tab. Each finds the visitor's session, reads the form by name, and hands on to the tab's `run.py`.

    Subclasses define `start(session, values, data)` (`data` is what the view sent with Run), `resume(session, steps)` and
    `export(session)`; all three may raise a UserError. Outputs of an event are given by component; the others stay.
    """

    name: str
    view: gr.HTML
    form: Form

    def __init__(self, page: Page, models: Models, sessions: Visitors[V]) -> None:
        self.page, self.models, self.sessions = page, models, sessions

    def session(self, request: gr.Request) -> V:
        return self.sessions.get(request.session_hash)

    def start(self, session: V, values: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Message]:
        """Begin a run with the form's values."""
        raise NotImplementedError

    def resume(self, session: V, steps: Any) -> Iterator[Message]:
        """Go on with the run that stands."""
        raise NotImplementedError

    def export(self, session: V) -> Path:
        """Write the run that stands to a file."""
        raise NotImplementedError

    # --- the run --------------------------------------------------------------------------------------------

    def wire_run(self, status: gr.HTML, download: gr.DownloadButton, *, after: Callable[[Any], None] = lambda _: None) -> None:
        """Listen to the view's buttons; `status` shows the queue, `after` is called with every event that took steps."""
        view, progress = self.view, {"show_progress": "full", "show_progress_on": status}
        self.download = download
        begun = view.run(self.on_run, self.form.components, view, **COMPUTE, **progress)
        further = view.more(self.on_more, outputs=view, **COMPUTE, **progress)
        after(begun)
        after(further)
        view.stop(self.on_stop, **QUICK)
        view.cancel(self.on_stop, cancels=[begun, further], **QUICK)
        exported = view.export(self.on_export, outputs=[download, view], **COMPUTE, **progress)
        exported.success(None, js=click(download.elem_id))

        def leave(request: gr.Request) -> None:
            self.sessions.drop(request.session_hash)

        self.page.demo.unload(leave)

    def wire_landscape(self) -> None:
        """The view's Landscape button opens that tab on this one's run."""
        page = self.page
        self.view.landscape(lambda: page.landscape_of(self.name), outputs=[page.tabs, page.source], **QUICK)

    def on_run(self, event: gr.EventData, request: gr.Request, *values: Any) -> Iterator[str]:
        session, data = self.session(request), event._data or {}
        for message in with_errors(lambda: self.start(session, self.form.read(values), data)):
            yield sent(message)

    def on_more(self, event: gr.EventData, request: gr.Request) -> Iterator[str]:
        session = self.session(request)
        for message in with_errors(lambda: self.resume(session, event._data.get("steps"))):
            yield sent(message)

    def on_stop(self, request: gr.Request) -> None:
        self.session(request).stop()

    def on_export(self, request: gr.Request) -> dict[Any, Any]:
        try:
            return {self.download: str(self.export(self.session(request))), self.view: sent({"kind": "exported"})}
        except UserError as error:
            return {self.view: sent({"kind": "error", "text": str(error)})}

    # --- the settings ---------------------------------------------------------------------------------------

    def wire_settings(self, model: str = "model") -> None:
        """Each space comes with the optimiser that did best in it on training data, each optimiser with its usual rate."""
        form = self.form

        def on_space(model: str, space: str) -> dict[Any, Any]:
            task = self.models.get(model)
            return form.filled(optimiser_values("z", task, space, task.advice(space)))

        def on_optimiser(lane: str, model: str, name: OptimizerName) -> dict[Any, Any]:
            return form.filled(settings_values(lane, self.models.get(model).advice(X, name)))

        def settings(lane: str) -> list[Component]:
            return [form[f"{lane}_{name}"] for name in ("lr", *LBFGS_ONLY)]

        form["space"].input(on_space, [form[model], form["space"]], [form["z"], *settings("z")], **LATEST)
        for lane in ("x", "z"):
            form[lane].input(partial(on_optimiser, lane), [form[model], form[lane]], settings(lane), **LATEST)

    def filled(self, values: Mapping[str, Any], model: str = "model") -> dict[Any, Any]:
        """The form's values, with the spaces that the chosen model has."""
        task, space = self.models.get(values[model]), values["space"]
        able = {lane: optimiser_choices(task.optimizers(where)) for lane, where in (("x", X), ("z", space))}
        lanes = {lane: gr.update(choices=choices, value=values[lane]) for lane, choices in able.items()}
        spaces = space_choices(list(task.mappings))
        return self.form.filled({**values, **lanes, "space": gr.update(choices=spaces, value=space)})
