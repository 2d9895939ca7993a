"""The settings of completions as Gradio components: those of a run, with `k` in place of the start."""

from __future__ import annotations

import gradio as gr
from gradio.components import Component

from app.complete.observing import CHOICES
from app.complete.settings import MAX_K, MAX_STEPS, MIN_K
from app.runs.settings import PRIOR
from app.views.form import Form, FormActions, distance_field, form_actions, prior_field, rate_fields, space_field, table_fields
from landscape_core.generators.observing import PAINTED_MASK

PREFIX = "complete-"
_K = "How many completions, each from its own random start. All of them are computed as one batch."
_STEPS = f"Steps of descent in each lane, 1 to {MAX_STEPS}. You can stop at any moment and continue later."
_OBSERVATION = (
    "What is seen of the picture. Choose one, or type it: parts joined by +, such as blur:gaussian:4+noise:0.1 or "
    "low-resolution:8+mask:eyes; @ and a number fix what is random in it."
)
_SOURCE = (
    "Simulated of the target, so that the whole picture is known and shown beside; or the target is small, blurred or "
    "spoilt already."
)
_SEED = "Fixes the random starts, so the same settings give the same completions."


def observation_fields() -> tuple[gr.Dropdown, gr.Radio]:
    """What is observed, by a name that may be typed too, and of what."""
    observation = gr.Dropdown(
        list(CHOICES), value=PAINTED_MASK, label="What is observed", info=_OBSERVATION, allow_custom_value=True,
        elem_id=f"{PREFIX}observation",
    )  # fmt: skip
    sources = [("Simulated", "simulated"), ("My picture is it", "taken")]
    source = gr.Radio(
        sources, value="simulated", label="Where it comes from", info=_SOURCE, elem_classes="segmented",
        elem_id=f"{PREFIX}source",
    )  # fmt: skip
    return observation, source


def build_completion_form(model: Component, observation: Component, source: Component) -> tuple[Form, FormActions]:
    """Lay the settings out in the current container; model and what is observed are chosen elsewhere."""
    form = Form(model=model)
    with gr.Group():
        form["observation"] = observation
        form["source"] = source
        form["space"] = space_field(f"{PREFIX}space")
        form["k"] = gr.Slider(MIN_K, MAX_K, step=1, label="Completions", info=_K, elem_id=f"{PREFIX}k", buttons=[])
        form["steps"] = gr.Slider(1, MAX_STEPS, step=1, label="Steps", info=_STEPS, elem_id=f"{PREFIX}steps", buttons=[])
        form["seed"] = gr.Number(label="Seed of the random starts", info=_SEED, precision=0, minimum=0, elem_id=f"{PREFIX}seed")
        form.update(table_fields(PREFIX))
    with gr.Accordion("Prior and distance", open=False, elem_classes="more"):
        form[PRIOR] = prior_field(PREFIX)
        form["perceptual"] = distance_field()
    form.update(rate_fields(PREFIX))
    return form, form_actions(f"{PREFIX}load-card")
