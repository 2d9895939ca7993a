"""The target panel: a picture the model draws, an example, or a crop of the visitor's own."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from app.views.crop import crop_view
from app.views.picker import picker_view

SOURCES = [("Model draws", "drawn"), ("Example", "example"), ("Upload", "photo")]


@dataclass(frozen=True)
class TargetPanel:
    """The panel's components; `groups` follow `source`, one visible at a time."""

    source: gr.Radio
    groups: dict[str, gr.Group]
    number: gr.Number
    another: gr.Button
    picker: gr.HTML
    file: gr.File
    crop: gr.HTML
    message: gr.HTML


def build_target() -> TargetPanel:
    """Lay the panel out in the current container."""
    gr.HTML("<h2>Target</h2>")
    source = gr.Radio(SOURCES, value="drawn", show_label=False, label="Where the target comes from", elem_classes="segmented")
    groups = {}
    with gr.Group(elem_classes="bare") as groups["drawn"], gr.Row(elem_classes="pair"):
        number = gr.Number(0, label="Picture number", precision=0, minimum=0, elem_id="drawn-number")
        another = gr.Button("Draw another", elem_id="draw-another", elem_classes="quiet")
    with gr.Group(visible=False, elem_classes="bare") as groups["example"]:
        picker = picker_view("examples")
    with gr.Group(visible=False, elem_classes="bare") as groups["photo"]:
        file = gr.File(label="PNG, JPEG, WebP or GIF", type="filepath", height=110, elem_id="upload")
        crop = crop_view()
    message = gr.HTML(elem_id="target-message", elem_classes="message")
    return TargetPanel(source, groups, number, another, picker, file, crop, message)
