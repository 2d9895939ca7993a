"""The Invert tab: one target, inverted in X and in a learned Z side by side. Layout and wiring only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from app.editing.panel import build_editing
from app.following.panel import build_follow
from app.following.run import Source
from app.invert import run as events
from app.invert.follow import SUFFIXES, source_of
from app.invert.many_tab import build_many
from app.invert.run import RaceSession
from app.runs.cards import as_it_was
from app.runs.session import Message
from app.runs.settings import defaults, for_model, from_values, values_of
from app.runs.standing import StandingSource, standing_of
from app.target.chooser import TargetChooser, TargetPanel, build_target
from app.target.targets import target_message
from app.views.form import Form, FormActions, build_form, note_of, note_view, told
from app.views.page import Page
from app.views.run_tab import RunTab
from app.views.view import sent, view
from app.views.wiring import LATEST, QUICK, enclosing_tab, missed, unseen_download
from landscape_core.errors import UserError
from landscape_core.search.race import RunSettings

NAME = "Invert"


def build(page: Page) -> StandingSource:
    """Lay the tab out inside the current container and wire it; returns where the Landscape tab finds its runs."""
    with gr.Row(elem_classes="invert"):
        with gr.Column(elem_classes="card target-card"):
            panel = build_target(page.models.names, own=bool(page.models.own))
        with gr.Column(elem_classes="race-column"):
            with gr.Column(elem_classes="card race-card"):
                view = race_view(missed(page.invert))
                status = gr.HTML(elem_id="queue-status")
                download = unseen_download("export-file")
                build_editing(page, "", lambda key: (page.invert.get(key).run, 0))
            many = gr.Column(elem_classes="card race-card")
            clip = gr.Column(elem_classes="card race-card follow-card")
        with gr.Column(elem_classes="card settings-card"):
            gr.HTML("<h2>Search</h2>")
            form, actions = build_form(panel.model)
            note = note_view("settings-note")
    tab = InvertTab(page, panel, form, view, note)
    tab.wire_form(actions)
    tab.wire_run(status, download, after=lambda event: event.then(tab.on_settings, form.components, note, **QUICK))
    tab.wire_landscape()
    with many:
        build_many(page, form, tab.loaded)
    with clip:
        file = gr.File(
            label="Your clip", file_types=SUFFIXES, type="filepath", height=110, elem_id="follow-clip", elem_classes="moving",
            render=False,
        )  # fmt: skip
        build_follow(page, "invert/follow", "invert-follow", [file, *form.components], tab.clip, tab.loaded)
        file.render()
    return lambda key: standing_of(page.invert.get(key).run)


class InvertTab(RunTab[RaceSession]):
    """Listeners of the tab."""

    name = NAME

    def __init__(self, page: Page, panel: TargetPanel, form: Form, view: gr.HTML, note: gr.HTML) -> None:
        super().__init__(page, page.models, page.invert)
        self.panel, self.form, self.view, self.note = panel, form, view, note
        self.chooser = TargetChooser(page.models, page.invert, panel, form, [view, note], self.shown)
        self.chooser.wire()

    def shown(self, session: RaceSession, message: Message | None, values: Mapping[str, Any]) -> dict[Any, Any]:
        """A new target in the view, and what the note says of it."""
        view = {self.view: sent(message)} if message else {}
        return {**view, self.note: sent(events.note(self.models, session, values))}

    # --- the settings ---------------------------------------------------------------------------------------

    def wire_form(self, actions: FormActions) -> None:
        fields, outputs = self.form.components, self.chooser.outputs
        everything = [*fields, *outputs]
        everywhere = [*everything, *self.chooser.panel_outputs]
        self.loaded = self.page.opens(NAME, self.on_address, everywhere)
        gr.on(self.form.changed_but("model"), self.on_settings, fields, self.note, **LATEST)
        self.wire_table()
        self.wire_spaces()
        self.form["model"].input(self.on_model, fields, everything, **LATEST)
        actions.reset.click(self.on_reset, self.form["model"], [*fields, self.note], **QUICK)
        self.wire_cards(actions.card, everywhere)
        enclosing_tab().select(self.on_open, fields, [self.note, self.panel.message, *self.chooser.panel_outputs], **QUICK)

    def on_address(self, request: gr.Request, query: dict[str, str]) -> dict[Any, Any]:
        session = self.session(request)
        try:
            chosen, notes = events.open_page(self.models, session, query)
        except UserError as error:
            return {self.view: sent({"kind": "error", "text": str(error)})}
        values, shown = values_of(chosen), sent(events.shown(session))
        note = told(events.note(self.models, session, values), notes)
        return {**self.filled(values), **self.chooser.panel_of(session), self.view: shown, self.note: note}

    def on_open(self, request: gr.Request, *values: Any) -> dict[Any, Any]:
        """Another tab may have sent a target."""
        session = self.session(request)
        if session.target is session.noted:
            return {self.note: gr.skip()}
        note = sent(events.note(self.models, session, self.form.read(values)))
        return {self.note: note, **self.chooser.panel_of(session)}

    def on_settings(self, request: gr.Request, *values: Any) -> str:
        return sent(events.note(self.models, self.session(request), self.form.read(values)))

    def on_model(self, request: gr.Request, *values: Any) -> dict[Any, Any]:
        """Another model comes with its own spaces and optimisers; the target stays."""
        try:
            chosen = values_of(for_model(self.models, self.form.read(values)))
        except UserError as error:
            return {self.note: note_of(str(error), error=True)}
        return {**self.filled(chosen), **self.chooser.kept(self.session(request), chosen)}

    def on_reset(self, model: str, request: gr.Request) -> dict[Any, Any]:
        return self.settled(self.session(request), defaults(self.models, model))

    def taken_up(self, request: gr.Request, data: bytes, said: str, origin: Any, values: Sequence[Any]) -> dict[Any, Any]:
        session = self.session(request)
        try:
            chosen, _, sentence = events.load_card(self.models, session, data, said)
        except UserError as error:
            return {self.note: note_of(str(error), error=True)}
        assert session.target is not None
        session.target = as_it_was(session.target, origin)
        filled = values_of(chosen)
        note = told(events.note(self.models, session, filled), [sentence], error=False)
        panel = self.chooser.panel_of(session)
        return {**self.filled(filled), **panel, self.view: sent(target_message(session.target)), self.note: note}

    def settled(self, session: RaceSession, chosen: RunSettings) -> dict[Any, Any]:
        """Settings in the form, and what the note says of them."""
        values = values_of(chosen)
        return {**self.filled(values), self.note: sent(events.note(self.models, session, values))}

    # --- the run --------------------------------------------------------------------------------------------

    def start(self, session: RaceSession, values: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Message]:
        return events.start(self.models, session, from_values(values))

    def by_card(self, session: RaceSession, data: bytes) -> Iterator[Message]:
        return events.start(self.models, session, events.load_card(self.models, session, data)[0])

    def resume(self, session: RaceSession, steps: Any) -> Iterator[Message]:
        return events.resume(self.models, session, steps)

    def export(self, session: RaceSession) -> Path:
        return events.export(session)

    def clip(self, data: Mapping[str, Any], values: Sequence[Any]) -> Source:
        """What the panel below follows."""
        path, *fields = values
        race = from_values(self.form.read(fields))
        return source_of(self.models.get(race.task, race.perceptual), race, path, data)


def race_view(missed: Callable[[list[Any]], list[dict[str, Any]]], elem_id: str = "race") -> gr.HTML:
    """It takes the messages of `app.runs.picture_stream`, keeps every run in the browser, and emits: run, stop, cancel
    (while queued), more {steps}, export, landscape, restore {card, number, origin} and again {runs}. `missed` is called
    with [run id, first number] for messages that were lost.
    """
    emits = ("run", "stop", "cancel", "more", "export", "landscape", "restore", "again")
    return view("invert/race", emits, elem_id=elem_id, server_functions=[missed])
