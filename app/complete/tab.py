"""The Complete tab: paint what is hidden, and see K pictures that fit the rest, in X and in Z. Layout and wiring only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr

from app.complete import picks, settings
from app.complete import run as events
from app.complete.form import PREFIX, build_completion_form, observation_fields
from app.complete.session import CompletionSession
from app.editing.panel import build_editing
from app.runs.cards import as_it_was
from app.runs.session import Message, Visitors
from app.runs.standing import StandingSource
from app.target import targets
from app.target.chooser import TargetChooser, TargetPanel, build_target
from app.views.form import Form, FormActions, note_of, note_view, told
from app.views.page import Page
from app.views.run_tab import RunTab
from app.views.view import sent, view
from app.views.wiring import LATEST, QUICK, data_of, enclosing_tab, found, missed, paragraph, unseen_download
from landscape_core.errors import UserError
from landscape_core.search.spaces import Start
from landscape_core.storage.fingerprint import fingerprint

NAME = "Complete"


def build(page: Page) -> StandingSource:
    """Lay the tab out inside the current container and wire it; returns where the Landscape tab finds the completion that
    was picked."""
    sessions = Visitors(CompletionSession)
    with gr.Row(elem_classes="invert complete"):
        with gr.Column(elem_classes="card target-card"):
            panel = build_target(page.models.embedded.names, PREFIX)
            observation, source = observation_fields()
            painter = painter_view()
            said = gr.HTML(elem_id="mask-message", elem_classes="message")
        with gr.Column(elem_classes="card race-card"):
            gallery = gallery_view(missed(sessions))
            status = gr.HTML(elem_id="complete-status")
            download = unseen_download("completions-file")
            build_editing(page, PREFIX, lambda key: picks.edited(sessions.get(key)))
        with gr.Column(elem_classes="card settings-card"):
            gr.HTML("<h2>Completions</h2>")
            form, actions = build_completion_form(panel.model, observation, source)
            note = note_view("complete-note")
    tab = CompleteTab(page, sessions, panel, form, gallery, painter, said, note)
    tab.wire_page()
    tab.wire_form(actions)
    tab.wire_run(status, download)
    tab.wire_picks()
    return lambda key: picks.landscape_of(sessions.get(key))


class CompleteTab(RunTab[CompletionSession]):
    """Listeners of the tab."""

    name = NAME

    def __init__(
        self, page: Page, sessions: Visitors[CompletionSession], panel: TargetPanel, form: Form, view: gr.HTML,
        painter: gr.HTML, said: gr.HTML, note: gr.HTML,
    ) -> None:  # fmt: skip
        super().__init__(page, page.models.embedded, sessions)
        self.panel, self.form, self.view = panel, form, view
        self.painter, self.said, self.note = painter, said, note
        self.taken: gr.State = gr.State(None)
        self.chooser = TargetChooser(self.models, sessions, panel, form, [painter, note], self.shown)
        self.chooser.wire()

    def shown(self, session: CompletionSession, _: Message | None, values: Mapping[str, Any]) -> dict[Any, Any]:
        """A new target in the painter; the mask stays as it is painted."""
        picture = {self.painter: self.painted(session)} if session.target else {}
        return {**picture, self.note: sent(events.note(self.models, session, values))}

    # --- the page -------------------------------------------------------------------------------------------

    def wire_page(self) -> None:
        page, fields, chooser = self.page, self.form.components, self.chooser
        takes = [*fields, *chooser.panel_outputs, *chooser.outputs, self.taken]
        page.opens(NAME, self.on_address, takes)
        enclosing_tab().select(self.on_open, [found("model"), self.taken, *fields], takes, **QUICK)
        self.painter.paint(self.on_paint, fields, [self.said, self.note], **LATEST)

    def on_address(self, request: gr.Request, query: dict[str, str]) -> dict[Any, Any]:
        session = self.session(request)
        try:
            asked, notes = events.open_page(self.models, session, query)
        except UserError as error:
            return {self.note: note_of(str(error), error=True)}
        values = settings.values_of(asked)
        form = {**self.filled(values), self.taken: self.mark(request)}
        if not query:
            return form
        note = told(events.note(self.models, session, values), notes)
        panel = self.chooser.panel_of(session) if session.target or session.missing else {}
        return {**form, **panel, self.painter: self.painted(session), self.note: note}

    def painted(self, session: CompletionSession) -> str:
        """What the painter shows of a session."""
        return sent(events.painter_message(session))

    def mark(self, request: gr.Request) -> str | None:
        """What tells the Invert tab's target from others; nothing for the one that its page was opened with."""
        other = self.page.invert.get(request.session_hash)
        return None if other.target is None or other.target is other.opened else fingerprint(other.target.picture)[:16]

    def on_open(self, request: gr.Request, model: str, taken: str | None, *values: Any) -> dict[Any, Any]:
        """Take over the Invert tab's target and model where the target was changed since this tab last did, or none is here."""
        session, other = self.session(request), self.page.invert.get(request.session_hash).target
        mark, now, form = self.mark(request), self.form.read(values), {}
        takes = other is not None and (mark != taken or (session.target is None and not session.missing))
        try:
            if takes:
                session.target = other
                if model != now["model"]:
                    now = settings.values_of(settings.for_model(self.models, {**now, "model": model}))
                    form = self.filled(now)
            elif session.target is None and not session.missing:
                session.target = targets.first(self.models.get(now["model"]))
        except UserError as error:
            return {self.panel.message: paragraph(str(error)), self.taken: taken}
        panel = self.chooser.panel_of(session)
        note = {} if session.target is session.noted else {self.note: sent(events.note(self.models, session, now))}
        return {**form, **panel, **note, self.painter: self.painted(session), self.taken: mark}

    def on_paint(self, request: gr.Request, event: gr.EventData, *values: Any) -> dict[Any, Any]:
        session, form, painted = self.session(request), self.form.read(values), data_of(event).get("mask")
        known = bool(session.mask) and painted == session.mask  # the server told the painter, and has said what is to be said
        sentence = events.paint(session, painted, self.models.get(form["model"]).side)
        note = gr.skip() if known else sent(events.note(self.models, session, form))
        return {self.said: paragraph(sentence), self.note: note}

    # --- the settings ---------------------------------------------------------------------------------------

    def wire_form(self, actions: FormActions) -> None:
        fields = self.form.components
        everything = [*fields, *self.chooser.outputs]
        seen = [self.form["observation"].input, self.form["source"].input]
        gr.on(seen, self.on_observation, fields, [self.painter, self.said, self.note], **LATEST)
        gr.on(self.form.changed_but("model", "observation", "source"), self.on_settings, fields, self.note, **LATEST)
        self.wire_table()
        self.wire_spaces()
        self.form["model"].input(self.on_model, fields, everything, **LATEST)
        actions.reset.click(self.on_reset, self.form["model"], [*fields, self.note], **QUICK)
        self.wire_cards(actions.card, [*everything, *self.chooser.panel_outputs])

    def on_settings(self, request: gr.Request, *values: Any) -> str:
        return sent(events.note(self.models, self.session(request), self.form.read(values)))

    def on_observation(self, request: gr.Request, *values: Any) -> dict[Any, Any]:
        """Something else is observed: the painter shows it, and says what the loss is made of."""
        session = self.session(request)
        note = events.note(self.models, session, self.form.read(values))
        if note["level"] == "error" or session.target is None:
            return {self.said: "", self.note: sent(note)}
        said = events.mask_sentence(session.mask, session.side) if session.asked.instrument.painted else ""
        return {self.painter: self.painted(session), self.said: paragraph(said), self.note: sent(note)}

    def on_model(self, request: gr.Request, *values: Any) -> dict[Any, Any]:
        """Another model comes with its own spaces and optimisers; the target stays."""
        try:
            asked = settings.values_of(settings.for_model(self.models, self.form.read(values)))
        except UserError as error:
            return {self.note: note_of(str(error), error=True)}
        return {**self.filled(asked), **self.chooser.kept(self.session(request), asked)}

    def on_reset(self, model: str, request: gr.Request) -> dict[Any, Any]:
        values = settings.values_of(settings.defaults(self.models, model))
        return {**self.filled(values), self.note: sent(events.note(self.models, self.session(request), values))}

    def taken_up(self, request: gr.Request, data: bytes, said: str, origin: Any, values: Sequence[Any]) -> dict[Any, Any]:
        session = self.session(request)
        try:
            asked, sentence = events.load_card(self.models, session, data, said)
        except UserError as error:
            return {self.note: note_of(str(error), error=True)}
        assert session.target is not None
        session.target = as_it_was(session.target, origin)
        filled = settings.values_of(asked)
        note = told(events.note(self.models, session, filled), [sentence], error=False)
        panel, picture = self.chooser.panel_of(session), self.painted(session)
        return {**self.filled(filled), **panel, self.painter: picture, self.note: note}

    def start_of(self, values: Mapping[str, Any]) -> Start:
        return "random"

    # --- the run --------------------------------------------------------------------------------------------

    def start(self, session: CompletionSession, values: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Message]:
        return events.start(self.models, session, settings.from_values(values))

    def by_card(self, session: CompletionSession, data: bytes) -> Iterator[Message]:
        return events.start(self.models, session, events.load_card(self.models, session, data)[0])

    def resume(self, session: CompletionSession, steps: Any) -> Iterator[Message]:
        return events.resume(self.models, session, steps)

    def export(self, session: CompletionSession) -> Path:
        return events.export(session)

    # --- sending one on -------------------------------------------------------------------------------------

    def wire_picks(self) -> None:
        page = self.page
        self.race = found("race")
        self.view.send(self.on_send, outputs=[self.race, page.tabs, self.panel.message], **QUICK)
        self.view.pick(self.on_pick, **QUICK)
        self.view.landscape(self.on_landscape, outputs=[page.tabs, page.source, self.panel.message], **QUICK)

    def on_pick(self, event: gr.EventData, request: gr.Request) -> None:
        """The completion that the Landscape tab draws and the panel below edits; while a run goes on there is none yet."""
        with suppress(UserError):
            picks.pick(self.session(request), data_of(event).get("index"))

    def on_landscape(self, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        try:
            picks.pick(self.session(request), data_of(event).get("index"))
        except UserError as error:
            return {self.panel.message: paragraph(str(error))}
        return {**self.page.landscape_of(NAME), self.panel.message: ""}

    def on_send(self, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        other = self.page.invert.get(request.session_hash)
        shown, sentence = picks.send_on(self.session(request), other, data_of(event))
        if shown is None:
            return {self.panel.message: paragraph(sentence, calm=sentence == targets.KEEPS_TARGET)}
        return {self.race: sent(shown), self.page.tabs: gr.Tabs(selected="invert"), self.panel.message: ""}


def gallery_view(missed: Callable[[list[Any]], list[dict[str, Any]]], elem_id: str = "gallery") -> gr.HTML:
    """It takes the messages of `app.complete.stream` and emits: run, stop, cancel (while queued), more {steps}, export,
    send {lane, index, step, pasted}, landscape {index}, pick {index} and restore {card, number, origin}, again {runs}.
    `missed` is called with [run id, first number] for messages that were lost.
    """
    emits = ("run", "stop", "cancel", "more", "export", "send", "landscape", "pick", "restore", "again")
    return view("complete/gallery", emits, elem_id=elem_id, server_functions=[missed])


def painter_view(elem_id: str = "painter") -> gr.HTML:
    """Value: {"picture": PNG base64, "label", "side", "presets": [{"name", "label", "mask"}], "first": preset to begin with}.

    Emits paint {mask}: a character per pixel, row by row, 1 visible and 0 hidden.
    """
    return view("complete/painter", ("paint",), elem_id=elem_id)
