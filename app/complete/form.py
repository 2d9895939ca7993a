"""The settings of completions as Gradio components: those of a run, with `k` in place of the start."""

from __future__ import annotations

import gradio as gr
from gradio.components import Component

from app.complete.settings import MAX_K, MAX_STEPS, MIN_K
from app.views.form import Form, FormActions, distance_field, form_actions, rate_fields, space_field, table_fields

PREFIX = "complete-"
_K = "How many completions, each from its own random start. All of them are computed as one batch."
_STEPS = f"Steps of descent in each lane, 1 to {MAX_STEPS}. You can stop at any moment and continue later."
_SEED = "Fixes the random starts, so the same settings give the same completions."


def build_completion_form(model: Component) -> tuple[Form, FormActions]:
    """Lay the settings out in the current container; `model` is chosen elsewhere."""
    form = Form(model=model)
    with gr.Group(elem_classes="fields"):
        form["space"] = space_field(f"{PREFIX}space")
        form["k"] = gr.Slider(MIN_K, MAX_K, step=1, label="Completions", info=_K, elem_id=f"{PREFIX}k", buttons=[])
        form["steps"] = gr.Slider(1, MAX_STEPS, step=1, label="Steps", info=_STEPS, elem_id=f"{PREFIX}steps", buttons=[])
        form["seed"] = gr.Number(label="Seed of the random starts", info=_SEED, precision=0, minimum=0, elem_id=f"{PREFIX}seed")
        form.update(table_fields(PREFIX))
    with gr.Accordion("Distance", open=False, elem_classes="more"):
        form["perceptual"] = distance_field()
    form.update(rate_fields(PREFIX))
    return form, form_actions(f"{PREFIX}load-card")
