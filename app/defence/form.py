"""The Defence tab's choosers and settings as Gradio components."""

from __future__ import annotations

import html
from dataclasses import dataclass

import gradio as gr

from app.defence.pictures import FIRST, Defences
from app.defence.settings import MAX_STEPS, USUAL_STEPS, advice
from app.target.chooser import crop_view, picker_view
from app.views.form import Form, space_choices
from app.views.glossary import meaning
from landscape_core.defence.attacks import ATTACKS
from landscape_core.features.cifar10 import CIFAR10_CLASSES

SOURCES = {"cifar": "CIFAR-10", "example": "Example", "photo": "Upload"}
_TRUTH = "The class the attack leads away from, and by which an answer counts as right."
_CLASSIFIER = (
    "What is attacked and defended: networks that were trained on attacked pictures. RO stopped before it fitted those too "
    "closely, MART learned more from the pictures that it got wrong."
)
_KNOWS = "Whether the attacker knows that a defence follows. One who does attacks classifier and defence together."
_ATTACK = "How far the attacked picture may be from the clean one: the paper's L2 ball, or the usual L∞ one."
_SPACE = "Z is descended through a learned mapping r = Θ(z). Which Θ to use."
_STEPS = "Steps of the defence in each lane. The paper shows 1, 3 and 5."
_CHOSEN = (
    "Drawn by code, and chosen: the static attacks fool both classifiers on all but the last two. How often attacks work is in "
    "the table of many test pictures."
)
_ASCENTS = "Steps that the attacker takes; with fewer the attack is weaker."
_RATE = "In 1/255 of the range of a pixel. The paper's is 0.2."


@dataclass(frozen=True)
class PicturePanel:
    """Where a picture comes from; `groups` follow `source`, one visible at a time."""

    source: gr.Radio
    groups: dict[str, gr.Group]
    label: gr.Dropdown
    number: gr.Number
    another: gr.Button
    picker: gr.HTML
    file: gr.File
    crop: gr.HTML
    truth: gr.Dropdown
    message: gr.HTML


def build_picture(defences: Defences) -> PicturePanel:
    """Lay the chooser out in the current container."""
    gr.HTML("<h2>Picture</h2>")
    first = "example" if defences.cifar is None else "cifar"
    sources = [(words, name) for name, words in SOURCES.items() if name != "cifar" or defences.cifar is not None]
    source = gr.Radio(
        sources, value=first, show_label=False, label="Where it comes from", elem_classes="segmented", elem_id="defence-source"
    )
    classes, groups = list(CIFAR10_CLASSES), {}
    with gr.Group(visible=first == "cifar") as groups["cifar"]:
        label = gr.Dropdown(classes, value=FIRST[0], label="Class", elem_id="defence-class")
        with gr.Row(elem_classes="pair"):
            number = gr.Number(FIRST[1], label="Test picture", precision=0, minimum=0, elem_id="defence-number")
            another = gr.Button("Another", elem_id="defence-another", elem_classes="quiet")
    with gr.Group(visible=first == "example") as groups["example"]:
        picker = picker_view("defence-examples")
        gr.HTML(f"<p class='note'>{_CHOSEN}</p>")
    with gr.Group(visible=False) as groups["photo"]:
        file = gr.File(label="PNG, JPEG, WebP or GIF", type="filepath", height=110, elem_id="defence-file")
        crop = crop_view("defence-crop")
    choices = [(name, index) for index, name in enumerate(classes)]
    truth = gr.Dropdown(choices, value=None, label="What it shows", info=_TRUTH, elem_id="defence-truth")
    if defences.cifar is None:
        gr.HTML(f"<p class='note'>{html.escape(defences.no_cifar)}</p>")
    message = gr.HTML(elem_id="defence-message", elem_classes="message")
    return PicturePanel(source, groups, label, number, another, picker, file, crop, truth, message)


def build_defence_form(defences: Defences, truth: gr.Dropdown) -> Form:
    """Lay the settings out in the current container; `truth` is chosen with the picture."""
    names = defences.names
    first = next(iter(names), None)
    spaces, x, z = advice(defences, first) if first else ([], 0.2, 0.2)
    knows = [("Nothing", "static"), ("Defence X", "X"), ("Defence Z", "Z")]
    balls = [("L2 256/255", "l2"), ("L∞ 8/255", "linf")]
    form = Form(truth=truth)
    with gr.Group():
        form["classifier"] = gr.Radio(
            [(n.upper(), n) for n in names], value=first, label="Classifier", info=_CLASSIFIER, elem_classes="segmented",
            elem_id="defence-model",
        )  # fmt: skip
        form["attack"] = gr.Radio(
            balls, value="l2", label="Attack", info=_ATTACK, elem_classes="segmented", elem_id="defence-attack"
        )
        form["knows"] = gr.Radio(
            knows, value="static", label="Attacker knows", info=_KNOWS, elem_classes="segmented", elem_id="defence-knows"
        )
        form["space"] = gr.Dropdown(
            space_choices(spaces), value=next(iter(spaces), None), label="Space Z", info=_SPACE, elem_id="defence-space"
        )
        form["steps"] = gr.Slider(
            1, MAX_STEPS, USUAL_STEPS, step=1, label="Steps", info=_STEPS, buttons=[], elem_id="defence-steps"
        )
    with gr.Accordion("Rates, attack steps and seed", open=False, elem_classes="more"):
        form["x_rate"] = gr.Number(x, label="X learning rate", info=_RATE, step=0.1, elem_id="defence-x-rate")
        form["z_rate"] = gr.Number(z, label="Z learning rate", info=_RATE, step=0.1, elem_id="defence-z-rate")
        most = ATTACKS["l2"].steps
        form["ascents"] = gr.Slider(
            1, most, most, step=1, label="Attack steps", info=_ASCENTS, buttons=[], elem_id="defence-ascents"
        )
        form["seed"] = gr.Number(0, label="Seed", info=meaning("Seed"), precision=0, minimum=0, elem_id="defence-seed")
    return form
