"""The settings of a race as Gradio components, by the names of `settings.FIELDS` and `lanes.FIELDS`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import gradio as gr
from gradio.components import Component

from app.runs.lanes import CELLS, COLUMNS, LANES, OPTIMISERS, PARTS, ROWS, column_field, part_field
from app.runs.settings import DISTANCES, MOST_WEIGHT, PRIOR
from app.views.view import sent, view
from landscape_core.search.race import MAX_STEPS, SEPARATOR
from landscape_core.search.thetas import space_name

_OPTIMISER = "How each step of this column is made from the gradient, in X and in Z alike: so a column is a fair comparison."
_LANES = "What is run: X and Z by each column's optimiser. All lanes share one pass through the model."
_RATE = "How far one step goes. Each begins with the rate that did best on training pictures."
_SPACE = "Z is descended through a learned mapping x = Θ(z). Which Θ to use; an untrained one shows what training brings."
_START = (
    "Each space at its own origin, so that X and Z begin with different pictures; all at one shared x, drawn by the seed; or "
    "all at the encoder's guess."
)
_STEPS = f"Steps of gradient descent in each lane, 1 to {MAX_STEPS}. You can stop at any moment and continue later."
_SEED = "Fixes every random number, so the same settings give the same run."
_PERCEPTUAL = "What counts as looking alike. LPIPS is the published measure; the other compares adversarially robust features."
_PRIOR = (
    "Adds the squared distance of x to what the model knows to the loss, in units of a drawn x's. Calms what is noisy, and "
    "costs fit."
)
PART_LABELS = {"lr": "rate", "first_move": "first move", "history": "memory"}


class Form(dict[str, Component]):
    """The components of a form by the names of their fields."""

    @property
    def components(self) -> list[Component]:
        """The inputs of an event that calls `read` with their values."""
        return list(self.values())

    def changed_but(self, *names: str) -> list[Any]:
        """What is triggered when a visitor changes a field, any but these. One event for all is much less for the page to look
        through while it opens than one for each."""
        return [component.input for name, component in self.items() if name not in names]

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
    with gr.Group():
        form["space"] = space_field("space")
        starts = [("Origins", "mean"), ("Shared x", "random"), ("Encoder", "encoder")]
        form["start"] = gr.Radio(starts, label="Where they start", info=_START, elem_classes="segmented")
        form["steps"] = gr.Slider(1, MAX_STEPS, step=1, label="Steps", info=_STEPS, elem_id="steps", buttons=[])
        form.update(table_fields())
    with gr.Accordion("Seed, prior and distance", open=False, elem_classes="more"):
        form["seed"] = gr.Number(label="Seed", info=_SEED, precision=0, minimum=0, elem_id="seed")
        form[PRIOR] = prior_field()
        form["perceptual"] = distance_field()
    form.update(rate_fields())
    return form, form_actions("load-card")


def space_field(elem_id: str) -> gr.Dropdown:
    """Which learned space Z is; its choices follow the model."""
    return gr.Dropdown([], label="Space Z", info=_SPACE, elem_id=elem_id)


def table_fields(prefix: str = "") -> dict[str, Component]:
    """The table's columns and which of its lanes are run."""
    fields: dict[str, Component] = {}
    choices = optimiser_choices(list(OPTIMISERS))
    with gr.Row(elem_classes="columns"):
        for column, words in zip(COLUMNS, ("First column", "Second column"), strict=True):
            name = column_field(column)
            fields[name] = gr.Dropdown(choices, label=words, info=_OPTIMISER, min_width=100, elem_id=f"{prefix}{name}")
    fields[LANES] = gr.CheckboxGroup(
        lane_choices({}), label="Lanes", info=_LANES, elem_id=f"{prefix}lanes", elem_classes="lanes"
    )
    return fields


def rate_fields(prefix: str = "") -> dict[str, Component]:
    """The settings of the optimiser of every lane, folded away."""
    fields: dict[str, Component] = {}
    with gr.Accordion("Rates of the lanes", open=False, elem_classes="more rates"), gr.Row(elem_classes="columns"):
        for part, row, column in product(PARTS, ROWS, COLUMNS):
            name = part_field(row + column, part)
            facts: dict[str, Any] = {"step": 1, "precision": 0} if part == "history" else {"step": 0.01}
            fields[name] = gr.Number(
                label=f"{row}{column} {PART_LABELS[part]}", info=_RATE if part == "lr" else None, min_width=90,
                elem_id=f"{prefix}{name.replace('_', '-')}", **facts,
            )  # fmt: skip
    return fields


def table_updates(values: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Form values with what follows from them: `names` are the optimisers there are to choose from; lanes are called by
    theirs, and what a lane's optimiser does not have is not shown."""
    updates = dict(values)
    for column in COLUMNS:
        field = column_field(column)
        updates[field] = gr.update(choices=optimiser_choices(names), value=values[field])
    updates[LANES] = gr.update(choices=lane_choices(values), value=values[LANES])
    for cell in CELLS:
        for part in PARTS:
            updates[part_field(cell, part)] = part_update(values, cell, part)
    return updates


def part_update(values: Mapping[str, Any], cell: str, part: str) -> dict[str, Any]:
    """One of a lane's settings, called by its optimiser, and shown where that has it."""
    name = values[column_field(cell[1])]
    words = f"{lane_name(values, cell)} {PART_LABELS[part]}"
    update: dict[str, Any] = gr.update(
        value=values[part_field(cell, part)], label=words, visible=part == "lr" or name == "lbfgs"
    )
    return update


def lane_choices(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The lanes of the table in words."""
    return [(lane_name(values, cell), cell) for cell in CELLS]


def lane_name(values: Mapping[str, Any], cell: str) -> str:
    """ "X · Adam"."""
    optimiser = OPTIMISERS.get(str(values.get(column_field(cell[1]))), f"column {cell[1]}")
    return f"{cell[0]}{SEPARATOR}{optimiser}"


def optimiser_choices(names: Sequence[str]) -> list[tuple[str, str]]:
    """Optimisers with words for them."""
    return [("Levenberg-Marquardt" if name == "levenberg-marquardt" else OPTIMISERS[name], name) for name in names]


def distance_field() -> gr.Radio:
    """The perceptual distance of Eq. 5."""
    choices = [(words, name) for name, words in DISTANCES.items()]
    return gr.Radio(choices, label="Perceptual distance", info=_PERCEPTUAL, elem_classes="segmented")


def prior_field(prefix: str = "") -> gr.Slider:
    """The weight of the prior in the loss."""
    return gr.Slider(
        0.0, MOST_WEIGHT, step=0.005, label="Weight of the prior", info=_PRIOR, elem_id=f"{prefix}prior", buttons=[]
    )  # fmt: skip


def form_actions(card_id: str) -> FormActions:
    """Reset, and loading a run card."""
    with gr.Row(elem_classes="form-actions"):
        reset = gr.Button("Reset settings", size="sm", elem_classes="quiet")
        card = gr.UploadButton("Load a run card", size="sm", type="binary", elem_id=card_id, elem_classes="quiet")
    return FormActions(reset, card)


def space_choices(names: Sequence[str]) -> list[tuple[str, str]]:
    """Space names with words for them."""
    return [(space_name(name), name) for name in names]


def note_view(elem_id: str = "note") -> gr.HTML:
    """Value: {"text", "level": "plain" | "error", "tab", "query": {...} or None, "table"}; a query is the tab's part of the
    address, the table what `app.runs.lanes.table_of` says of the lanes of the next run, where the tab has some."""
    return view("views/note", (), elem_id=elem_id)


def told(note: Mapping[str, Any], sentences: Sequence[str], *, error: bool = True) -> str:
    """A note with these sentences, where there are any, in place of its own, as the note view takes it."""
    return sent({**note, "text": " ".join(sentences), "level": "error" if error else "plain"} if sentences else note)


def note_of(text: str, *, error: bool = False) -> str:
    """A sentence as the note view takes it; the address stays as it is."""
    return sent({"text": text, "level": "error" if error else "plain", "query": None})
