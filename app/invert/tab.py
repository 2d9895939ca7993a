"""The Invert tab: one target, inverted in X and in a learned Z side by side. Layout and wiring only."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
from gradio.components import Component

from app.invert import run as events
from app.runs.legs import Message
from app.runs.models import Models, defaults, for_model
from app.runs.session import Session, Sessions
from app.runs.settings import values_of
from app.runs.standing import StandingSource, standing_of
from app.target.chooser import TargetChooser, TargetPanel, build_target
from app.target.targets import target_message
from app.views.form import Form, build_form, note_view, optimiser_values, space_choices
from app.views.link import LandscapeLink
from app.views.view import sent, view
from app.views.wiring import COMPUTE, LATEST, QUICK, click, missed
from landscape_core.errors import UserError
from landscape_core.search.optimizers import OptimizerName
from landscape_core.search.race import RunSettings
from landscape_core.search.task import X

NAME = "Invert"


def build_invert(demo: gr.Blocks, models: Models, sessions: Sessions, link: LandscapeLink) -> StandingSource:
    """Lay the tab out inside the current container and wire it; returns where the Landscape tab finds its runs."""
    with gr.Row(elem_classes="invert"):
        with gr.Column(elem_classes="card target-card"):
            panel = build_target(models.names)
        with gr.Column(elem_classes="card race-card"):
            view = race_view(missed(sessions))
            status = gr.HTML(elem_id="queue-status")
            download = gr.DownloadButton("download", elem_id="export-file")
        with gr.Column(elem_classes="card settings-card"):
            gr.HTML("<h2>Search</h2>")
            form = build_form(panel.model)
            note = note_view("settings-note")
    tab = InvertTab(models, sessions, panel, form, view, note)
    tab.wire_form(demo)
    tab.wire_run(status, download)
    view.landscape(lambda: link.opened(NAME), outputs=link.outputs, **QUICK)
    return lambda key: standing_of(sessions.get(key).run)


class InvertTab:
    """Listeners of the tab. Each finds the visitor's session and hands on to `invert_events`."""

    def __init__(
        self, models: Models, sessions: Sessions, panel: TargetPanel, form: Form, view: gr.HTML, note: gr.HTML
    ) -> None:
        self.models, self.sessions = models, sessions
        self.form, self.view, self.note = form, view, note
        self.target_outputs: list[Component] = [view, panel.message, note]
        self.chooser = TargetChooser(models, sessions, panel, form.fields, self.target_outputs, self.shown)
        self.chooser.wire()

    def session(self, request: gr.Request) -> Session:
        return self.sessions.get(request.session_hash)

    def shown(self, session: Session, message: Message | None, sentence: str, values: tuple[Any, ...]) -> list[Any]:
        """A new target as values for `target_outputs`."""
        said = f"<p>{html.escape(sentence)}</p>" if sentence else ""
        return [sent(message) if message else gr.skip(), said, sent(events.note(self.models, session, list(values)))]

    def fill(self, chosen: RunSettings) -> list[Any]:
        """The form's values, with the spaces that the chosen model has."""
        values = values_of(chosen)
        task = self.models.get(chosen.task)
        values[1] = gr.update(choices=space_choices(list(task.mappings)), value=chosen.space)
        values[5:9] = optimiser_values(task, X, chosen.lanes[0].optimizer)
        values[9:13] = optimiser_values(task, chosen.space, chosen.lanes[1].optimizer)
        return values

    # --- the settings ---------------------------------------------------------------------------------------

    def wire_form(self, demo: gr.Blocks) -> None:
        form, everything = self.form, [*self.form.fields, *self.target_outputs]
        demo.load(self.on_load, outputs=[*form.fields, *self.chooser.panel_outputs, *self.target_outputs], **QUICK)
        for component in form.fields[1:]:
            component.input(self.on_settings, form.fields, self.note, **LATEST)
        model, space, x, z = *form.fields[:2], form.fields[5:9], form.fields[9:13]
        space.input(self.on_space, form.fields[:2], z, **LATEST)
        for name, *settings in (x, z):
            name.input(self.on_optimiser, [model, name], settings, **LATEST)
        model.input(self.on_model, form.fields, everything, **LATEST)
        form.reset.click(self.on_reset, model, [*form.fields, self.note], **QUICK)
        form.card.upload(self.on_card, form.card, everything, **COMPUTE)
        self.view.restore(self.on_restore, outputs=everything, **QUICK)

    def on_load(self, request: gr.Request) -> list[Any]:
        session = self.session(request)
        try:
            chosen, notes = events.open_page(self.models, session, dict(request.query_params))
        except UserError as error:
            nothing = [gr.skip()] * (len(self.form.fields) + len(self.chooser.panel_outputs))
            return [*nothing, sent({"kind": "error", "text": str(error)}), "", None]
        assert session.target is not None
        note = sent({"text": " ".join(notes), "level": "error" if notes else "plain", "query": None})
        shown = sent(target_message(session.target))
        return [*self.fill(chosen), *self.chooser.panel_values(session.target), shown, "", note]

    def on_settings(self, request: gr.Request, *values: Any) -> str:
        return sent(events.note(self.models, self.session(request), list(values)))

    def on_model(self, request: gr.Request, *values: Any) -> list[Any]:
        """Another model comes with its own spaces and optimisers; the target stays."""
        try:
            chosen = for_model(self.models, list(values))
        except UserError as error:
            return self._refused(error)
        return [*self.fill(chosen), *self.chooser.kept(self.session(request), tuple(values_of(chosen)))]

    def _refused(self, error: UserError) -> list[Any]:
        """Nothing changes but the note."""
        skipped = [gr.skip()] * (len(self.form.fields) + len(self.target_outputs) - 1)
        return [*skipped, sent({"text": str(error), "level": "error", "query": None})]

    def on_space(self, model: str, space: str) -> list[Any]:
        """Each space comes with the optimiser that did best in it on training data."""
        task = self.models.get(model)
        return optimiser_values(task, space, task.advice(space))

    def on_optimiser(self, model: str, name: OptimizerName) -> list[float]:
        chosen = self.models.get(model).advice(X, name)
        return [chosen.lr, chosen.first_move, chosen.history]

    def on_reset(self, model: str, request: gr.Request) -> list[Any]:
        chosen = defaults(self.models, model)
        return [*self.fill(chosen), sent(events.note(self.models, self.session(request), values_of(chosen)))]

    def on_card(self, data: bytes, request: gr.Request) -> list[Any]:
        session = self.session(request)
        try:
            chosen, shown, sentence = events.load_card(self.models, session, data)
        except UserError as error:
            return self._refused(error)
        return [*self.fill(chosen), sent(shown), "", sent({"text": sentence, "level": "plain", "query": None})]

    def on_restore(self, event: gr.EventData, request: gr.Request) -> list[Any]:
        session = self.session(request)
        try:
            chosen, shown = events.restore(session, event._data.get("run"))
        except UserError as error:
            return self._refused(error)
        return [*self.fill(chosen), sent(shown), "", sent(events.note(self.models, session, values_of(chosen)))]

    # --- the run --------------------------------------------------------------------------------------------

    def wire_run(self, status: gr.HTML, download: gr.DownloadButton) -> None:
        view, progress = self.view, {"show_progress": "full", "show_progress_on": status}
        begun = view.run(self.on_run, self.form.fields, view, **COMPUTE, **progress)
        further = view.more(self.on_more, outputs=view, **COMPUTE, **progress)
        for event in (begun, further):
            event.then(self.on_settings, self.form.fields, self.note, **QUICK)
        view.stop(self.on_stop, **QUICK)
        view.cancel(self.on_stop, cancels=[begun, further], **QUICK)
        view.export(self.on_export, outputs=[download, self.view], **COMPUTE, **progress).success(None, js=click("export-file"))

    def on_run(self, request: gr.Request, *values: Any) -> Iterator[str]:
        for message in events.run(self.models, self.session(request), list(values)):
            yield sent(message)

    def on_more(self, event: gr.EventData, request: gr.Request) -> Iterator[str]:
        for message in events.more(self.session(request), event._data.get("steps")):
            yield sent(message)

    def on_stop(self, request: gr.Request) -> None:
        self.session(request).stop()

    def on_export(self, request: gr.Request) -> list[Any]:
        try:
            return [str(events.export(self.session(request))), sent({"kind": "exported"})]
        except UserError as error:
            return [gr.skip(), sent({"kind": "error", "text": str(error)})]


def race_view(missed: Callable[[Any], list[dict[str, Any]]], elem_id: str = "race") -> gr.HTML:
    """It takes the messages of `app.invert.stream`, keeps every run in the browser, and emits: run, stop, cancel (while
    queued), more {steps}, export, landscape, restore {run}. `missed` is called with [run id, first number] for messages
    that were lost.
    """
    return view(
        "race", ("run", "stop", "cancel", "more", "export", "landscape", "restore"), elem_id=elem_id, server_functions=[missed]
    )
