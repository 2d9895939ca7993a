"""The Pose tab: one body pose, inverted in X and in a learned Z, seen whole or in part. Layout and wiring only."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from app.following.panel import build_follow
from app.following.run import Source
from app.pose import run as events
from app.pose import stream, targets
from app.pose.follow import source_of
from app.pose.form import PosePanel, build_pose_form, build_pose_target, first_joint, joint_choices
from app.pose.session import PoseSession, PoseTarget
from app.pose.settings import defaults, from_card, from_values, start_for, values_of
from app.runs.address import TARGET
from app.runs.cards import as_it_was
from app.runs.models import Models, pose_models
from app.runs.session import Message, Session, Visitors
from app.runs.settings import PRIOR
from app.runs.standing import StandingSource, standing_of
from app.target.targets import KEEPS_TARGET, running
from app.views.form import Form, FormActions, note_of, note_view, told
from app.views.page import Page
from app.views.run_tab import RunTab
from app.views.view import sent, view
from app.views.wiring import LATEST, QUICK, SHORT, missed, paragraph, unseen_download
from landscape_core.errors import UserError
from landscape_core.pose.priors import drawing_task
from landscape_core.pose.task import load_body
from landscape_core.search.spaces import Start
from landscape_core.search.task import Task

NAME = "Pose"


def build(page: Page, models: Models | None = None) -> StandingSource:
    """Lay the tab out inside the current container and wire it, on the priors that there are unless others are given; its runs
    are what it returns, by session."""
    models, sessions = models or pose_models(), Visitors[PoseSession](Session)
    with gr.Row(elem_classes="invert pose"):
        with gr.Column(elem_classes="card target-card"):
            panel = build_pose_target(load_body().skeleton.names)
        with gr.Column(elem_classes="race-column"):
            with gr.Column(elem_classes="card race-card"):
                view = figure_view(missed(sessions))
                status = gr.HTML(elem_id="pose-status")
                download = unseen_download("pose-export-file")
            clip = gr.Column(elem_classes="card race-card")
        with gr.Column(elem_classes="card settings-card"):
            gr.HTML("<h2>Search</h2>")
            form, actions = build_pose_form(models.names)
            note = note_view("pose-note")
    tab = PoseTab(page, models, sessions, panel, form, view, note)
    tab.wire_target()
    tab.wire_form(actions)
    tab.wire_run(status, download)
    tab.wire_landscape()
    with clip:
        inputs = [panel.number, panel.file, panel.names, *form.components]
        build_follow(page, "pose/follow", "follow", inputs, tab.clip, tab.loaded)
    return lambda key: standing_of(sessions.get(key).run)


class PoseTab(RunTab[PoseSession]):
    """Listeners of the tab."""

    name = NAME

    def __init__(
        self, page: Page, models: Models, sessions: Visitors[PoseSession], panel: PosePanel, form: Form, view: gr.HTML,
        note: gr.HTML,
    ) -> None:  # fmt: skip
        super().__init__(page, models, sessions)
        self.panel, self.form, self.view, self.note = panel, form, view, note
        self.outputs = [view, note, panel.message, *panel.angles]

    # --- the target -----------------------------------------------------------------------------------------

    def wire_target(self) -> None:
        panel, outputs, form = self.panel, self.outputs, self.form.components
        fields = [panel.joint, *form]
        panel.number.input(self.on_number, [panel.number, *fields], outputs, **LATEST)
        panel.another.click(self.on_another, fields, [panel.number, *outputs], **QUICK)
        uploads = (panel.file.upload, panel.names.upload, panel.names.clear, panel.frame.submit, panel.frame.blur)
        for changed in uploads:
            changed(self.on_upload, [panel.file, panel.frame, panel.names, *fields], outputs, **SHORT)
        panel.joint.input(self.on_joint, panel.joint, panel.angles, **QUICK)
        for angle in panel.angles:
            angle.release(self.on_angles, [panel.joint, *panel.angles, *form], [self.view, self.note, panel.message], **QUICK)

    def choose(self, session: PoseSession, make: Callable[[], PoseTarget], values: Sequence[Any]) -> dict[Any, Any]:
        """Take a target and show it."""
        try:
            session.target, session.missing = make(), ""
        except UserError as error:
            return {self.panel.message: paragraph(str(error))}
        return {
            self.note: sent(events.note(self.models, session, self.form.read(values))),
            self.view: sent(stream.target_message(session.target)),
            self.panel.message: self.said_of(session.target, session),
        }

    def said_of(self, target: PoseTarget, session: PoseSession) -> str:
        """What the panel says once that was chosen. While a run goes on the view keeps the run's; the next takes this one."""
        return paragraph(KEEPS_TARGET, calm=True) if running(session) else paragraph(" ".join(target.notices))

    def degrees(self, session: PoseSession, joint: str) -> dict[Any, Any]:
        """The axis-angle of a joint of the target, in degrees."""
        if session.target is None:
            return {self.panel.message: gr.skip()}
        index = targets.joint_index(session.target, joint)
        angles = [round(float(angle)) for angle in session.target.rotvec[index].rad2deg()]
        return dict(zip(self.panel.angles, angles, strict=True))

    def joints(self, session: PoseSession) -> dict[Any, Any]:
        """The joints of the target's body to choose from, and how the first of them is turned."""
        if session.target is None:
            return {self.panel.message: gr.skip()}
        names = session.target.body.skeleton.names
        first = first_joint(names)
        return {self.panel.joint: gr.update(choices=joint_choices(names), value=first), **self.degrees(session, first)}

    def drawing(self, model: str) -> Task:
        """Whose F draws poses by number, where that model is searched."""
        return self.models.get(drawing_task(model))

    def on_number(self, request: gr.Request, number: Any, joint: str, *values: Any) -> dict[Any, Any]:
        session, task = self.session(request), self.drawing(self.form.read(values)["model"])
        return {**self.choose(session, lambda: targets.drawn(task, number), values), **self.degrees(session, joint)}

    def on_another(self, request: gr.Request, joint: str, *values: Any) -> dict[Any, Any]:
        number = random.randrange(10_000)
        return {self.panel.number: number, **self.on_number(request, number, joint, *values)}

    def on_upload(
        self, request: gr.Request, path: str | None, frame: Any, names: str | None, joint: str, *values: Any
    ) -> dict[Any, Any]:
        session = self.session(request)
        if path is None:
            return {self.panel.message: gr.skip()}
        joints = None if names is None else Path(names)
        drawing = drawing_task(self.form.read(values)["model"])
        shown = self.choose(session, lambda: targets.uploaded(Path(path), frame, joints, drawing), values)
        return {**shown, **self.degrees(session, joint)}

    def on_joint(self, joint: str, request: gr.Request) -> Any:
        session = self.session(request)
        return self.degrees(session, joint) if session.target is not None else [gr.skip()] * len(self.panel.angles)

    def on_angles(self, request: gr.Request, joint: str, x: Any, y: Any, z: Any, *values: Any) -> dict[Any, Any]:
        session = self.session(request)
        before = session.target
        if before is None:
            return {self.panel.message: gr.skip()}
        return self.choose(session, lambda: targets.edited(before, joint, [x, y, z]), values)

    # --- the settings ---------------------------------------------------------------------------------------

    def wire_form(self, actions: FormActions) -> None:
        form, fields = self.form, self.form.components
        panel = self.panel
        everything = [*fields, *self.outputs, panel.joint]
        self.loaded = self.page.opens(NAME, self.on_address, [*everything, panel.number])
        self.wire_table()
        self.wire_spaces()
        gr.on(form.changed_but("model"), self.on_settings, fields, self.note, **LATEST)
        chosen = form["model"].input(self.on_model, [panel.file, panel.frame, panel.names, *fields], everything, **QUICK)
        chosen.then(self.on_settings, fields, self.note, **QUICK)
        actions.reset.click(self.on_reset, outputs=[*fields, self.note], **QUICK)
        self.wire_cards(actions.card, everything)

    def on_address(self, request: gr.Request, query: dict[str, str]) -> dict[Any, Any]:
        session = self.session(request)
        asked, visible, notes = events.open_page(self.models, session, query)
        values = values_of(asked)
        note = told(events.note(self.models, session, values), notes)
        form = {**self.filled(values), self.note: note}
        if session.target is None:
            return {**form, self.view: sent({"kind": "missing", "text": session.missing})}
        number = session.target.query.get(TARGET, "").removeprefix("drawn-")
        drawn = {self.panel.number: int(number)} if number.isdigit() else {}
        shown = sent(stream.target_message(session.target, visible))
        return {**form, **drawn, self.view: shown, self.panel.message: "", **self.joints(session)}

    def on_settings(self, request: gr.Request, *values: Any) -> str:
        return sent(events.note(self.models, self.session(request), self.form.read(values)))

    def start_of(self, values: Mapping[str, Any]) -> Start:
        return start_for(values["k"])

    def on_model(self, request: gr.Request, path: str | None, frame: Any, names: str | None, *values: Any) -> dict[Any, Any]:
        """Each model has its own Θs, and optimisers that can search it; the rest stays. Another prior has another body, which
        the target becomes one of."""
        model, session = self.form.read(values)["model"], self.session(request)
        filled = self.filled(values_of(defaults(self.models, model)))
        staying = [self.form[name] for name in ("model", "k", "steps", "seed", PRIOR)]
        form = {component: value for component, value in filled.items() if component not in staying}
        drawing, before = self.drawing(model), session.target
        if before is not None and before.drawing == drawing.name:
            return form
        shown = self.choose(session, lambda: targets.of_another_body(drawing, before, path, frame, names), values)
        return {**form, **shown, **self.joints(session)}

    def on_reset(self, request: gr.Request) -> dict[Any, Any]:
        values = values_of(defaults(self.models))
        return {**self.filled(values), self.note: sent(events.note(self.models, self.session(request), values))}

    def taken_up(self, request: gr.Request, data: bytes, said: str, origin: Any, values: Sequence[Any]) -> dict[Any, Any]:
        session = self.session(request)
        try:
            card, sentence = events.load_card(self.models, session, data, said)
        except UserError as error:
            return {self.note: note_of(str(error), error=True)}
        assert session.target is not None
        session.target = as_it_was(session.target, origin)
        filled = values_of(from_card(card))
        note = told(events.note(self.models, session, filled), [sentence], error=False)
        shown = sent(stream.target_message(session.target, card.visible))
        return {
            **self.filled(filled),
            self.view: shown,
            self.note: note,
            self.panel.message: self.said_of(session.target, session),
            **self.joints(session),
        }

    # --- the run --------------------------------------------------------------------------------------------

    def start(self, session: PoseSession, values: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Message]:
        return events.start(self.models, session, from_values(values), data.get("visible"))

    def by_card(self, session: PoseSession, data: bytes) -> Iterator[Message]:
        card, _ = events.load_card(self.models, session, data)
        return events.start(self.models, session, from_card(card), card.visible)

    def resume(self, session: PoseSession, steps: Any) -> Iterator[Message]:
        return events.resume(session, steps)

    def export(self, session: PoseSession) -> Path:
        return events.export(session)

    def clip(self, data: Mapping[str, Any], values: Sequence[Any]) -> Source:
        """What the panel below follows."""
        number, path, names, *fields = values
        race = from_values({**self.form.read(fields), "k": 1}).settings
        return source_of(self.models.get(race.task), self.drawing(race.task), race, number, path, names, data)


def figure_view(missed: Callable[[Any], list[dict[str, Any]]], elem_id: str = "figures") -> gr.HTML:
    """It takes the messages of `app.pose.stream` and emits: run {visible}, stop, cancel (while queued), more {steps},
    export, landscape and restore {card, number, origin}, again {runs}. `missed` is called with [run id, first number] for
    messages that were lost.
    """
    emits = ("run", "stop", "cancel", "more", "export", "landscape", "restore", "again")
    return view("pose/figures", emits, elem_id=elem_id, server_functions=[missed])
