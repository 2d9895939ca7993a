"""What is to be drawn: the form's values, checked, and which planes a task has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from app.runs.address import Values, over, query_of
from app.runs.lanes import CELLS, LANES, OPTIMISERS, ROWS
from app.runs.models import Models
from app.runs.session import Message, Picked
from app.runs.settings import LIMITS, defaults, from_values, values_of
from app.runs.standing import column_of
from landscape_core.errors import UserError
from landscape_core.search.race import RunSettings
from landscape_core.search.task import Task
from landscape_core.surfaces.recovered import load_recovered
from landscape_core.surfaces.views import SHOWN, Shown

OWN = "own"  # the source of steps that are a race of this tab's own
SIZES = (21, 41, 81)
MIN_STEPS, MAX_STEPS = 2, 200
OWN_SAMPLES = 24  # random targets that the paper's plane is found from where it is not embedded
PLANES: Mapping[Shown, str] = {
    "recovered": "Recovered latents (the paper's)",
    "path": "This run's own path",
    "ends": "Start, X's end and Z's end",
    "shared": "Both paths, shared plane in X",
    "hessian": "Where the loss curves most (Hessian)",
    "random": "Random directions",
    "cut": "Line from X's end to Z's (cut)",
}


@dataclass(frozen=True)
class Plan:
    """What the form asks for. `settings` are those of a race of this tab's own; another tab's run has its own. `column` is the
    optimiser whose X and Z are drawn, None for the one that `column_of` takes, `at_step` where the Hessian is looked into, None
    for the last."""

    kind: Shown
    size: int
    settings: RunSettings
    column: str | None = None
    at_step: int | None = None

    def key(self, source: str, *, own: bool) -> str:
        """What tells this drawing of a source's run from others: whatever bears on it; of this tab's `own` race, all of it."""
        race = self.settings.model_dump_json(exclude={"seed"}) if own else ""
        seed = self.settings.seed if self.kind == "random" else None
        at_step = self.at_step if self.kind == "hessian" else None
        return repr((source, race, self.kind, self.size, self.column, at_step, seed))


def plan_from(models: Models, values: Mapping[str, Any]) -> Plan:
    """What is to be drawn, from the form's values (model, space, column, plane, at_step, size, steps, seed), untrusted.

    Raises:
        UserError: a value is missing or out of range; the sentence names it.
    """
    kind, size, steps, at_step = values["plane"], values["size"], values["steps"], values["at_step"]
    if kind not in SHOWN:
        raise UserError(f"Plane: there is no {kind!r}; there are: {', '.join(SHOWN)}.")
    if size not in SIZES:
        raise UserError(f"Points a side: one of {', '.join(map(str, SIZES))} is needed.")
    if not isinstance(steps, int | float) or not MIN_STEPS <= steps <= MAX_STEPS:
        raise UserError(f"Steps: a number from {MIN_STEPS} to {MAX_STEPS} is needed; a plane needs at least three points.")
    if at_step is not None and (not isinstance(at_step, int | float) or at_step != int(at_step) or at_step < 0):
        raise UserError("Hessian at step: a whole number from 0 is needed, or nothing for the last step.")
    table = defaults(models, values["model"], values["space"])
    column = values["column"] if isinstance(values["column"], str) else None
    columns = own_columns(table)
    at = len(ROWS) * columns.index(column_of(columns, column))
    own = {name: values[name] for name in ("space", "steps", "seed")}
    settings = from_values({**values_of(table), **own, LANES: list(CELLS[at : at + len(ROWS)])})
    return Plan(kind, size, settings, column, None if at_step is None else int(at_step))


def own_columns(table: RunSettings) -> list[str]:
    """The optimisers of which one takes the steps of a race of this tab's own: those of the table that tabs open with."""
    return [OPTIMISERS[name] for name in table.optimizers]


def from_query(models: Models, query: Mapping[str, str]) -> tuple[Values, list[str]]:
    """The form's values that an address asks for, with a sentence for each thing changed or ignored."""
    limits = {"steps": (MIN_STEPS, MAX_STEPS), "seed": LIMITS["seed"]}
    return over(query, usual(models, query.get("model"), query.get("space")), lambda values: plan_from(models, values), limits)


def usual(models: Models, model: str | None = None, space: str | None = None) -> Values:
    """The values that the form opens with."""
    table = defaults(models, model, space)
    column, plane = column_of(own_columns(table)), at_once(models.get(table.task), table.space)
    return {
        "model": table.task, "space": table.space, "column": column, "plane": plane, "at_step": None, "size": 41,
        "steps": 20, "seed": 0,
    }  # fmt: skip


def note(models: Models, source: str, values: Mapping[str, Any], target: Picked | None) -> Message:
    """What is wrong with the form, if anything, and the address of what it asks for: the steps of `source`, or of a race of
    this tab's own (OWN) on a target."""
    try:
        plan_from(models, values)
        query = query_of(values, usual(models) | _of_model(models, values))
    except UserError as error:
        return {"text": str(error), "level": "error", "query": None}
    about = {"source": source} if source != OWN else target.query if target is not None else {}
    return {"text": "", "level": "plain", "query": query | about, "tab": "landscape"}


def _of_model(models: Models, values: Mapping[str, Any]) -> Values:
    """What is usual for the form's model, its plane for the form's space."""
    space = usual(models, values["model"])["space"]
    return {"space": space, "plane": usual(models, values["model"], values["space"])["plane"]}


def offered(task: Task, space: str) -> tuple[list[tuple[str, Shown]], str]:
    """The planes that this task has, as choices of a form, and a sentence about the one that it lacks or has to find first."""
    planes, sentence = dict(PLANES), ""
    try:
        if load_recovered(task, space) is None:
            task.sampled(1, torch.Generator().manual_seed(0))
            planes["recovered"] += ", slow here"
            sentence = (
                f"For this model and space no recovered latents are embedded: with that plane {OWN_SAMPLES} random targets "
                "are recovered first, once, which can take minutes."
            )
    except UserError as error:
        del planes["recovered"]
        sentence = f"Recovered latents are not offered here: {error}"
    return [(words, kind) for kind, words in planes.items()], sentence


def at_once(task: Task, space: str) -> Shown:
    """The plane to begin with: the paper's where it is embedded, else the run's own path's, which is there at once, too."""
    try:
        return "path" if load_recovered(task, space) is None else "recovered"
    except UserError:  # `offered` says why
        return "path"


def kept(choices: list[tuple[str, Shown]], plane: str) -> Shown:
    """A plane where it is offered, else the run's own path: what an event on its way asks for may be gone from the choices."""
    return next((kind for _, kind in choices if kind == plane), "path")
