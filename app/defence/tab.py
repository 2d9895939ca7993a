"""The Defence tab: a picture is attacked, and restored in X and in a learned Z. Layout and wiring only."""

from __future__ import annotations

import html
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import gradio as gr

from app.defence import count as defence_count
from app.defence import pictures as defence_pictures
from app.defence import run as events
from app.defence import stream as defence_stream
from app.defence.examples import EXAMPLES
from app.defence.form import DefenceForm, PictureForm, advice, build_defence_form, build_picture, choice_from
from app.defence.pictures import NO_CIFAR, Defences, cifar_at
from app.runs.latest import Job, Latest
from app.runs.session import Picked, Session, Sessions
from app.runs.standing import StandingSource, standing_of
from app.target.targets import photo_message
from app.views.form import space_choices
from app.views.link import LandscapeLink
from app.views.view import APP, sent, view
from app.views.wiring import COMPUTE, QUICK, click, missed
from landscape_core.defence.attacks import ATTACKS
from landscape_core.defence.task import classifier_names, load_defence
from landscape_core.errors import UserError

NAME = "Defence"
DATA = APP.parent / "data"
Chosen = tuple[Picked, int | None]


def embedded_defences() -> Defences:
    """Every classifier in assets/ that has a contrastive head, and CIFAR-10 where data/ has it."""
    return Defences({name: partial(load_defence, name) for name in classifier_names()}, cifar_at(DATA))


def build_defence(demo: gr.Blocks, link: LandscapeLink, defences: Defences | None = None) -> StandingSource:
    """Lay the tab out inside the current container and wire it; returns the run that stands in it."""
    defences, sessions, jobs = defences or embedded_defences(), Sessions(), Latest(Job)
    with gr.Row(elem_classes="invert"):
        with gr.Column(elem_classes="card target-card"):
            picture = build_picture(defences)
        with gr.Column(elem_classes="defence-column"):
            with gr.Column(elem_classes="card race-card"):
                view = defence_view(missed(sessions))
                status = gr.HTML(elem_id="defence-status")
                download = gr.DownloadButton("download", elem_id="defence-file-out")
            with gr.Column(elem_classes="card race-card"):
                counting = counting_view(missed(jobs))
                count_status = gr.HTML(elem_id="count-status")
        with gr.Column(elem_classes="card settings-card"):
            gr.HTML("<h2>Attack and defence</h2>")
            form = build_defence_form(defences)
    tab = DefenceTab(defences, sessions, jobs, picture, form, view)
    tab.wire_picture(demo)
    tab.wire_run(link, status, download)
    tab.wire_count(demo, counting, count_status)

    def leave(request: gr.Request) -> None:
        sessions.drop(request.session_hash)
        jobs.drop(request.session_hash)

    demo.unload(leave)
    return lambda key: standing_of(sessions.get(key).run)


class DefenceTab:
    """Listeners of the tab. Each finds the visitor's session and hands on to `defence_run` and `defence_count`."""

    def __init__(
        self, defences: Defences, sessions: Sessions, jobs: Latest[Job], picture: PictureForm, form: DefenceForm, view: gr.HTML
    ) -> None:
        self.defences, self.sessions, self.jobs = defences, sessions, jobs
        self.picture, self.form, self.view = picture, form, view

    def session(self, request: gr.Request) -> Session:
        return self.sessions.get(request.session_hash)

    # --- the picture ----------------------------------------------------------------------------------------

    def wire_picture(self, demo: gr.Blocks) -> None:
        panel, model = self.picture, self.form.classifier
        outputs = [self.view, panel.truth, panel.message]
        numbered = [model, panel.label, panel.number]
        demo.load(self.on_load, [panel.source, *numbered], [panel.picker, *outputs], **QUICK)
        groups = [*panel.groups.values(), panel.picker]
        panel.source.input(self.on_source, [panel.source, *numbered], [*groups, *outputs], **QUICK)
        for changed in (panel.label.input, panel.number.submit, panel.number.blur):
            changed(self.on_number, numbered, outputs, **QUICK)
        panel.another.click(self.on_another, [model, panel.label], [panel.number, *outputs], **QUICK)
        panel.picker.pick(self.on_pick, model, [panel.picker, *outputs], **QUICK)
        panel.file.upload(self.on_upload, [model, panel.file], [panel.crop, *outputs], **COMPUTE)
        panel.file.clear(lambda: None, outputs=panel.crop, **QUICK)
        panel.crop.crop(self.on_crop, model, outputs, **QUICK)
        for again in (panel.truth.input, model.input):
            again(self.on_again, [model, panel.truth], [self.view, panel.message], **QUICK)

    def choose(self, session: Session, model: str, make: Callable[[], Chosen]) -> list[Any]:
        """Take a picture and show it: view, true class (where unknown what the classifier says), message."""
        try:
            session.target, truth = make()
            defence = self.defences.get(model)
            truth = events.guess(defence, session.target) if truth is None else truth
            return [sent(defence_stream.picture_message(defence, session.target, truth)), truth, ""]
        except UserError as error:
            return [gr.skip(), gr.skip(), f"<p>{html.escape(str(error))}</p>"]

    def from_source(self, source: str, session: Session, label: Any, number: Any) -> Callable[[], Chosen] | None:
        if source == "cifar":
            return lambda: defence_pictures.from_cifar(self.defences.cifar, label, number)
        if source == "example":
            return lambda: defence_pictures.example(next(iter(EXAMPLES)))
        photo = session.photo
        return None if photo is None else lambda: (defence_pictures.cropped(photo), None)

    def on_load(self, source: str, model: str, label: str, number: Any, request: gr.Request) -> list[Any]:
        session = self.session(request)
        make = self.from_source(source, session, label, number)
        chosen = next(iter(EXAMPLES)) if source == "example" else None
        picker = sent(defence_pictures.picker_message(chosen))
        return [picker, *(self.choose(session, model, make) if make else [gr.skip()] * 3)]

    def on_source(self, source: str, model: str, label: str, number: Any, request: gr.Request) -> list[Any]:
        groups = [gr.update(visible=name == source) for name in self.picture.groups]
        return [*groups, *self.on_load(source, model, label, number, request)]

    def on_number(self, model: str, label: str, number: Any, request: gr.Request) -> list[Any]:
        return self.choose(
            self.session(request), model, lambda: defence_pictures.from_cifar(self.defences.cifar, label, number)
        )

    def on_another(self, model: str, label: str, request: gr.Request) -> list[Any]:
        cifar = self.defences.cifar
        number = random.randrange(len(cifar.files[label])) if cifar is not None and label in cifar.files else 0
        return [number, *self.on_number(model, label, number, request)]

    def on_pick(self, event: gr.EventData, model: str, request: gr.Request) -> list[Any]:
        name = event._data.get("name")
        shown = self.choose(self.session(request), model, lambda: defence_pictures.example(name))
        return [sent(defence_pictures.picker_message(name)), *shown]

    def on_upload(self, model: str, path: str, request: gr.Request) -> list[Any]:
        session = self.session(request)
        session.photo = None

        def opened() -> Chosen:
            session.photo = defence_pictures.opened(path)
            return defence_pictures.cropped(session.photo), None

        shown = self.choose(session, model, opened)
        return [sent(photo_message(session.photo)), *shown]

    def on_crop(self, event: gr.EventData, model: str, request: gr.Request) -> list[Any]:
        session = self.session(request)
        return self.choose(session, model, lambda: (defence_pictures.recropped(session, event._data.get("box")), None))

    def on_again(self, model: str, truth: Any, request: gr.Request) -> list[Any]:
        """Another classifier, or another word for what the picture shows."""
        target = self.session(request).target
        if target is None:
            return [gr.skip(), gr.skip()]
        shown, _, message = self.choose(self.session(request), model, lambda: (target, truth))
        return [shown, message]

    # --- the settings and the run ---------------------------------------------------------------------------

    def wire_run(self, link: LandscapeLink, status: gr.HTML, download: gr.DownloadButton) -> None:
        view, form = self.view, self.form
        space, ascents, x_rate, z_rate = form.space, form.fields[5], form.fields[6], form.fields[7]
        form.classifier.input(self.on_model, form.classifier, [space, x_rate, z_rate], **QUICK)
        space.input(self.on_space, [form.classifier, space], z_rate, **QUICK)
        form.attack.input(lambda attack: ATTACKS[attack].steps, form.attack, ascents, **QUICK)
        progress = {"show_progress": "full", "show_progress_on": status}
        begun = view.run(self.on_run, [*form.fields, self.picture.truth], view, **COMPUTE, **progress)
        further = view.more(self.on_more, outputs=view, **COMPUTE, **progress)
        view.stop(self.on_stop, **QUICK)
        view.cancel(self.on_stop, cancels=[begun, further], **QUICK)
        view.export(self.on_export, outputs=[download, view], **COMPUTE).success(None, js=click("defence-file-out"))
        view.landscape(lambda: link.opened(NAME), outputs=link.outputs, **QUICK)

    def on_model(self, model: str) -> list[Any]:
        spaces, x, z = advice(self.defences, model)
        return [gr.update(choices=space_choices(spaces), value=spaces[0]), x, z]

    def on_space(self, model: str, space: str) -> float:
        return advice(self.defences, model, space)[2]

    def on_run(self, request: gr.Request, *values: Any) -> Iterator[str]:
        session = self.session(request)
        yield from _sent(lambda: events.start(self.defences, session, choice_from(self.defences, values)))

    def on_more(self, event: gr.EventData, request: gr.Request) -> Iterator[str]:
        session, more = self.session(request), event._data.get("steps")
        yield from _sent(lambda: events.resume(session, more))

    def on_stop(self, request: gr.Request) -> None:
        self.session(request).stop()

    def on_export(self, request: gr.Request) -> list[Any]:
        try:
            return [str(events.export(self.session(request))), sent({"kind": "exported"})]
        except UserError as error:
            return [gr.skip(), sent({"kind": "error", "text": str(error)})]

    # --- many pictures --------------------------------------------------------------------------------------

    def wire_count(self, demo: gr.Blocks, view: gr.HTML, status: gr.HTML) -> None:
        ready = {"kind": "ready"} if self.defences.cifar is not None else {"kind": "absent", "text": NO_CIFAR}
        demo.load(lambda: sent(ready), outputs=view, **QUICK)
        fields = [*self.form.fields, self.picture.truth]
        begun = view.run(self.on_count, fields, view, **COMPUTE, show_progress="full", show_progress_on=status)
        view.stop(self.on_count_stop, **QUICK)
        view.cancel(self.on_count_stop, cancels=[begun], **QUICK)

    def on_count(self, event: gr.EventData, request: gr.Request, *values: Any) -> Iterator[str]:
        job, n = self.jobs.begin(request.session_hash), event._data.get("n")
        yield from _sent(lambda: defence_count.count(self.defences, job, choice_from(self.defences, values), n))

    def on_count_stop(self, request: gr.Request) -> None:
        self.jobs.stop(request.session_hash)


def _sent(begin: Callable[[], Iterator[dict[str, Any]]]) -> Iterator[str]:
    """Messages as the view takes them; a user's mistake becomes the last one."""
    try:
        for message in begin():
            yield sent(message)
    except UserError as error:
        yield sent({"kind": "error", "text": str(error)})


def defence_view(missed: Callable[[Any], list[dict[str, Any]]], elem_id: str = "defence") -> gr.HTML:
    """It takes the messages of `app.defence.stream` and emits: run, stop, cancel (while queued), more {steps}, export and
    landscape. `missed` is called with [run id, first number] for messages that were lost.
    """
    emits = ("run", "stop", "cancel", "more", "export", "landscape")
    return view("defence/defence", emits, elem_id=elem_id, server_functions=[missed])


def counting_view(missed: Callable[[Any], list[dict[str, Any]]], elem_id: str = "counting") -> gr.HTML:
    """It takes the messages of `app.defence.count` and emits: run {n}, stop and cancel (while queued)."""
    return view("defence/counting", ("run", "stop", "cancel"), elem_id=elem_id, server_functions=[missed])
