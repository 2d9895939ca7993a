"""The Pose tab's choosers and settings as Gradio components."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from app.pose.settings import MAX_K
from app.views.form import Form, FormActions, form_actions, rate_fields, table_fields
from landscape_core.pose.task import NAMES
from landscape_core.search.race import MAX_STEPS

FIRST_JOINT = "UpperArm_R"
_OBSERVED = "What is known of each joint that is seen: how it is turned, or where it is (the usual case in practice)."
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


def build_pose_target(joints: list[str]) -> PosePanel:
    """Lay the chooser out in the current container."""
    gr.HTML("<h2>Target</h2>")
    with gr.Group(elem_classes="fields"):
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
        joint = gr.Dropdown([(_words(name), name) for name in joints], value=FIRST_JOINT, label="Joint")
        angles = [
            gr.Slider(-180, 180, 0, step=1, label=f"Around {axis} (degrees)", buttons=[], elem_id=f"pose-angle-{axis}")
            for axis in "xyz"
        ]
    message = gr.HTML(elem_id="pose-message", elem_classes="message")
    return PosePanel(number, another, file, frame, names, joint, angles, message)


def build_pose_form() -> tuple[Form, FormActions]:
    """Lay the settings out in the current container; they are filled in when the page opens."""
    form = Form()
    with gr.Group(elem_classes="fields"):
        observed = [("Rotations", NAMES["rotations"]), ("3D positions", NAMES["positions"])]
        form["model"] = gr.Radio(observed, label="Observed", info=_OBSERVED, elem_classes="segmented")
        form["k"] = gr.Slider(1, MAX_K, step=1, label="Hypotheses", info=_K, buttons=[], elem_id="pose-k")
        form["space"] = gr.Dropdown([], label="Space Z", info=_SPACE)
        form["steps"] = gr.Slider(1, MAX_STEPS, step=1, label="Steps", info=_STEPS, buttons=[], elem_id="pose-steps")
        form.update(table_fields("pose-"))
        form["seed"] = gr.Number(label="Seed", info="Fixes where several hypotheses start.", precision=0, minimum=0)
    form.update(rate_fields("pose-"))
    return form, form_actions("pose-load-card")


def _words(name: str) -> str:
    return name.replace("_L", ", left").replace("_R", ", right")
