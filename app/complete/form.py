"""The settings of completions as Gradio components, in the order of `complete_settings.values_of`."""

from __future__ import annotations

import gradio as gr
from gradio.components import Component

from app.complete.settings import MAX_K, MAX_STEPS, MIN_K
from app.views.form import Form, by_lane, distance_field, form_actions, lbfgs_fields, optimiser_fields, space_field

PREFIX = "complete-"
_K = "How many completions, each from its own random start. All of them are computed as one batch."
_STEPS = f"Steps of descent in each lane, 1 to {MAX_STEPS}. You can stop at any moment and continue later."
_SEED = "Fixes the random starts, so the same settings give the same completions."


def build_completion_form(model: Component) -> Form:
    """Lay the settings out in the current container; `model` is chosen elsewhere."""
    with gr.Group(elem_classes="fields"):
        space = space_field(f"{PREFIX}space")
        k = gr.Slider(MIN_K, MAX_K, step=1, label="Completions", info=_K, elem_id=f"{PREFIX}k", buttons=[])
        steps = gr.Slider(1, MAX_STEPS, step=1, label="Steps", info=_STEPS, elem_id=f"{PREFIX}steps", buttons=[])
        seed = gr.Number(label="Seed of the random starts", info=_SEED, precision=0, minimum=0, elem_id=f"{PREFIX}seed")
    with gr.Accordion("Optimisers and distance", open=False, elem_classes="more"):
        optimisers = optimiser_fields(PREFIX)
        perceptual = distance_field()
    fields = by_lane(optimisers, lbfgs_fields())
    reset, card = form_actions(f"{PREFIX}load-card")
    return Form([model, space, k, steps, seed, *fields, perceptual], reset, card)
