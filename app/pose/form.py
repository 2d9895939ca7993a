"""The Pose tab's choosers and settings as Gradio components."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component
from pydantic import ValidationError

from app.pose.run import MAX_K
from app.runs.models import Models
from app.runs.settings import pair
from app.views.form import form_actions, lbfgs_fields, optimiser_choices, space_choices
from landscape_core.errors import UserError, first_problem, in_words
from landscape_core.pose.task import NAMES
from landscape_core.search.optimizers import OptimizerName, OptimizerSettings
from landscape_core.search.race import MAX_STEPS, RunSettings
from landscape_core.search.task import X

_OBSERVED = "What is known of each joint that is seen: how it is turned, or where it is (the usual case in practice)."
_K = "How many bodies to look for. One starts from the average pose; several start from random ones."
OPTIMISER = ("name", "lr", "first_move", "history")  # a lane's fields
_SPACE = "Z is descended through a learned mapping x = Θ(z). Which Θ to use."


@dataclass(frozen=True)
class PoseTarget:
    """Where a target comes from: a drawn pose, a BVH file, or the editor."""

    number: gr.Number
    another: gr.Button
    file: gr.File
    frame: gr.Number
    joint: gr.Dropdown
    angles: list[gr.Slider]
    message: gr.HTML


@dataclass(frozen=True)
class PoseForm:
    """The settings; `fields` in the order of `settings_from`."""

    observation: gr.Radio
    hypotheses: gr.Slider
    space: gr.Dropdown
    steps: gr.Slider
    seed: gr.Number
    x: list[Component]
    z: list[Component]
    reset: gr.Button
    card: gr.UploadButton

    @property
    def fields(self) -> list[Component]:
        return [self.observation, self.hypotheses, self.space, self.steps, self.seed, *self.x, *self.z]


def build_pose_target(joints: list[str]) -> PoseTarget:
    """Lay the chooser out in the current container."""
    gr.HTML("<h2>Target</h2>")
    with gr.Group(elem_classes="fields"):
        with gr.Row(elem_classes="pair"):
            number = gr.Number(0, label="Drawn pose", info="Each number is a pose of the prior.", precision=0, minimum=0)
            another = gr.Button("Draw another", elem_id="pose-another", elem_classes="quiet")
        file = gr.File(label="Your own: a BVH file", file_types=[".bvh"], type="filepath", height=150, elem_id="pose-file")
        frame = gr.Number(0, label="Frame of the file", precision=0, minimum=0, elem_id="pose-frame")
    with gr.Accordion("Edit a joint", open=False, elem_classes="more"):
        joint = gr.Dropdown([(_words(name), name) for name in joints], value="UpperArm_R", label="Joint")
        angles = [
            gr.Slider(-180, 180, 0, step=1, label=f"Around {axis} (degrees)", buttons=[], elem_id=f"pose-angle-{axis}")
            for axis in "xyz"
        ]
    message = gr.HTML(elem_id="pose-message", elem_classes="message")
    return PoseTarget(number, another, file, frame, joint, angles, message)


def build_pose_form(models: Models) -> PoseForm:
    """Lay the settings out in the current container."""
    settings, k = defaults(models)
    task = models.get(settings.task)
    spaces = space_choices(list(task.mappings))
    with gr.Group(elem_classes="fields"):
        observation = gr.Radio(
            [("Rotations", NAMES["rotations"]), ("3D positions", NAMES["positions"])],
            value=settings.task, label="Observed", info=_OBSERVED, elem_classes="segmented",
        )  # fmt: skip
        hypotheses = gr.Slider(1, MAX_K, k, step=1, label="Hypotheses", info=_K, buttons=[], elem_id="pose-k")
        space = gr.Dropdown(spaces, value=settings.space, label="Space Z", info=_SPACE)
        steps = gr.Slider(1, MAX_STEPS, settings.steps, step=1, label="Steps", buttons=[], elem_id="pose-steps")
        with gr.Row(elem_classes="pair"):
            x = _optimiser("X", settings.lanes[0].optimizer, task.optimizers(X))
        with gr.Row(elem_classes="pair"):
            z = _optimiser("Z", settings.lanes[1].optimizer, task.optimizers(settings.space))
        seed = gr.Number(settings.seed, label="Seed", info="Fixes where several hypotheses start.", precision=0, minimum=0)
    more = lbfgs_fields(*(lane.optimizer for lane in settings.lanes))
    reset, card = form_actions("pose-load-card")
    return PoseForm(observation, hypotheses, space, steps, seed, [*x, *more[:2]], [*z, *more[2:]], reset, card)


def defaults(models: Models) -> tuple[RunSettings, int]:
    """The settings that a page starts with, and the number of hypotheses."""
    name = models.names[0]
    task = models.get(name)
    space = next(iter(task.mappings))
    z = task.advice(space)
    return RunSettings.pair(space, task.advice(X, z.name), z, task=name, steps=40), 1


def values_of(settings: RunSettings, k: int) -> list[Any]:
    """The form's values."""
    lanes = [v for lane in settings.lanes for v in (getattr(lane.optimizer, name) for name in OPTIMISER)]
    return [settings.task, k, settings.space, settings.steps, settings.seed, *lanes]


def settings_from(values: Sequence[Any]) -> tuple[RunSettings, Any]:
    """Settings of a run and the number of hypotheses, from the form's values, which are untrusted. One hypothesis starts
    from the mean, several from random inputs of F.

    Raises:
        UserError: a value is missing or out of range; the sentence names it.
    """
    observation, k, space, steps, seed, *lanes = values
    x, z = (dict(zip(OPTIMISER, each, strict=True)) for each in (lanes[:4], lanes[4:]))
    try:
        settings = pair({
            "task": observation, "space": space, "steps": steps, "seed": seed,
            "start": "mean" if k == 1 else "random",
            "x": x, "z": z,
        })  # fmt: skip
    except ValidationError as error:
        raise UserError(first_problem(error, lambda place: in_words(place).capitalize())) from error
    return settings, k


def _words(name: str) -> str:
    return name.replace("_L", ", left").replace("_R", ", right")


def _optimiser(lane: str, advised: OptimizerSettings, names: Sequence[OptimizerName]) -> tuple[gr.Dropdown, gr.Number]:
    name = gr.Dropdown(optimiser_choices(names), value=advised.name, label=f"{lane} optimiser", min_width=120)
    rate = gr.Number(advised.lr, label=f"{lane} learning rate", min_width=90, step=0.01, elem_id=f"pose-{lane.lower()}-lr")
    return name, rate
