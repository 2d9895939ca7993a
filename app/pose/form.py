"""The Pose tab's choosers and settings as Gradio components."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from app.pose.settings import MAX_K
from app.runs.settings import PRIOR
from app.views.form import Form, FormActions, form_actions, prior_field, rate_fields, table_fields
from landscape_core.pose.naming import side_and_part
from landscape_core.pose.task import NAMES
from landscape_core.search.race import MAX_STEPS

_FIRST = ("UpperArm_R", "R_Shoulder")  # of a body, where it has one of these
_MODELS = {NAMES["rotations"]: "Rotations", NAMES["positions"]: "3D positions"}
_OBSERVED = (
    "What is known of each joint that is seen: how it is turned, or where it is (the usual case in practice). A prior that was "
    "adopted stands by its name: it has a body of its own, whose joints' rotations are known."
)
_SIDES = {"_L": "left", "_R": "right"}
_MAP = "Needed only where a file's joints are not recognised: which of ours each of them is, {“Hand_L”: “wrist.left”, …}."
_K = "How many bodies to look for. One starts from the average pose; several start from random ones."
_STEPS = f"Steps of descent in each lane, 1 to {MAX_STEPS}. You can stop at any moment and continue later."
_SPACE = "Z is descended through a learned mapping x = Θ(z). Which Θ to use."


@dataclass(frozen=True)
class PosePanel:
    """Where a target comes from: a drawn pose, a motion file with the names of its joints, or the editor."""

    number: gr.Number
    another: gr.Button
    file: gr.File
    frame: gr.Number
    names: gr.File
    joint: gr.Dropdown
    angles: list[gr.Slider]
    message: gr.HTML


def first_joint(names: Sequence[str]) -> str:
    """The joint of a body that is offered for turning first."""
    return next((name for name in _FIRST if name in names), names[0])


def joint_choices(names: Sequence[str]) -> list[tuple[str, str]]:
    """The joints of a body with words for them."""
    return [(_words(name), name) for name in names]


def build_pose_target(joints: Sequence[str]) -> PosePanel:
    """Lay the chooser out in the current container."""
    gr.HTML("<h2>Target</h2>")
    with gr.Group():
        with gr.Row(elem_classes="pair"):
            number = gr.Number(
                0, label="Drawn pose", info="Each number is a pose of the prior.", precision=0, minimum=0, elem_id="pose-number"
            )
            another = gr.Button("Draw another", elem_id="pose-another", elem_classes="quiet")
        file = gr.File(
            label="Your own: BVH, or AMASS (.npz)",
            file_types=[".bvh", ".npz"],
            type="filepath",
            height=150,
            elem_id="pose-file",
        )
        frame = gr.Number(0, label="Frame of the file", precision=0, minimum=0, elem_id="pose-frame")
    with gr.Accordion("Names of the file's joints", open=False, elem_classes="more"):
        gr.HTML(f"<p class='note'>{_MAP}</p>")
        names = gr.File(label="JSON", file_types=[".json"], type="filepath", height=110, elem_id="pose-map")
    with gr.Accordion("Edit a joint", open=False, elem_classes="more"):
        joint = gr.Dropdown(joint_choices(joints), value=first_joint(joints), label="Joint")
        angles = [
            gr.Slider(-180, 180, 0, step=1, label=f"Around {axis} (degrees)", buttons=[], elem_id=f"pose-angle-{axis}")
            for axis in "xyz"
        ]
    message = gr.HTML(elem_id="pose-message", elem_classes="message")
    return PosePanel(number, another, file, frame, names, joint, angles, message)


def build_pose_form(models: Sequence[str]) -> tuple[Form, FormActions]:
    """Lay the settings out in the current container; they are filled in when the page opens. `models` are the embedded prior's,
    and those that were adopted."""
    form = Form()
    with gr.Group():
        observed = [(_MODELS.get(name, name), name) for name in models]
        form["model"] = gr.Radio(observed, label="Observed", info=_OBSERVED, elem_classes="segmented", elem_id="pose-model")
        form["k"] = gr.Slider(1, MAX_K, step=1, label="Hypotheses", info=_K, buttons=[], elem_id="pose-k")
        form["space"] = gr.Dropdown([], label="Space Z", info=_SPACE)
        form["steps"] = gr.Slider(1, MAX_STEPS, step=1, label="Steps", info=_STEPS, buttons=[], elem_id="pose-steps")
        form.update(table_fields("pose-"))
        form["seed"] = gr.Number(label="Seed", info="Fixes where several hypotheses start.", precision=0, minimum=0)
    with gr.Accordion("Prior", open=False, elem_classes="more"):
        form[PRIOR] = prior_field("pose-")
    form.update(rate_fields("pose-"))
    return form, form_actions("pose-load-card")


def _words(name: str) -> str:
    side = side_and_part(name)[0]
    return f"{name.removesuffix(side).removeprefix(f'{side[1:]}_')}, {_SIDES[side]}" if side else name
