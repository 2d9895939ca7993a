"""The Train tab: Θ for a model of this server, learned in the background and seen by every page. Layout and wiring only."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from app import limits
from app.runs.address import over, query_of
from app.runs.models import label
from app.runs.session import Message
from app.scratch import export_path, exported
from app.train.models import Trainable
from app.train.queue import Trainings
from app.train.request import DRAWN, FILES, PRESET_WORDS, Request, asked
from app.train.told import sheet, told
from app.views.form import Form, note_view
from app.views.page import Page
from app.views.view import sent, view
from app.views.wiring import EXPORT, LATEST, QUICK, SHORT, data_of, offer, paragraph, press, unseen_download
from landscape_core.errors import UserError

NAME = "Train"
OFF = (
    "Training is off on this server: other machines reach it and it was started without --train, or its folder for trainings "
    "cannot be had, which its log says."
)
_MINUTES = (
    "About how long it may take in all, on one core at low priority: loading, measuring the curvature, buffers and the looks "
    "after them. What of the preset does not fit is left out, and said."
)
_NAME = "Letters, digits and _. The Θ appears by this name under “Space Z” of the other tabs."
_DATA = "What Θ is learned on. Files are half of the targets, or less; the model draws the others."
_PRESET = "Which Θ, and how it is trained."
ADDRESS = ("task", "preset", "data", "minutes")


def build(page: Page, trainings: Trainings | None) -> None:
    """Lay the tab out inside the current container and wire it; without `trainings` it says that there are none here."""
    if trainings is None:
        gr.HTML(paragraph(OFF, calm=True), elem_id="train-off", elem_classes="card message")
        page.opens(NAME, lambda *_: {}, [])
        return
    with gr.Row(elem_classes="invert"):
        with gr.Column(elem_classes="card target-card"):
            gr.HTML("<h2>A Θ of your own</h2>")
            form, files = build_train_form(trainings.models)
            note = note_view("train-note")
        with gr.Column(elem_classes="race-column"), gr.Column(elem_classes="card race-card"):
            shown = train_view(trainings)
            download = unseen_download("train-file-out")
    TrainTab(page, trainings, form, files, shown, note).wire(download)


def build_train_form(models: Trainable) -> tuple[Form, gr.File]:
    """What is asked for, by the names of `Request`."""
    form, first = Form(), models.names[0]
    with gr.Group():
        every = [(label(name), name) for name in models.names]
        form["task"] = gr.Dropdown(every, value=first, label="Model F", elem_id="train-task")
        form["name"] = gr.Textbox(label="Name of the Θ", info=_NAME, max_lines=1, value="mine", elem_id="train-name")
        sources = [("Drawn by the model", DRAWN), ("Your files", FILES)]
        form["data"] = gr.Radio(
            sources, value=DRAWN, label="Targets", info=_DATA, elem_classes="segmented", elem_id="train-data"
        )
        files = gr.File(
            label=files_label(models, first), file_count="multiple", type="filepath", height=110, visible="hidden",
            elem_id="train-files",
        )  # fmt: skip
        button = '<button type="button" class="quiet" data-folder>Choose a folder</button>'
        folder = gr.HTML(button, visible="hidden", elem_id="train-folder")
        form["preset"] = gr.Dropdown(
            preset_choices(models, first), value="residual", label="Preset", info=_PRESET, elem_id="train-preset"
        )
        form["minutes"] = gr.Number(10, label="Budget in minutes", info=_MINUTES, minimum=0.5, elem_id="train-minutes")
    with gr.Accordion("Buffers and seed", open=False, elem_classes="more"):
        form["buffers"] = gr.Number(
            None, label="Buffers", info="How many at most; empty is the preset's number.", precision=0, minimum=1,
            elem_id="train-buffers",
        )  # fmt: skip
        form["seed"] = gr.Number(0, label="Seed", precision=0, minimum=0, elem_id="train-seed")
    form["data"].change(
        lambda data: [gr.update(visible=True if data == FILES else "hidden")] * 2, form["data"], [files, folder], **QUICK
    )
    return form, files


def preset_choices(models: Trainable, task: str) -> list[tuple[str, str]]:
    """The presets of a model with words for them."""
    return [(PRESET_WORDS[name], name) for name in models.presets(task)]


def files_label(models: Trainable, task: str) -> str:
    """What a model is trained on, where that is a visitor's."""
    if models.is_pose(task):
        return "BVH, AMASS, or a zip of them"
    return "What was observed" if models.is_own(task) else "Pictures, a folder or a zip of them"


class TrainTab:
    """Listeners of the tab."""

    def __init__(self, page: Page, trainings: Trainings, form: Form, files: gr.File, shown: gr.HTML, note: gr.HTML) -> None:
        self.page, self.trainings = page, trainings
        self.form, self.files, self.view, self.note = form, files, shown, note

    def wire(self, download: gr.DownloadButton) -> None:
        form, view = self.form, self.view
        self.download = download
        everything = [*form.components, self.files, self.note]
        loaded = self.page.opens(NAME, self.on_address, everything)
        loaded.then(self.on_ready, form["task"], view, **QUICK)
        gr.on(form.changed_but("task"), self.on_settings, form.components, self.note, **LATEST)
        form["task"].input(self.on_task, form.components, [form["preset"], self.files, self.view, self.note], **LATEST)
        view.train(self.on_train, [self.files, *form.components], [view, self.files], **SHORT)
        view.act(self.on_act, outputs=view, **QUICK)
        made = view.download(self.on_download, outputs=[download, view], **EXPORT)
        made.success(None, js=press(download))

    # --- the settings ---------------------------------------------------------------------------------------

    @property
    def models(self) -> Trainable:
        return self.trainings.models

    def on_ready(self, task: str) -> str:
        """What the view is told of the files that a model takes."""
        return sent({"kind": "ready", "most": limits.UPLOAD_FILES, "suffixes": self.models.suffixes(task)})

    def usual(self) -> dict[str, Any]:
        return Request(task=self.models.names[0], name="mine").model_dump(include=set(ADDRESS))

    def on_address(self, request: gr.Request, query: dict[str, str]) -> dict[Any, Any]:
        def check(values: dict[str, Any]) -> object:
            return asked(self.models, {"name": "mine", **values})

        values, notes = over(query, self.usual(), check, {"minutes": (0.5, limits.TRAINING_MINUTES)})
        presets = gr.update(choices=preset_choices(self.models, values["task"]), value=values["preset"])
        note, files = sent(self.noted(values, " ".join(notes))), gr.update(label=files_label(self.models, values["task"]))
        return {**self.form.filled({**values, "preset": presets}), self.files: files, self.note: note}

    def noted(self, values: dict[str, Any], text: str, level: str = "error") -> Message:
        """A sentence on the settings, which go into the address where they can be."""
        query = query_of({name: values[name] for name in ADDRESS}, self.usual())
        return {"text": text, "level": level if text else "plain", "query": query, "tab": "train"}

    def on_settings(self, *values: Any) -> str:
        now = self.form.read(values)
        try:
            asked(self.models, now)
        except UserError as error:
            return sent({"text": str(error), "level": "error", "query": None, "tab": "train"})
        return sent(self.noted(now, ""))

    def on_task(self, *values: Any) -> dict[Any, Any]:
        """Another model: it may have other presets, and learns on other files."""
        now = self.form.read(values)
        known = self.models.presets(now["task"])
        preset = now["preset"] if now["preset"] in known else known[0]
        chosen = gr.update(choices=preset_choices(self.models, now["task"]), value=preset)
        return {
            self.form["preset"]: chosen, self.files: gr.update(label=files_label(self.models, now["task"])),
            self.view: self.on_ready(now["task"]), self.note: sent(self.noted({**now, "preset": preset}, "")),
        }  # fmt: skip

    # --- trainings ------------------------------------------------------------------------------------------

    def on_train(self, files: list[str] | None, *values: Any) -> dict[Any, Any]:
        try:
            training = self.trainings.begin(asked(self.models, self.form.read(values)), files or [])
        except UserError as error:
            return {self.view: sent({"kind": "error", "text": str(error)})}
        return {self.view: sent({"kind": "begun", "id": training.id}), self.files: None}

    def on_act(self, event: gr.EventData) -> str:
        data = data_of(event)
        try:
            self.trainings.act(str(data.get("id")), str(data.get("act")))
        except UserError as error:
            return sent({"kind": "error", "text": str(error)})
        return sent({"kind": "done"})

    def on_download(self, event: gr.EventData) -> dict[Any, Any]:
        try:
            training = self.trainings.get(str(data_of(event).get("id")))
            if training.record.state != "done" or not training.bundle.exists():
                raise UserError("Its Θ is not there yet; wait until it is done.")
            return {self.download: offer(exported(partial(copied, training.bundle))), self.view: sent({"kind": "done"})}
        except UserError as error:
            return {self.view: sent({"kind": "error", "text": str(error)})}


def copied(path: Path) -> Path:
    """A copy of a file to be downloaded."""
    copy = export_path(path.name)
    shutil.copyfile(path, copy)
    return copy


def train_view(trainings: Trainings, elem_id: str = "train") -> gr.HTML:
    """It asks the server for the state of all trainings while it is in sight, and emits: train, act {id, act} and
    download {id}."""
    return view("train/train", ("train", "act", "download"), elem_id=elem_id, server_functions=server_functions(trainings))


def server_functions(trainings: Trainings) -> list[Callable[[Any], Any]]:
    """What the view asks for: the state of all trainings, and the pictures of one look."""

    def state(asked: Any) -> Message:
        """[id of the training that is shown, number of its looks that are known]."""
        match asked:
            case [str(shown), int(since)]:
                return told(trainings, shown, since)
        return told(trainings, None, 0)

    def pictures(asked: Any) -> str | None:
        """[id, number of the look]."""
        match asked:
            case [str(training_id), int(index)]:
                try:
                    return sheet(trainings.get(training_id), index)
                except UserError:
                    return None
        return None

    return [state, pictures]
