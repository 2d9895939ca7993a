"""Choosing a model and a target for it: a picture the model draws, an example, or a crop of the visitor's own."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from app.runs.models import Models, label
from app.runs.session import Message, Picked, Session, Visitors
from app.target import targets
from app.target.targets import LABELS, choose, crop, mark_eyes, photo_message, picker_message, upload
from app.views.form import Form
from app.views.view import sent, view
from app.views.wiring import LATEST, QUICK, SHORT, data_of, paragraph

SOURCES = [("Example", "example"), ("Model draws", "drawn"), ("Upload", "photo")]
MOST_BESIDE = 4  # more models than that are a list to open
Shown = Callable[[Any, Message | None, Mapping[str, Any]], dict[Any, Any]]


@dataclass(frozen=True)
class TargetPanel:
    """The panel's components; `groups` follow `source`, one visible at a time."""

    model: gr.Radio | gr.Dropdown
    source: gr.Radio
    groups: dict[str, gr.Group]
    number: gr.Number
    another: gr.Button
    picker: gr.HTML
    file: gr.File
    crop: gr.HTML
    message: gr.HTML


def build_target(
    models: Sequence[str], prefix: str = "", words: Callable[[str], str] = label, *, draws: bool = True, own: bool = False
) -> TargetPanel:
    """Lay the panel out in the current container; `prefix` keeps element ids apart where two tabs have one. `words` is what a
    model is called, `draws` whether pictures of its own are offered, `own` whether there are plug-ins, which read numbers."""
    model = _model([(words(name), name) for name in models], prefix)
    gr.HTML("<h2>Target</h2>")
    sources = [each for each in SOURCES if draws or each[1] != "drawn"]
    source = gr.Radio(sources, value="example", show_label=False, label="Where the target comes from", elem_classes="segmented")
    groups = {}
    with gr.Group(visible=False) as groups["drawn"], gr.Row(elem_classes="pair"):
        number = gr.Number(targets.FIRST_DRAWN, label="Picture number", precision=0, minimum=0, elem_id=f"{prefix}drawn-number")
        another = gr.Button("Draw another", elem_id=f"{prefix}draw-another", elem_classes="quiet")
    with gr.Group() as groups["example"]:
        picker = picker_view(f"{prefix}examples")
    with gr.Group(visible=False) as groups["photo"]:
        accepted = "Picture, NPY, CSV or JSON" if own else "PNG, JPEG, WebP or GIF"
        file = gr.File(label=accepted, type="filepath", height=110, elem_id=f"{prefix}upload")
        crop = crop_view(f"{prefix}crop")
    message = gr.HTML(elem_id=f"{prefix}target-message", elem_classes="message")
    return TargetPanel(model, source, groups, number, another, picker, file, crop, message)


def _model(choices: Sequence[tuple[str, str]], prefix: str) -> gr.Radio | gr.Dropdown:
    first = choices[0][1] if choices else None
    facts = {"value": first, "label": "Model", "visible": len(choices) > 1, "elem_id": f"{prefix}model"}
    if len(choices) > MOST_BESIDE:
        return gr.Dropdown(choices, **facts)
    return gr.Radio(choices, **facts, elem_classes="segmented")


class TargetChooser:
    """Listeners of a target panel. `form` are the tab's settings, the model among them; `shown` says what a new target
    changes in the tab's own components `others`: it is called with the session, the target's message (None while a run is
    going) and the form's values."""

    def __init__(
        self, models: Models, sessions: Visitors[Any], panel: TargetPanel, form: Form, others: Sequence[Component],
        shown: Shown,
    ) -> None:  # fmt: skip
        self.models, self.sessions, self.panel = models, sessions, panel
        self.form, self.shown = form, shown
        self.outputs = [*others, panel.message]

    def wire(self) -> None:
        panel, fields, outputs = self.panel, self.form.components, self.outputs
        groups = [*panel.groups.values(), panel.picker]
        panel.source.input(self.on_source, [panel.source, panel.number, *fields], [*groups, *outputs], **LATEST)
        for typed in (panel.number.submit, panel.number.blur):
            typed(self.on_number, [panel.number, *fields], outputs, **LATEST)
        panel.another.click(self.on_another, fields, [panel.number, *outputs], **LATEST)
        panel.picker.pick(self.on_pick, fields, [panel.picker, *outputs], **LATEST)
        panel.file.upload(self.on_upload, [panel.file, *fields], [panel.crop, *outputs], **SHORT)
        panel.file.clear(self.on_clear, fields, [panel.crop, *outputs], **QUICK)
        panel.crop.crop(self.on_crop, fields, outputs, **LATEST)
        panel.crop.eyes(self.on_eyes, fields, [panel.crop, *outputs], **LATEST)

    def choose(self, session: Session[Picked, Any], make: Callable[[], Picked], values: Mapping[str, Any]) -> dict[Any, Any]:
        """Take a target and say what that means."""
        message, sentence = choose(session, make)
        said = paragraph(sentence, calm=sentence == targets.KEEPS_TARGET)
        return {**self.shown(session, message, values), self.panel.message: said}

    def kept(self, session: Session[Picked, Any], values: Mapping[str, Any]) -> dict[Any, Any]:
        """Another model was chosen: say what becomes of the target."""
        return self.choose(session, lambda: targets.for_model(session.target, self.models.get(values["model"])), values)

    def panel_of(self, session: Session[Picked, Any]) -> dict[Any, Any]:
        """What the panel shows for a session's target that came from elsewhere, or where an address asked for a picture that is
        not here, that; for events with the outputs `panel_outputs` and those of a choice."""
        panel, picked = self.panel, session.target
        if picked is None:
            return {panel.source: "photo", **self._groups("photo"), panel.message: paragraph(session.missing)}
        query = picked.query.get("target", "")
        source = "drawn" if query.startswith(targets.DRAWN) else "example" if query in LABELS else None
        if query == targets.UPLOAD:
            source = "photo"
        number = {panel.number: int(query.removeprefix(targets.DRAWN))} if source == "drawn" else {}
        picker = sent(picker_message(query if source == "example" else None))
        said = [f"The target is {picked.label}."] if source is None else []
        said += [targets.KEEPS_TARGET] if targets.running(session) else []
        message = paragraph(" ".join(said), calm=True)
        return {panel.source: source, **self._groups(source), **number, panel.picker: picker, panel.message: message}

    @property
    def panel_outputs(self) -> list[Component]:
        """The components of `panel_of`, but for the message."""
        panel = self.panel
        return [panel.source, *panel.groups.values(), panel.number, panel.picker]

    def _groups(self, source: str | None) -> dict[Any, Any]:
        return {group: gr.update(visible=name == source) for name, group in self.panel.groups.items()}

    def _drawn(self, number: Any, values: Mapping[str, Any]) -> Callable[[], Picked]:
        return lambda: targets.drawn(self.models.get(values["model"]), number)

    def _side(self, values: Mapping[str, Any]) -> int:
        """Of the chosen model's pictures."""
        return self.models.get(values["model"]).side

    def _session(self, request: gr.Request) -> Session[Picked, Any]:
        session: Session[Picked, Any] = self.sessions.get(request.session_hash)
        return session

    def on_source(self, request: gr.Request, source: str, number: Any, *values: Any) -> dict[Any, Any]:
        session, form, groups = self._session(request), self.form.read(values), self._groups(source)
        if source == "drawn":
            return {**groups, **self.choose(session, self._drawn(number, form), form)}
        if source == "example":
            name = targets.first_example(form["model"]) or next(iter(LABELS))
            picker = sent(picker_message(name))
            return {
                **groups,
                self.panel.picker: picker,
                **self.choose(session, lambda: targets.example_for(name, self.models.get(form["model"])), form),
            }
        photo = session.photo
        if photo is None:
            return groups
        return {**groups, **self.choose(session, lambda: targets.cropped(photo, self._side(form)), form)}

    def on_number(self, request: gr.Request, number: Any, *values: Any) -> dict[Any, Any]:
        form = self.form.read(values)
        return self.choose(self._session(request), self._drawn(number, form), form)

    def on_another(self, request: gr.Request, *values: Any) -> dict[Any, Any]:
        number = random.randrange(10_000)
        return {self.panel.number: number, **self.on_number(request, number, *values)}

    def on_pick(self, request: gr.Request, event: gr.EventData, *values: Any) -> dict[Any, Any]:
        name = str(data_of(event).get("name"))
        form = self.form.read(values)
        shown = self.choose(self._session(request), lambda: targets.example_for(name, self.models.get(form["model"])), form)
        return {self.panel.picker: sent(picker_message(name)), **shown}

    def on_upload(self, request: gr.Request, path: str, *values: Any) -> dict[Any, Any]:
        session, form = self._session(request), self.form.read(values)
        session.photo = None
        shown = self.choose(session, lambda: upload(session, path, self.models.get(form["model"])), form)
        return {self.panel.crop: sent(photo_message(session.photo)), **shown}

    def on_clear(self, request: gr.Request, *values: Any) -> dict[Any, Any]:
        """Without the visitor's file the target is the one that one begins with."""
        session, form = self._session(request), self.form.read(values)
        session.photo = None
        chosen = self.choose(session, lambda: targets.first(self.models.get(form["model"])), form)
        label = session.target.label if session.target is not None else ""
        said = paragraph(f"Your picture is no longer used; the target is {label} again.", calm=True)
        return {self.panel.crop: None, **chosen, self.panel.message: said}

    def on_crop(self, request: gr.Request, event: gr.EventData, *values: Any) -> dict[Any, Any]:
        session, form = self._session(request), self.form.read(values)
        return self.choose(session, lambda: crop(session, data_of(event).get("box"), self._side(form)), form)

    def on_eyes(self, request: gr.Request, event: gr.EventData, *values: Any) -> dict[Any, Any]:
        session, form = self._session(request), self.form.read(values)
        shown = self.choose(session, lambda: mark_eyes(session, data_of(event).get("points"), self._side(form)), form)
        return {self.panel.crop: sent(photo_message(session.photo)), **shown}


def crop_view(elem_id: str = "crop") -> gr.HTML:
    """Value: {"photo": data URL, "width", "height", "box": [left, top, side, angle], "eyes": whether to ask for them,
    "notices": [...]} or None; pixels of that photo, degrees clockwise.

    Emits crop {box} when the visitor lets go, and eyes {points: [[x, y], [x, y]]} when both were clicked.
    """
    return view("target/crop", ("crop", "eyes"), elem_id=elem_id)


def picker_view(elem_id: str = "picker") -> gr.HTML:
    """Value: {"items": [{"name", "label", "src"}], "chosen": name or None}. Emits pick {name}."""
    return view("target/picker", ("pick",), elem_id=elem_id)
