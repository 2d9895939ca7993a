"""The Features tab: a picture from its features, by a decoder and by descent, and what robust features are good for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from app.features import run as events
from app.features.form import PREFIX, Sliders, build_features_form, build_sliders
from app.features.models import Features, words
from app.features.run import FeaturesSession
from app.runs.cards import as_it_was
from app.runs.session import Message, Session, Visitors
from app.runs.settings import from_values, values_of
from app.runs.standing import StandingSource, standing_of
from app.target.chooser import TargetChooser, TargetPanel, build_target
from app.target.targets import target_message
from app.views.form import Form, FormActions, note_view, told
from app.views.page import Page
from app.views.run_tab import RunTab
from app.views.view import sent, view
from app.views.wiring import LATEST, QUICK, missed, paragraph, unseen_download
from landscape_core.errors import UserError

NAME = "Features"


def build(page: Page, features: Features | None = None) -> StandingSource:
    """Lay the tab out inside the current container and wire it; returns the run that stands in it."""
    features, sessions = features or Features(), Visitors[FeaturesSession](Session)
    with gr.Row(elem_classes="invert"):
        with gr.Column(elem_classes="card target-card"):
            panel = build_target(features.tasks.names, PREFIX, words, draws=False)
        with gr.Column(elem_classes="race-column"):
            with gr.Column(elem_classes="card race-card"):
                view = inversion_view(missed(sessions))
                status = gr.HTML(elem_id="features-status")
                download = unseen_download("features-export-file")
            with gr.Column(elem_classes="card race-card"):
                gr.HTML("<h2>What the decoders make of it</h2>")
                sliders = build_sliders()
                applied = applied_view()
        with gr.Column(elem_classes="card settings-card"):
            gr.HTML("<h2>Search</h2>")
            form, actions = build_features_form(panel.model)
            note = note_view("features-note")
    tab = FeaturesTab(page, features, sessions, panel, form, view, note)
    tab.wire_form(actions)
    tab.wire_run(status, download)
    tab.wire_landscape()
    tab.wire_applied(sliders, applied)
    return lambda key: standing_of(sessions.get(key).run)


class FeaturesTab(RunTab[FeaturesSession]):
    """Listeners of the tab."""

    name = NAME

    def __init__(
        self, page: Page, features: Features, sessions: Visitors[FeaturesSession], panel: TargetPanel, form: Form,
        view: gr.HTML, note: gr.HTML,
    ) -> None:  # fmt: skip
        super().__init__(page, features.tasks, sessions)
        self.features, self.panel, self.form, self.view, self.note = features, panel, form, view, note
        self.chooser = TargetChooser(features.tasks, sessions, panel, form, [view, note], self.shown)
        self.chooser.wire()

    def shown(self, session: FeaturesSession, message: Message | None, values: Mapping[str, Any]) -> dict[Any, Any]:
        """A new target in the view, and in the address."""
        view = {self.view: sent(message)} if message else {}
        return {**view, self.note: sent(events.note(self.features, session, values))}

    # --- the settings ---------------------------------------------------------------------------------------

    def wire_form(self, actions: FormActions) -> None:
        form, outputs = self.form, self.chooser.outputs
        everywhere = [*form.components, *outputs, *self.chooser.panel_outputs]
        self.loaded = self.page.opens(NAME, self.on_address, everywhere)
        gr.on(form.changed_but("model"), self.on_settings, form.components, self.note, **LATEST)
        self.wire_table()
        form["model"].input(self.on_model, form.components, [*form.components, *outputs], **LATEST)
        actions.reset.click(self.on_reset, form["model"], [*form.components, self.note], **QUICK)
        self.wire_cards(actions.card, everywhere)

    def on_address(self, request: gr.Request, query: dict[str, str]) -> dict[Any, Any]:
        session = self.session(request)
        try:
            chosen, notes = events.open_page(self.features, session, query)
        except UserError as error:
            return {self.view: sent({"kind": "error", "text": str(error)})}
        assert session.target is not None
        values, panel = values_of(chosen), self.chooser.panel_of(session)
        note = told(events.note(self.features, session, values), notes)
        return {**self.filled(values), **panel, self.view: sent(target_message(session.target)), self.note: note}

    def on_settings(self, request: gr.Request, *values: Any) -> str:
        return sent(events.note(self.features, self.session(request), self.form.read(values)))

    def on_model(self, request: gr.Request, *values: Any) -> dict[Any, Any]:
        """Another network, stage or kind of x: its own spaces and optimisers; the picture stays."""
        session = self.session(request)
        try:
            chosen = values_of(events.other_model(self.features, self.form.read(values)))
            task = self.models.get(chosen["model"])
        except UserError as error:
            return {self.panel.message: paragraph(str(error))}
        target = session.target
        kept = {} if target is None else self.chooser.choose(session, lambda: target.at(task.side), chosen)
        return {**self.filled(chosen), **kept}

    def on_reset(self, model: str, request: gr.Request) -> dict[Any, Any]:
        values = values_of(events.usual(self.features, model))
        return {**self.filled(values), self.note: sent(events.note(self.features, self.session(request), values))}

    def taken_up(self, request: gr.Request, data: bytes, said: str, origin: Any, values: Sequence[Any]) -> dict[Any, Any]:
        session = self.session(request)
        try:
            card, sentence = events.load_card(self.features, session, data, said)
        except UserError as error:
            return {self.panel.message: paragraph(str(error))}
        assert session.target is not None
        session.target = as_it_was(session.target, origin)
        filled = values_of(card.settings)
        note = told(events.note(self.features, session, filled), [sentence], error=False)
        shown = sent(target_message(session.target))
        return {**self.filled(filled), **self.chooser.panel_of(session), self.view: shown, self.note: note}

    # --- the run --------------------------------------------------------------------------------------------

    def start(self, session: FeaturesSession, values: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Message]:
        return events.start(self.features, session, from_values(values))

    def by_card(self, session: FeaturesSession, data: bytes) -> Iterator[Message]:
        return events.start(self.features, session, events.load_card(self.features, session, data)[0].settings)

    def resume(self, session: FeaturesSession, steps: Any) -> Iterator[Message]:
        return events.resume(self.features, session, steps)

    def export(self, session: FeaturesSession) -> Path:
        return events.export(session)

    # --- without descent ------------------------------------------------------------------------------------

    def wire_applied(self, sliders: Sliders, view: gr.HTML) -> None:
        """Everything that changes the picture, the network or a slider changes what the decoders make of it."""
        panel, inputs = self.panel, [self.form["model"], *sliders.components]
        self.loaded.then(self.on_applied, inputs, view, **QUICK)
        self.view.chosen(self.on_applied, inputs, view, **LATEST)
        for changed in (panel.model.input, sliders.noise.release, sliders.style.input, sliders.strength.release):
            changed(self.on_applied, inputs, view, **LATEST)

    def on_applied(self, model: str, noise: Any, style: Any, strength: Any, request: gr.Request) -> str:
        try:
            return sent(events.applied(self.features, self.session(request), model, noise, style, strength))
        except UserError as error:
            return sent({"kind": "applied", "groups": [], "text": str(error)})


def inversion_view(missed: Callable[[Any], list[dict[str, Any]]], elem_id: str = "inversion") -> gr.HTML:
    """It takes the messages of `app.runs.picture_stream`, keeps every run in the browser, and emits: run, stop, cancel
    (while queued), more {steps}, export, landscape, restore {card, number, origin}, again {runs}, and chosen once a new picture
    is shown. `missed` is called with [run id, first number] for messages that were lost.
    """
    emits = ("run", "stop", "cancel", "more", "export", "landscape", "restore", "again", "chosen")
    return view("features/inversion", emits, elem_id=elem_id, server_functions=[missed])


def applied_view(elem_id: str = "applied") -> gr.HTML:
    """Value: {"groups": [{"title", "tiles": [{"title", "png", "reading"}]}], "text", "place": {"error", "known"}}, without a
    place where there is no picture; `known` are percentiles of the errors of known ones."""
    return view("features/applied", (), elem_id=elem_id)
