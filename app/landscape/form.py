"""The Landscape tab's settings as Gradio components, and what those of them follow that others decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from app.landscape.plan import MAX_STEPS, MIN_STEPS, OWN, PLANES, SIZES, at_once, kept, offered
from app.runs.models import Models, label
from app.runs.standing import column_of
from app.views.form import Form, space_choices
from app.views.glossary import meaning
from landscape_core.search.task import Task

_PLANE = (
    "Which two of the hundreds of dimensions are drawn. The paper takes the principal directions of many recovered latents. "
    "In a shared plane Z's path is mapped into X, so that both runs stand on one surface."
)
_SOURCE = "Whose steps are drawn: a race of this tab's own, on the target of the Invert tab, or the run that stands in a tab."
_SIZE = "Points a side of the grid. It is drawn coarse at once and refined while you watch."
_STEPS = "Steps that both searches take before the loss around them is drawn."
_AT = "Where the Hessian is looked into; the last step where empty."
_COLUMN = "Which optimiser's X and Z are drawn: a surface compares one column of a run's table."


def build_form(models: Models, source: gr.Dropdown) -> Form:
    """Lay the settings out in the current container; `source` was made before, and is rendered first of them."""
    form = Form()
    with gr.Group():
        source.render()
        choices = [(label(name), name) for name in models.names]
        first = models.names[0] if models.names else None
        form["model"] = gr.Dropdown(choices, value=first, label="Model", visible=len(choices) > 1, elem_id="landscape-model")
        form["space"] = gr.Dropdown([], label="Space Z", info=meaning("Z"), elem_id="landscape-space")
        form["column"] = gr.Radio(
            [], label="Lanes by", info=_COLUMN, visible=False, elem_id="landscape-column", elem_classes="segmented"
        )
        planes = [(words, kind) for kind, words in PLANES.items()]
        form["plane"] = gr.Dropdown(planes, value="recovered", label="Plane", info=_PLANE, elem_id="plane")
        form["at_step"] = gr.Number(
            None, label="Hessian at step", info=_AT, precision=0, minimum=0, visible=False, elem_id="landscape-at"
        )
        sizes = [(f"{n} × {n}", n) for n in SIZES]
        form["size"] = gr.Radio(sizes, value=41, label="Grid", info=_SIZE, elem_classes="segmented")
        form["steps"] = gr.Slider(
            MIN_STEPS, MAX_STEPS, 20, step=1, label="Steps", info=_STEPS, elem_id="landscape-steps", buttons=[]
        )
        form["seed"] = gr.Number(
            0,
            label="Seed of random directions",
            info=meaning("Seed"),
            precision=0,
            minimum=0,
            visible=False,
            elem_id="landscape-seed",
        )
    return form


def source_field(names: Sequence[str]) -> gr.Dropdown:
    """Whose steps are drawn, of the tabs of these names; made before they are, for they open this one, and rendered in it."""
    choices = [("A race of its own", OWN), *((f"The run in {name}", name) for name in names)]
    return gr.Dropdown(choices, value=OWN, label="Steps of", info=_SOURCE, elem_id="source", render=False)


def planes_update(task: Task, space: str, plane: str, *, planed: bool) -> dict[str, Any]:
    """The planes that a task has: the chosen one (`planed`) kept where it can be, else one that is there at once."""
    choices, sentence = offered(task, space)
    value = kept(choices, plane if planed else at_once(task, space))
    update: dict[str, Any] = gr.update(choices=choices, value=value, info=f"{_PLANE} {sentence}".strip())
    return update


def columns_update(columns: Sequence[str], column: str | None) -> dict[str, Any]:
    """The columns of a run's table: the chosen one kept where it can be; not asked for where there is one alone."""
    update: dict[str, Any] = gr.update(choices=[*columns], value=column_of(columns, column), visible=len(columns) > 1)
    return update


def spaces_update(task: Task, space: str | None) -> dict[str, Any]:
    """The learned spaces of a task: the chosen one kept where it has it, else its first."""
    spaces = list(task.mappings)
    update: dict[str, Any] = gr.update(choices=space_choices(spaces), value=space if space in spaces else spaces[0])
    return update
