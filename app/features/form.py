"""The Features tab's settings and sliders as Gradio components."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from app.runs.settings import PRIOR
from app.target.targets import LABELS
from app.views.form import Form, FormActions, form_actions, prior_field, rate_fields, space_field, table_fields
from landscape_core.search.race import MAX_STEPS

PREFIX = "features-"
_START = "Each space at its own origin; all at noise, drawn by the seed; or all at what the decoder gives back."
_NOISE = "Deviation of Gaussian noise on the picture, of the range of a pixel. The decoders were not trained to remove it."
_STRENGTH = "0 leaves the picture's features as they are, 1 gives them the style's statistics."


@dataclass(frozen=True)
class Sliders:
    """What the applications hang on."""

    noise: gr.Slider
    style: gr.Dropdown
    strength: gr.Slider

    @property
    def components(self) -> list[Component]:
        return [self.noise, self.style, self.strength]


def build_features_form(model: Component) -> tuple[Form, FormActions]:
    """Lay the settings out in the current container; `model` is chosen elsewhere."""
    form = Form(model=model)
    with gr.Group():
        form["space"] = space_field(f"{PREFIX}space")
        starts = [("Origins", "mean"), ("Noise", "random"), ("Decoder", "encoder")]
        form["start"] = gr.Radio(
            starts, label="Where they start", info=_START, elem_classes="segmented", elem_id=f"{PREFIX}start"
        )
        form["steps"] = gr.Slider(1, MAX_STEPS, step=1, label="Steps", buttons=[], elem_id=f"{PREFIX}steps")
        form.update(table_fields(PREFIX))
        form["seed"] = gr.Number(label="Seed", precision=0, minimum=0, elem_id=f"{PREFIX}seed")
    with gr.Accordion("Prior", open=False, elem_classes="more"):
        form[PRIOR] = prior_field(PREFIX)
    form.update(rate_fields(PREFIX))
    return form, form_actions(f"{PREFIX}load-card")


def build_sliders() -> Sliders:
    """Lay the sliders of the applications out in the current container."""
    with gr.Row():
        noise = gr.Slider(0, 0.5, 0.1, step=0.02, label="Noise", info=_NOISE, buttons=[], elem_id=f"{PREFIX}noise")
        style = gr.Dropdown(
            [(label, name) for name, label in LABELS.items()], value="still-life", label="Style", elem_id=f"{PREFIX}style"
        )
        strength = gr.Slider(
            0, 1, 0.7, step=0.05, label="Strength of the style", info=_STRENGTH, buttons=[], elem_id=f"{PREFIX}strength"
        )
    return Sliders(noise, style, strength)
