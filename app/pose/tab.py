"""The Pose tab: one body pose, inverted in X and in a learned Z, seen whole or in part. Layout and wiring only."""

from __future__ import annotations

import html
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from app.pose import run as events
from app.pose import stream as pose_stream
from app.pose.form import PoseForm, PoseTarget, build_pose_form, build_pose_target, defaults, settings_from, values_of
from app.runs.models import Models
from app.runs.session import Picked, Session, Sessions
from app.runs.standing import StandingSource, standing_of
from app.target.targets import KEEPS_TARGET, running
from app.views.form import optimiser_choices, optimiser_values, space_choices
from app.views.link import LandscapeLink
from app.views.view import sent, view
from app.views.wiring import COMPUTE, QUICK, click, missed
from landscape_core.errors import UserError
from landscape_core.pose.task import NAMES, Observation, load_body, load_pose_task
from landscape_core.search.optimizers import OptimizerName
from landscape_core.search.task import Task, X

NAME = "Pose"
DRAWING = NAMES["rotations"]  # whose F draws poses by number


def pose_models() -> Models:
    """The pose prior seen through each kind of observation."""

    def source(observation: Observation) -> Callable[[str], Task]:
        return lambda _: load_pose_task(observation)

    return Models({name: source(observation) for observation, name in NAMES.items()})


def build_pose(demo: gr.Blocks, models: Models, link: LandscapeLink) -> StandingSource:
    """Lay the tab out inside the current container and wire it; its runs are what it returns, by session."""
    sessions = Sessions()
    with gr.Row(elem_classes="invert pose"):
        with gr.Column(elem_classes="card target-card"):
            target = build_pose_target(list(load_body().skeleton.names))
        with gr.Column(elem_classes="card race-card"):
            view = figure_view(missed(sessions))
            status = gr.HTML(elem_id="pose-status")
            download = gr.DownloadButton("download", elem_id="pose-export-file")
        with gr.Column(elem_classes="card settings-card"):
            gr.HTML("<h2>Search</h2>")
            form = build_pose_form(models)
    tab = PoseTab(models, sessions, target, form, view)
    tab.wire(demo, status, download)
    view.landscape(lambda: link.opened(NAME), outputs=link.outputs, **QUICK)

    def leave(request: gr.Request) -> None:
        sessions.drop(request.session_hash)

    demo.unload(leave)
    return lambda key: standing_of(sessions.get(key).run)


class PoseTab:
    """Listeners of the tab. Each finds the visitor's session and hands on to `pose_run`."""

    def __init__(self, models: Models, sessions: Sessions, target: PoseTarget, form: PoseForm, view: gr.HTML) -> None:
        self.models, self.sessions = models, sessions
        self.target, self.form, self.view = target, form, view

    def session(self, request: gr.Request) -> Session:
        return self.sessions.get(request.session_hash)

    def wire(self, demo: gr.Blocks, status: gr.HTML, download: gr.DownloadButton) -> None:
        panel, form, view = self.target, self.form, self.view
        outputs: list[Component] = [view, panel.message]
        demo.load(self.on_number, [panel.number, panel.joint], [*outputs, *panel.angles], **QUICK)
        panel.number.submit(self.on_number, [panel.number, panel.joint], [*outputs, *panel.angles], **QUICK)
        panel.another.click(self.on_another, panel.joint, [panel.number, *outputs, *panel.angles], **QUICK)
        panel.file.upload(self.on_upload, [panel.file, panel.frame, panel.joint], [*outputs, *panel.angles], **COMPUTE)
        panel.frame.submit(self.on_upload, [panel.file, panel.frame, panel.joint], [*outputs, *panel.angles], **COMPUTE)
        panel.joint.input(self.on_joint, panel.joint, panel.angles, **QUICK)
        for angle in panel.angles:
            angle.release(self.on_angles, [panel.joint, *panel.angles], outputs, **QUICK)
        form.observation.input(self.on_observation, form.observation, [form.space, *form.z], **QUICK)
        form.space.input(self.on_space, [form.observation, form.space], form.z, **QUICK)
        for name, *settings in (form.x, form.z):
            name.input(self.on_optimiser, [form.observation, name], settings, **QUICK)
        form.reset.click(self.on_reset, outputs=form.fields, **QUICK)
        form.card.upload(self.on_card, [form.card, panel.joint], [*form.fields, *outputs, *panel.angles], **COMPUTE)
        progress = {"show_progress": "full", "show_progress_on": status}
        begun = view.run(self.on_run, form.fields, view, **COMPUTE, **progress)
        further = view.more(self.on_more, outputs=view, **COMPUTE, **progress)
        view.stop(self.on_stop, **QUICK)
        view.cancel(self.on_stop, cancels=[begun, further], **QUICK)
        view.export(self.on_export, outputs=[download, view], **COMPUTE, **progress).success(None, js=click("pose-export-file"))

    # --- the target -----------------------------------------------------------------------------------------

    def choose(self, session: Session, make: Callable[[], Picked], joint: str) -> list[Any]:
        """Take a target and show it: view, message, and the chosen joint's angles. A run that is going stays in view."""
        try:
            session.target = make()
        except UserError as error:
            return [gr.skip(), f"<p>{html.escape(str(error))}</p>", gr.skip(), gr.skip(), gr.skip()]
        degrees = _degrees(session.target, joint)
        if running(session):
            return [gr.skip(), f"<p>{KEEPS_TARGET}</p>", *degrees]
        return [sent(self.shown(session.target)), "", *degrees]

    def shown(self, picked: Picked) -> dict[str, Any]:
        return pose_stream.target_message(load_body(), picked.picture, picked.label)

    def on_number(self, number: Any, joint: str, request: gr.Request) -> list[Any]:
        task = self.models.get(DRAWING)
        return self.choose(self.session(request), lambda: events.drawn(task, number), joint)

    def on_another(self, joint: str, request: gr.Request) -> list[Any]:
        number = random.randrange(10_000)
        return [number, *self.on_number(number, joint, request)]

    def on_upload(self, path: str | None, frame: Any, joint: str, request: gr.Request) -> list[Any]:
        if path is None:
            return [gr.skip()] * 5
        return self.choose(self.session(request), lambda: events.uploaded(Path(path), frame), joint)

    def on_joint(self, joint: str, request: gr.Request) -> list[Any]:
        target = self.session(request).target
        return [gr.skip()] * 3 if target is None else _degrees(target, joint)

    def on_angles(self, joint: str, x: Any, y: Any, z: Any, request: gr.Request) -> list[Any]:
        session = self.session(request)
        if session.target is None:
            return [gr.skip(), gr.skip()]
        before = session.target
        return self.choose(session, lambda: events.edited(before, joint, [x, y, z]), joint)[:2]

    # --- the settings ---------------------------------------------------------------------------------------

    def on_observation(self, observation: str) -> list[Any]:
        """Each kind of observation has its own Θs."""
        first = next(iter(self.models.get(observation).mappings))
        return [self.spaces(observation, first), *self.on_space(observation, first)]

    def spaces(self, observation: str, chosen: str) -> dict[str, Any]:
        return gr.update(choices=space_choices(list(self.models.get(observation).mappings)), value=chosen)

    def on_space(self, observation: str, space: str) -> list[Any]:
        task = self.models.get(observation)
        return optimiser_values(task, space, task.advice(space))

    def on_optimiser(self, observation: str, name: OptimizerName) -> list[float]:
        chosen = self.models.get(observation).advice(X, name)
        return [chosen.lr, chosen.first_move, chosen.history]

    def fill(self, values: list[Any]) -> list[Any]:
        """The form's values, with the spaces that there are for what is observed, and what can search them."""
        observation, space, task = values[0], values[2], self.models.get(values[0])
        for place, searched in ((5, X), (9, space)):
            values[place] = gr.update(choices=optimiser_choices(task.optimizers(searched)), value=values[place])
        values[2] = self.spaces(observation, space)
        return values

    def on_reset(self) -> list[Any]:
        return self.fill(values_of(*defaults(self.models)))

    def on_card(self, data: bytes, joint: str, request: gr.Request) -> list[Any]:
        session = self.session(request)
        try:
            card, sentence = events.load_card(self.models, session, data)
        except UserError as error:
            return [*[gr.skip()] * (len(self.form.fields) + 1), f"<p>{html.escape(str(error))}</p>", *[gr.skip()] * 3]
        assert session.target is not None
        shown = pose_stream.target_message(load_body(), session.target.picture, session.target.label, card.visible)
        said = f"<p>{html.escape(sentence)}</p>"
        return [*self.fill(values_of(card.settings, card.hypotheses)), sent(shown), said, *_degrees(session.target, joint)]

    # --- the run --------------------------------------------------------------------------------------------

    def on_run(self, event: gr.EventData, request: gr.Request, *values: Any) -> Iterator[str]:
        session = self.session(request)

        def messages() -> Iterator[dict[str, Any]]:
            settings, k = settings_from(values)
            yield from events.start(self.models, session, settings, k, event._data.get("visible"))

        yield from _sent(messages())

    def on_more(self, event: gr.EventData, request: gr.Request) -> Iterator[str]:
        yield from _sent(events.resume(self.session(request), event._data.get("steps")))

    def on_stop(self, request: gr.Request) -> None:
        self.session(request).stop()

    def on_export(self, request: gr.Request) -> list[Any]:
        try:
            return [str(events.export(self.session(request))), sent({"kind": "exported"})]
        except UserError as error:
            return [gr.skip(), sent({"kind": "error", "text": str(error)})]


def _sent(messages: Iterator[dict[str, Any]]) -> Iterator[str]:
    """Messages as the view takes them; a user's mistake becomes the last one."""
    try:
        for message in messages:
            yield sent(message)
    except UserError as error:
        yield sent({"kind": "error", "text": str(error)})


def _degrees(picked: Picked, joint: str) -> list[float]:
    """A joint's axis-angle in degrees."""
    index = load_body().skeleton.names.index(joint)
    return [round(float(angle)) for angle in picked.picture[index].rad2deg()]


def figure_view(missed: Callable[[Any], list[dict[str, Any]]], elem_id: str = "figures") -> gr.HTML:
    """It takes the messages of `app.pose.stream` and emits: run {visible}, stop, cancel (while queued), more {steps},
    export and landscape. `missed` is called with [run id, first number] for messages that were lost.
    """
    return view("figure", ("run", "stop", "cancel", "more", "export", "landscape"), elem_id=elem_id, server_functions=[missed])
