"""The Defence tab: a picture is attacked, and restored in X and in a learned Z. Layout and wiring only."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from app.defence import pictures, stream
from app.defence import run as events
from app.defence.counting_tab import CountingTable
from app.defence.examples import EXAMPLES
from app.defence.form import PicturePanel, build_defence_form, build_picture
from app.defence.pictures import CIFAR_FILE, LABELS, NO_CIFAR, Chosen, Defences, cifar_at
from app.defence.session import DefenceSession
from app.defence.settings import advice, attack_named, defaults, from_query, from_values
from app.optional import left_out
from app.runs.address import TARGET
from app.runs.cards import as_it_was
from app.runs.session import Message, Session, Visitors
from app.runs.standing import StandingSource, standing_of
from app.target.targets import KEEPS_TARGET, NO_FILE, photo_message, picker_message, running
from app.views.form import Form, FormActions, form_actions, note_of, note_view, space_choices, told
from app.views.page import Page
from app.views.run_tab import RunTab
from app.views.view import APP, sent, view
from app.views.wiring import LATEST, QUICK, SHORT, data_of, missed, paragraph, unseen_download
from landscape_core.defence.task import classifier_names, load_defence
from landscape_core.errors import UserError
from landscape_core.features.cifar10 import CIFAR10_CLASSES

NAME = "Defence"
DATA = APP.parent / "data"


def embedded_defences() -> Defences:
    """Every classifier in assets/ that has a contrastive head, and CIFAR-10 where data/ has it."""
    cifar, why = None, [NO_CIFAR]
    with left_out(CIFAR_FILE, why.append):
        cifar = cifar_at(DATA)
    return Defences({name: partial(load_defence, name) for name in classifier_names()}, cifar, why[-1])


def build(page: Page, defences: Defences | None = None) -> StandingSource:
    """Lay the tab out inside the current container and wire it; returns the run that stands in it."""
    defences, sessions = defences or embedded_defences(), Visitors[DefenceSession](Session)
    with gr.Row(elem_classes="invert"):
        with gr.Column(elem_classes="card target-card"):
            panel = build_picture(defences)
        with gr.Column(elem_classes="defence-column"):
            with gr.Column(elem_classes="card race-card"):
                view = defence_view(missed(sessions))
                status = gr.HTML(elem_id="defence-status")
                download = unseen_download("defence-file-out")
            with gr.Column(elem_classes="card race-card"):
                counting = CountingTable.build()
        with gr.Column(elem_classes="card settings-card"):
            gr.HTML("<h2>Attack and defence</h2>")
            form = build_defence_form(defences, panel.truth)
            actions = form_actions("defence-load-card")
            note = note_view("defence-note")
    tab = DefenceTab(page, defences, sessions, panel, form, view, note)
    loaded = tab.wire_picture()
    tab.wire_form(actions)
    tab.wire_run(status, download)
    tab.wire_landscape()
    counting.wire(page, defences, form, loaded)
    return lambda key: standing_of(sessions.get(key).run)


class DefenceTab(RunTab[DefenceSession]):
    """Listeners of the tab on one picture."""

    name = NAME

    def __init__(
        self, page: Page, defences: Defences, sessions: Visitors[DefenceSession], panel: PicturePanel, form: Form,
        view: gr.HTML, note: gr.HTML,
    ) -> None:  # fmt: skip
        super().__init__(page, page.models, sessions)
        self.defences, self.panel, self.form, self.view, self.note = defences, panel, form, view, note

    # --- the picture ----------------------------------------------------------------------------------------

    def wire_picture(self) -> Any:
        """Returns the event that fills picture and form in."""
        panel, model = self.panel, self.form["classifier"]
        outputs = [self.view, panel.truth, panel.message]
        numbered = [model, panel.label, panel.number]
        groups = [*panel.groups.values(), panel.picker]
        everything = [*groups, panel.source, panel.label, panel.number, *outputs, self.note]
        loaded = self.page.opens(
            NAME, self.on_address, [each for each in self.form.components if each is not panel.truth] + everything
        )
        panel.truth.change(self.on_settings, self.form.components, self.note, **LATEST)  # and with it another picture
        panel.source.input(self.on_source, [panel.source, *numbered], [*groups, *outputs], **QUICK)
        for changed in (panel.label.input, panel.number.submit, panel.number.blur):
            changed(self.on_number, numbered, outputs, **QUICK)
        panel.another.click(self.on_another, [model, panel.label], [panel.number, *outputs], **QUICK)
        panel.picker.pick(self.on_pick, model, [panel.picker, *outputs], **QUICK)
        panel.file.upload(self.on_upload, [model, panel.file], [panel.crop, *outputs], **SHORT)
        panel.file.clear(self.on_clear, model, [panel.crop, *outputs], **QUICK)
        panel.crop.crop(self.on_crop, model, outputs, **QUICK)
        for again in (panel.truth.input, model.input):
            again(self.on_again, [model, panel.truth], [self.view, panel.truth, panel.message], **QUICK)
        return loaded

    def choose(self, session: DefenceSession, model: str, make: Callable[[], Chosen]) -> dict[Any, Any]:
        """Take a picture and show it: view, true class (where unknown what the classifier says), message."""
        panel = self.panel
        try:
            session.target, truth = make()
            session.missing = ""
            defence = self.defences.get(model)
            truth = events.guess(defence, session.target) if truth is None else events.known_class(defence, truth)
            shown = sent(stream.picture_message(defence, session.target, truth))
        except UserError as error:
            return {panel.message: paragraph(str(error))}
        keeps = KEEPS_TARGET if running(session) else ""
        return {self.view: shown, panel.truth: truth, panel.message: paragraph(keeps, calm=True)}

    def from_source(self, source: str, session: DefenceSession, label: Any, number: Any) -> Callable[[], Chosen] | None:
        if source == "cifar":
            return lambda: pictures.from_cifar(self.defences.cifar, label, number)
        if source == "example":
            return lambda: pictures.example(next(iter(EXAMPLES)))
        photo = session.photo
        return None if photo is None else lambda: (pictures.cropped(photo), None)

    def on_address(self, request: gr.Request, query: dict[str, str]) -> dict[Any, Any]:
        session, panel, now = self.session(request), self.panel, self.session(request).target
        try:
            values, notes = from_query(self.defences, query)
            wanted = query.get(TARGET)
            notes += session.open(lambda: pictures.from_query(self.defences.cifar, wanted, now)[0], wanted)
        except UserError as error:
            return {panel.message: paragraph(str(error))}
        form = {**self.filled(values), **self.source_of(session)}
        truth = query.get("truth", "")
        known = next((index for index in range(len(CIFAR10_CLASSES)) if str(index) == truth), None)
        if session.target is None:
            shown = {self.view: sent({"kind": "missing", "text": session.missing}), panel.truth: known, panel.message: ""}
        else:
            target, own = pictures.from_query(self.defences.cifar, session.target.query.get(TARGET), session.target)
            shown = self.choose(session, values["classifier"], lambda: (target, own if known is None else known))
        values["truth"] = shown.get(panel.truth)
        return {**form, **shown, self.note: told(events.note(self.defences, session, values), notes)}

    def filled(self, values: Mapping[str, Any]) -> dict[Any, Any]:
        """The form's values, with the spaces that the chosen classifier has."""
        spaces = advice(self.defences, values["classifier"])[0]
        return self.form.filled({**values, "space": gr.update(choices=space_choices(spaces), value=values["space"])})

    def source_of(self, session: DefenceSession) -> dict[Any, Any]:
        """What the panel shows for the session's picture."""
        panel, query = self.panel, session.target.query.get(TARGET, "") if session.target is not None else ""
        source = "cifar" if query.startswith(pictures.CIFAR) else "example" if query in EXAMPLES else "photo"
        label, _, number = query.removeprefix(pictures.CIFAR).partition("-")
        numbered = {panel.label: label, panel.number: int(number)} if source == "cifar" else {}
        groups = {group: gr.update(visible=name == source) for name, group in panel.groups.items()}
        return {panel.source: source, **groups, **numbered, panel.picker: self.picker(query if source == "example" else None)}

    def on_settings(self, request: gr.Request, *values: Any) -> str:
        return sent(events.note(self.defences, self.session(request), self.form.read(values)))

    def picker(self, chosen: str | None) -> str:
        return sent(picker_message(chosen, LABELS))

    def on_source(self, source: str, model: str, label: str, number: Any, request: gr.Request) -> dict[Any, Any]:
        session = self.session(request)
        groups = {group: gr.update(visible=name == source) for name, group in self.panel.groups.items()}
        make = self.from_source(source, session, label, number)
        picker = {self.panel.picker: self.picker(next(iter(EXAMPLES)) if source == "example" else None)}
        return {**groups, **picker, **(self.choose(session, model, make) if make else {})}

    def on_number(self, model: str, label: str, number: Any, request: gr.Request) -> dict[Any, Any]:
        return self.choose(self.session(request), model, lambda: pictures.from_cifar(self.defences.cifar, label, number))

    def on_another(self, model: str, label: str, request: gr.Request) -> dict[Any, Any]:
        cifar = self.defences.cifar
        files = cifar.files.get(str(label), ()) if cifar is not None else ()
        number = random.randrange(len(files)) if files else 0
        return {self.panel.number: number, **self.on_number(model, label, number, request)}

    def on_pick(self, event: gr.EventData, model: str, request: gr.Request) -> dict[Any, Any]:
        name = data_of(event).get("name")
        return {
            self.panel.picker: self.picker(name),
            **self.choose(self.session(request), model, lambda: pictures.example(name)),
        }

    def on_upload(self, model: str, path: str | None, request: gr.Request) -> dict[Any, Any]:
        session = self.session(request)
        session.photo = None

        def opened() -> Chosen:
            if path is None:
                raise UserError(NO_FILE)
            session.photo = pictures.opened(path)
            return pictures.cropped(session.photo), None

        shown = self.choose(session, model, opened)
        return {self.panel.crop: sent(photo_message(session.photo)), **shown}

    def on_clear(self, model: str, request: gr.Request) -> dict[Any, Any]:
        """Without the visitor's file the picture is the one that one begins with."""
        session = self.session(request)
        session.photo = None
        shown = self.choose(session, model, lambda: pictures.from_query(self.defences.cifar, None, None))
        label = session.target.label if session.target is not None else ""
        said = paragraph(f"Your picture is no longer used; the picture is {label} again.", calm=True)
        return {self.panel.crop: None, **shown, self.panel.message: said}

    def on_crop(self, event: gr.EventData, model: str, request: gr.Request) -> dict[Any, Any]:
        session = self.session(request)
        return self.choose(session, model, lambda: (pictures.recropped(session, data_of(event).get("box")), None))

    def on_again(self, model: str, truth: Any, request: gr.Request) -> dict[Any, Any]:
        """Another classifier, or another word for what the picture shows."""
        session = self.session(request)
        target = session.target
        if target is None:
            return {self.panel.message: gr.skip()}
        return {**self.choose(session, model, lambda: (target, truth)), self.panel.truth: gr.skip()}

    # --- the settings and the run ---------------------------------------------------------------------------

    def wire_form(self, actions: FormActions) -> None:
        form, panel = self.form, self.panel
        actions.reset.click(self.on_reset, panel.truth, [*form.components, self.note], **QUICK)
        shown = [panel.source, *panel.groups.values(), panel.label, panel.number, panel.picker, panel.message]
        self.wire_cards(actions.card, [*form.components, *shown, self.view, self.note])
        form["classifier"].input(self.on_model, form["classifier"], [form["space"], form["x_rate"], form["z_rate"]], **QUICK)
        form["space"].input(self.on_space, [form["classifier"], form["space"]], form["z_rate"], **QUICK)
        gr.on(form.changed_but("truth", "classifier"), self.on_settings, form.components, self.note, **LATEST)
        form["attack"].input(self.on_attack, form["attack"], form["ascents"], **QUICK)

    def on_attack(self, attack: str) -> int:
        return attack_named(attack).steps

    def on_reset(self, truth: Any, request: gr.Request) -> dict[Any, Any]:
        values = {**defaults(self.defences), "truth": truth}
        return {**self.filled(values), self.note: sent(events.note(self.defences, self.session(request), values))}

    def taken_up(self, request: gr.Request, data: bytes, said: str, origin: Any, values: Sequence[Any]) -> dict[Any, Any]:
        session = self.session(request)
        try:
            filled, sentence = events.load_card(self.defences, session, data, said)
        except UserError as error:
            return {self.note: note_of(str(error), error=True)}
        assert session.target is not None
        session.target = target = as_it_was(session.target, origin)
        shown = self.choose(session, filled["classifier"], lambda: (target, filled["truth"]))
        note = told(events.note(self.defences, session, filled), [sentence], error=False)
        return {**self.source_of(session), **self.filled(filled), **shown, self.note: note}

    def on_model(self, model: str) -> dict[Any, Any]:
        spaces, x, z = advice(self.defences, model)
        space = gr.update(choices=space_choices(spaces), value=spaces[0])
        return self.form.filled({"space": space, "x_rate": x, "z_rate": z})

    def on_space(self, model: str, space: str) -> float:
        return advice(self.defences, model, space)[2]

    def start(self, session: DefenceSession, values: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Message]:
        return events.start(self.defences, session, from_values(self.defences, values))

    def by_card(self, session: DefenceSession, data: bytes) -> Iterator[Message]:
        values, _ = events.load_card(self.defences, session, data)
        return events.start(self.defences, session, from_values(self.defences, values))

    def resume(self, session: DefenceSession, steps: Any) -> Iterator[Message]:
        return events.resume(session, steps)

    def export(self, session: DefenceSession) -> Path:
        return events.export(session)


def defence_view(missed: Callable[[Any], list[dict[str, Any]]], elem_id: str = "defence") -> gr.HTML:
    """It takes the messages of `app.defence.stream` and emits: run, stop, cancel (while queued), more {steps}, export and
    landscape. `missed` is called with [run id, first number] for messages that were lost.
    """
    emits = ("run", "stop", "cancel", "more", "export", "landscape", "restore", "again")
    return view("defence/defence", emits, elem_id=elem_id, server_functions=[missed])
