"""The Complete tab: paint what is hidden, and see K pictures that fit the rest, in X and in Z. Layout and wiring only."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
from gradio.components import Component

from app.complete import picks as complete_picks
from app.complete import run as complete_files
from app.complete import run as events
from app.complete import settings as complete_settings
from app.complete.form import PREFIX, build_completion_form
from app.complete.settings import Asked
from app.runs.legs import Message
from app.runs.models import Models
from app.runs.session import Session, Sessions
from app.runs.standing import StandingSource
from app.target import targets
from app.target.chooser import TargetChooser, TargetPanel, build_target
from app.views.form import Form, note_view, optimiser_values, space_choices
from app.views.link import LandscapeLink
from app.views.view import sent, view
from app.views.wiring import COMPUTE, LATEST, QUICK, click, found, missed
from landscape_core.errors import UserError
from landscape_core.search.optimizers import OptimizerName
from landscape_core.search.task import X

NAME = "Complete"


def build_complete(demo: gr.Blocks, tab: gr.Tab, models: Models, invert: Sessions, link: LandscapeLink) -> StandingSource:
    """Lay the tab out inside the current container and wire it; `invert` are the sessions of the Invert tab. Returns where
    the Landscape tab finds the completion that was picked."""
    sessions = Sessions()
    with gr.Row(elem_classes="invert complete"):
        with gr.Column(elem_classes="card target-card"):
            panel = build_target(models.names, PREFIX)
            painter = painter_view()
            said = gr.HTML(elem_id="mask-message", elem_classes="message")
        with gr.Column(elem_classes="card race-card"):
            gallery = gallery_view(missed(sessions))
            status = gr.HTML(elem_id="complete-status")
            download = gr.DownloadButton("download", elem_id="completions-file")
        with gr.Column(elem_classes="card settings-card"):
            gr.HTML("<h2>Completions</h2>")
            form = build_completion_form(panel.model)
            note = note_view("complete-note")
    made = CompleteTab(models, sessions, invert, panel, form, painter, said, note)
    made.wire_page(demo, tab, link.tabs)
    made.wire_form()
    made.wire_run(gallery, status, download)
    made.wire_picks(gallery, link)
    return lambda key: complete_picks.landscape_of(sessions.get(key))


class CompleteTab:
    """Listeners of the tab. Each finds the visitor's session and hands on to `complete_events`."""

    def __init__(
        self, models: Models, sessions: Sessions, invert: Sessions, panel: TargetPanel, form: Form, painter: gr.HTML,
        said: gr.HTML, note: gr.HTML,
    ) -> None:  # fmt: skip
        self.models, self.sessions, self.invert = models, sessions, invert
        self.panel, self.form, self.painter, self.said, self.note = panel, form, painter, said, note
        self.taken: gr.State = gr.State(None)
        self.target_outputs: list[Component] = [painter, panel.message, note]
        self.chooser = TargetChooser(models, sessions, panel, form.fields, self.target_outputs, self.shown)
        self.chooser.wire()

    def session(self, request: gr.Request) -> Session:
        return self.sessions.get(request.session_hash)

    def shown(self, session: Session, _: Message | None, sentence: str, values: tuple[Any, ...]) -> list[Any]:
        """A new target as values for `target_outputs`; the mask stays as it is painted."""
        picture = sent(events.painter_message(session)) if session.target else gr.skip()
        return [picture, _paragraph(sentence), sent(events.note(self.models, session, list(values)))]

    def fill(self, asked: Asked) -> list[Any]:
        """The form's values, with the spaces that the chosen model has."""
        values = complete_settings.values_of(asked)
        task = self.models.get(asked.settings.task)
        values[1] = gr.update(choices=space_choices(list(task.mappings)), value=asked.settings.space)
        values[5:9] = optimiser_values(task, X, asked.settings.lanes[0].optimizer)
        values[9:13] = optimiser_values(task, asked.settings.space, asked.settings.lanes[1].optimizer)
        return values

    # --- the page -------------------------------------------------------------------------------------------

    def wire_page(self, demo: gr.Blocks, tab: gr.Tab, tabs: gr.Tabs) -> None:
        demo.load(self.on_load, outputs=[tabs, *self.form.fields, self.note], **QUICK)
        takes = [*self.form.fields, *self.chooser.panel_outputs, *self.target_outputs, self.taken]
        tab.select(self.on_open, [found("model"), self.taken, *self.form.fields], takes, **QUICK)
        self.painter.paint(self.on_paint, self.form.fields, [self.said, self.note], **LATEST)

        def leave(request: gr.Request) -> None:
            self.sessions.drop(request.session_hash)

        demo.unload(leave)

    def on_load(self, request: gr.Request) -> list[Any]:
        query = dict(request.query_params)
        try:
            asked, notes = events.open_page(self.models, self.session(request), query)
        except UserError as error:
            return [gr.skip(), *[gr.skip() for _ in self.form.fields], _error(str(error))]
        opened = gr.Tabs(selected="complete") if query.get("tab") == "complete" else gr.skip()
        return [opened, *self.fill(asked), _error(" ".join(notes)) if notes else gr.skip()]

    def on_open(self, request: gr.Request, model: str, taken: str | None, *values: Any) -> list[Any]:
        """Take over the Invert tab's target and model where the target was changed since this tab last did."""
        session, other = self.session(request), self.invert.get(request.session_hash).target
        mark, form = str(id(other.picture)) if other else None, [gr.skip() for _ in values]
        try:
            if other is not None and (mark != taken or session.target is None):
                session.target = other
                if model != values[0]:
                    form = self.fill(complete_settings.for_model(self.models, [model, *values[1:]]))
            elif session.target is None:
                session.target = targets.drawn(self.models.get(values[0]), targets.FIRST_DRAWN)
        except UserError as error:
            nothing = [gr.skip()] * (len(values) + len(self.chooser.panel_outputs) + 1)
            return [*nothing, _paragraph(str(error)), gr.skip(), taken]
        picture = sent(events.painter_message(session))
        panel = self.chooser.panel_values(session.target) if mark != taken else [gr.skip() for _ in self.chooser.panel_outputs]
        return [*form, *panel, picture, "", gr.skip(), mark]

    def on_paint(self, request: gr.Request, event: gr.EventData, *values: Any) -> list[Any]:
        session = self.session(request)
        sentence = events.paint(session, event._data.get("mask"))
        return [_paragraph(sentence), sent(events.note(self.models, session, list(values)))]

    # --- the settings ---------------------------------------------------------------------------------------

    def wire_form(self) -> None:
        form = self.form
        for component in form.fields[1:]:
            component.input(self.on_settings, form.fields, self.note, **LATEST)
        model, space, x, z = *form.fields[:2], form.fields[5:9], form.fields[9:13]
        space.input(self.on_space, form.fields[:2], z, **LATEST)
        for name, *settings in (x, z):
            name.input(self.on_optimiser, [model, name], settings, **LATEST)
        model.input(self.on_model, form.fields, [*form.fields, *self.target_outputs], **LATEST)
        form.reset.click(self.on_reset, model, [*form.fields, self.note], **QUICK)
        form.card.upload(self.on_card, form.card, [*form.fields, *self.target_outputs], **COMPUTE)

    def on_settings(self, request: gr.Request, *values: Any) -> str:
        return sent(events.note(self.models, self.session(request), list(values)))

    def on_space(self, model: str, space: str) -> list[Any]:
        """Each space comes with the optimiser that did best in it on training data."""
        task = self.models.get(model)
        return optimiser_values(task, space, task.advice(space))

    def on_optimiser(self, model: str, name: OptimizerName) -> list[float]:
        chosen = self.models.get(model).advice(X, name)
        return [chosen.lr, chosen.first_move, chosen.history]

    def on_model(self, request: gr.Request, *values: Any) -> list[Any]:
        """Another model comes with its own spaces and optimisers; the target stays."""
        try:
            asked = complete_settings.for_model(self.models, values)
        except UserError as error:
            return self._refused(error)
        return [*self.fill(asked), *self.chooser.kept(self.session(request), tuple(complete_settings.values_of(asked)))]

    def on_reset(self, model: str, request: gr.Request) -> list[Any]:
        asked = complete_settings.defaults(self.models, model)
        values = complete_settings.values_of(asked)
        return [*self.fill(asked), sent(events.note(self.models, self.session(request), values))]

    def on_card(self, data: bytes, request: gr.Request) -> list[Any]:
        session = self.session(request)
        try:
            asked, sentence = complete_files.load_card(self.models, session, data)
        except UserError as error:
            return self._refused(error)
        assert session.target is not None
        said = sent({"text": sentence, "level": "plain", "query": None})
        return [*self.fill(asked), sent(events.painter_message(session)), "", said]

    def _refused(self, error: UserError) -> list[Any]:
        """Nothing changes but the note."""
        skipped = [gr.skip()] * (len(self.form.fields) + len(self.target_outputs) - 1)
        return [*skipped, _error(str(error))]

    # --- the run --------------------------------------------------------------------------------------------

    def wire_run(self, gallery: gr.HTML, status: gr.HTML, download: gr.DownloadButton) -> None:
        progress = {"show_progress": "full", "show_progress_on": status}
        begun = gallery.run(self.on_run, self.form.fields, gallery, **COMPUTE, **progress)
        further = gallery.more(self.on_more, outputs=gallery, **COMPUTE, **progress)
        gallery.stop(self.on_stop, **QUICK)
        gallery.cancel(self.on_stop, cancels=[begun, further], **QUICK)
        exported = gallery.export(self.on_export, outputs=[download, gallery], **COMPUTE, **progress)
        exported.success(None, js=click("completions-file"))

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
            return [str(complete_files.export(self.session(request))), sent({"kind": "exported"})]
        except UserError as error:
            return [gr.skip(), sent({"kind": "error", "text": str(error)})]

    # --- sending one on -------------------------------------------------------------------------------------

    def wire_picks(self, gallery: gr.HTML, link: LandscapeLink) -> None:
        race = found("race")
        gallery.send(self.on_send, outputs=[race, link.tabs, self.panel.message], **QUICK)

        def on_landscape(event: gr.EventData, request: gr.Request) -> list[Any]:
            try:
                complete_picks.pick(self.session(request), event._data.get("index"))
            except UserError as error:
                return [gr.skip(), gr.skip(), _paragraph(str(error))]
            return [*link.opened(NAME), ""]

        gallery.landscape(on_landscape, outputs=[*link.outputs, self.panel.message], **QUICK)

    def on_send(self, event: gr.EventData, request: gr.Request) -> list[Any]:
        other = self.invert.get(request.session_hash)
        shown, sentence = complete_picks.send_on(self.session(request), other, dict(event._data))
        if shown is None:
            return [gr.skip(), gr.skip(), _paragraph(sentence)]
        return [sent(shown), gr.Tabs(selected="invert"), ""]


def _paragraph(sentence: str) -> str:
    return f"<p>{html.escape(sentence)}</p>" if sentence else ""


def _error(text: str) -> str:
    return sent({"text": text, "level": "error", "query": None})


def gallery_view(missed: Callable[[list[Any]], list[dict[str, Any]]], elem_id: str = "gallery") -> gr.HTML:
    """It takes the messages of `app.complete.stream` and emits: run, stop, cancel (while queued), more {steps}, export,
    send {lane, index, step, pasted} and landscape {index}. `missed` is called with [run id, first number] for messages
    that were lost.
    """
    return view(
        "gallery", ("run", "stop", "cancel", "more", "export", "send", "landscape"), elem_id=elem_id, server_functions=[missed]
    )


def painter_view(elem_id: str = "painter") -> gr.HTML:
    """Value: {"picture": PNG base64, "label", "presets": [{"name", "label", "mask"}], "first": preset to begin with}.

    Emits paint {mask}: a character per pixel, row by row, 1 visible and 0 hidden.
    """
    return view("painter", ("paint",), elem_id=elem_id)
