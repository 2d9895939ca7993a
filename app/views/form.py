"""The settings of a race as Gradio components, by the names of `settings.FIELDS`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from app.runs.settings import DISTANCES, OPTIMISERS, SPACES
from app.views.view import sent, view
from landscape_core.search.optimizers import LBFGS_ONLY, OptimizerSettings
from landscape_core.search.race import MAX_STEPS
from landscape_core.search.task import Task

_OPTIMISER = "How each step is made from the gradient. Adam adapts the step per dimension and is a good start."
_RATE = "How far one step goes. Too small crawls, too large overshoots and the curve jumps."
_FIRST = "Length of a move while nothing is known of the curvature."
_MEMORY = "How many of its last steps tell it the curvature."
_SPACE = "Z is descended through a learned mapping x = Θ(z). Which Θ to use; an untrained one shows what training brings."
_START = "Where both searches begin: the average picture, a random one (from the seed), or the encoder's one-pass guess."
_STEPS = f"Steps of gradient descent in each lane, 1 to {MAX_STEPS}. You can stop at any moment and continue later."
_SEED = "Fixes every random number, so the same settings give the same run."
_PERCEPTUAL = "What counts as looking alike. Embedded needs no download; LPIPS is the published one, where it is installed."


class Form(dict[str, Component]):
    """The components of a form by the names of their fields."""

    @property
    def components(self) -> list[Component]:
        """The inputs of an event that calls `read` with their values."""
        return list(self.values())

    def read(self, values: Sequence[Any]) -> dict[str, Any]:
        """An event's values by name."""
        return dict(zip(self, values, strict=True))

    def filled(self, values: Mapping[str, Any]) -> dict[Component, Any]:
        """Values by name as an event returns them."""
        return {self[name]: value for name, value in values.items() if name in self}


@dataclass(frozen=True)
class FormActions:
    """What stands below a form."""

    reset: gr.Button
    card: gr.UploadButton


def build_form(model: Component) -> tuple[Form, FormActions]:
    """Lay the settings out in the current container; `model` is chosen elsewhere."""
    form = Form(model=model)
    with gr.Group(elem_classes="fields"):
        form["space"] = space_field("space")
        starts = [("Mean", "mean"), ("Random", "random"), ("Encoder", "encoder")]
        form["start"] = gr.Radio(starts, label="Start", info=_START, elem_classes="segmented")
        form["steps"] = gr.Slider(1, MAX_STEPS, step=1, label="Steps", info=_STEPS, elem_id="steps", buttons=[])
        form.update(optimiser_fields())
    with gr.Accordion("Seed and distance", open=False, elem_classes="more"):
        form["seed"] = gr.Number(label="Seed", info=_SEED, precision=0, minimum=0, elem_id="seed")
        form["perceptual"] = distance_field()
    form.update(lbfgs_fields())
    return form, form_actions("load-card")


def space_field(elem_id: str) -> gr.Dropdown:
    """Which learned space Z is; its choices follow the model."""
    return gr.Dropdown([], label="Space Z", info=_SPACE, elem_id=elem_id)


def optimiser_fields(prefix: str = "") -> dict[str, Component]:
    """Optimiser and learning rate of X and of Z."""
    fields: dict[str, Component] = {}
    for lane in ("X", "Z"):
        key = lane.lower()
        with gr.Row(elem_classes="pair"):
            fields[key] = gr.Dropdown(
                optimiser_choices(list(OPTIMISERS)), label=f"{lane} optimiser", info=_OPTIMISER, min_width=120
            )
            fields[f"{key}_lr"] = gr.Number(
                label=f"{lane} learning rate", info=_RATE, min_width=90, step=0.01, elem_id=f"{prefix}{key}-lr"
            )
    return fields


def lbfgs_fields(values: Mapping[str, Any] = {}) -> dict[str, Component]:  # it is only read
    """First move and memory of X and of Z, folded away."""
    fields: dict[str, Component] = {}
    with gr.Accordion("First move and memory of L-BFGS", open=False, elem_classes="more"):
        for lane in ("X", "Z"):
            first, memory = (f"{lane.lower()}_{name}" for name in LBFGS_ONLY)
            with gr.Row(elem_classes="pair"):
                fields[first] = gr.Number(values.get(first), label=f"{lane} first move", info=_FIRST, min_width=90)
                fields[memory] = gr.Number(values.get(memory), label=f"{lane} memory", info=_MEMORY, min_width=90, precision=0)
    return fields


def optimiser_values(lane: str, task: Task, space: str, chosen: OptimizerSettings) -> dict[str, Any]:
    """The four fields of one lane: the optimiser, among those that can search that space, and its settings."""
    choices = optimiser_choices(task.optimizers(space))
    return {lane: gr.update(choices=choices, value=chosen.name), **settings_values(lane, chosen)}


def settings_values(lane: str, chosen: OptimizerSettings) -> dict[str, Any]:
    """The fields of an optimiser's settings."""
    return {f"{lane}_{name}": getattr(chosen, name) for name in ("lr", *LBFGS_ONLY)}


def optimiser_choices(names: Sequence[str]) -> list[tuple[str, str]]:
    """Optimisers with words for them."""
    return [(OPTIMISERS[name][0].upper() + OPTIMISERS[name][1:], name) for name in names]


def distance_field() -> gr.Radio:
    """The perceptual distance of Eq. 5."""
    choices = [(words, name) for name, words in DISTANCES.items()]
    return gr.Radio(choices, label="Perceptual distance", info=_PERCEPTUAL, elem_classes="segmented")


def form_actions(card_id: str) -> FormActions:
    """Reset, and loading a run card."""
    with gr.Row(elem_classes="form-actions"):
        reset = gr.Button("Reset settings", size="sm", elem_classes="quiet")
        card = gr.UploadButton("Load a run card", size="sm", type="binary", elem_id=card_id, elem_classes="quiet")
    return FormActions(reset, card)


def space_choices(names: Sequence[str]) -> list[tuple[str, str]]:
    """Space names with words for them."""
    return [(SPACES.get(name, name), name) for name in names]


def note_view(elem_id: str = "note") -> gr.HTML:
    """Value: {"text", "level": "plain" | "error", "query": {...} or None}; a query replaces the page's own parameters."""
    return view("views/note", (), elem_id=elem_id)


def note_of(text: str, *, error: bool = False) -> str:
    """A sentence as the note view takes it; the address stays as it is."""
    return sent({"text": text, "level": "error" if error else "plain", "query": None})
