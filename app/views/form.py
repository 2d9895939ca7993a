"""The settings of a race as Gradio components, in the order of `settings.FIELDS`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from app.runs.settings import DISTANCES, OPTIMISERS, SPACES
from app.views.view import view
from landscape_core.search.optimizers import OptimizerSettings
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


@dataclass(frozen=True)
class Form:
    """The form's components; `fields` has one per setting."""

    fields: list[Component]
    reset: gr.Button
    card: gr.UploadButton


def build_form(model: Component) -> Form:
    """Lay the settings out in the current container; `model` is chosen elsewhere."""
    with gr.Group(elem_classes="fields"):
        space = space_field("space")
        starts = [("Mean", "mean"), ("Random", "random"), ("Encoder", "encoder")]
        start = gr.Radio(starts, label="Start", info=_START, elem_classes="segmented")
        steps = gr.Slider(1, MAX_STEPS, step=1, label="Steps", info=_STEPS, elem_id="steps", buttons=[])
        optimisers = optimiser_fields()
    with gr.Accordion("Seed and distance", open=False, elem_classes="more"):
        seed = gr.Number(label="Seed", info=_SEED, precision=0, minimum=0, elem_id="seed")
        perceptual = distance_field()
    fields = by_lane(optimisers, lbfgs_fields())
    reset, card = form_actions("load-card")
    return Form([model, space, start, steps, seed, *fields, perceptual], reset, card)


def space_field(elem_id: str) -> gr.Dropdown:
    """Which learned space Z is; its choices follow the model."""
    return gr.Dropdown([], label="Space Z", info=_SPACE, elem_id=elem_id)


def optimiser_fields(prefix: str = "") -> list[Component]:
    """X optimiser, X learning rate, Z optimiser, Z learning rate."""
    fields: list[Component] = []
    for lane in ("X", "Z"):
        with gr.Row(elem_classes="pair"):
            fields += _optimiser(lane, prefix)
    return fields


def lbfgs_fields(*chosen: OptimizerSettings) -> list[Component]:
    """X first move, X memory, Z first move, Z memory, folded away."""
    fields: list[Component] = []
    with gr.Accordion("First move and memory of L-BFGS", open=False, elem_classes="more"):
        for lane, each in zip(("X", "Z"), chosen or [OptimizerSettings()] * 2, strict=True):
            with gr.Row(elem_classes="pair"):
                first = gr.Number(each.first_move, label=f"{lane} first move", info=_FIRST, min_width=90)
                history = gr.Number(each.history, label=f"{lane} memory", info=_MEMORY, min_width=90, precision=0)
            fields += [first, history]
    return fields


def by_lane(optimisers: list[Component], lbfgs: list[Component]) -> list[Component]:
    """Both kinds of fields in the order of `settings.FIELDS`."""
    return [*optimisers[:2], *lbfgs[:2], *optimisers[2:], *lbfgs[2:]]


def optimiser_values(task: Task, space: str, chosen: OptimizerSettings) -> list[Any]:
    """The four fields of one lane: the optimiser, among those that can search that space, and its settings."""
    choices = optimiser_choices(task.optimizers(space))
    return [gr.update(choices=choices, value=chosen.name), chosen.lr, chosen.first_move, chosen.history]


def optimiser_choices(names: Sequence[str]) -> list[tuple[str, str]]:
    """Optimisers with words for them."""
    return [(OPTIMISERS[name][0].upper() + OPTIMISERS[name][1:], name) for name in names]


def distance_field() -> gr.Radio:
    """The perceptual distance of Eq. 5."""
    choices = [(words, name) for name, words in DISTANCES.items()]
    return gr.Radio(choices, label="Perceptual distance", info=_PERCEPTUAL, elem_classes="segmented")


def form_actions(card_id: str) -> tuple[gr.Button, gr.UploadButton]:
    """Reset, and loading a run card."""
    with gr.Row(elem_classes="form-actions"):
        reset = gr.Button("Reset settings", size="sm", elem_classes="quiet")
        card = gr.UploadButton("Load a run card", size="sm", type="binary", elem_id=card_id, elem_classes="quiet")
    return reset, card


def space_choices(names: list[str]) -> list[tuple[str, str]]:
    """Space names with words for them."""
    return [(SPACES.get(name, name), name) for name in names]


def _optimiser(lane: str, prefix: str) -> tuple[gr.Dropdown, gr.Number]:
    name = gr.Dropdown(
        optimiser_choices(list(OPTIMISERS)),
        label=f"{lane} optimiser",
        info=_OPTIMISER,
        min_width=120,
    )
    rate = gr.Number(label=f"{lane} learning rate", info=_RATE, min_width=90, step=0.01, elem_id=f"{prefix}{lane.lower()}-lr")
    return name, rate


def note_view(elem_id: str = "note") -> gr.HTML:
    """Value: {"text", "level": "plain" | "error", "query": {...} or None}; a query replaces the page's own parameters."""
    return view("note", (), elem_id=elem_id)
