"""The settings of a run as form values, as URL parameters, and as words. All validation is RunSettings'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from pydantic import ValidationError

from app.runs import address, lanes
from app.runs.lanes import CELLS, LANES, OPTIMISERS
from app.runs.models import Models
from landscape_core.errors import Location, UserError, first_problem
from landscape_core.search.optimizers import OptimizerName
from landscape_core.search.race import MAX_STEPS, SEPARATOR, LaneSettings, RunSettings
from landscape_core.search.thetas import SPACE_NAMES

# (Name in form and address, field of RunSettings, words.) The table of lanes and its learned space come on top.
FIELDS: tuple[tuple[str, str, str], ...] = (
    ("model", "task", "model"),
    ("start", "start", "start"),
    ("steps", "steps", "steps"),
    ("seed", "seed", "seed"),
    ("perceptual", "perceptual", "perceptual distance"),
    ("prior", "prior_weight", "weight of the prior"),
)
PRIOR = "prior"
MOST_WEIGHT = 0.5  # of the prior, in a form
SPACE = "space"
WHOLE = {"observation": "whole"}  # what of the target is seen, by name
COLUMNS: tuple[OptimizerName, ...] = ("adam", "lbfgs")  # a race's optimisers, unless others are chosen
STARTS = {"mean": "each at its own origin", "random": "one shared x, drawn by the seed", "encoder": "the encoder's guess"}
DISTANCES = {"lpips": "LPIPS", "robust": "Robust features"}
LIMITS: dict[str, tuple[float, float]] = {"steps": (1, MAX_STEPS), "seed": (0, 2**31 - 1), PRIOR: (0.0, MOST_WEIGHT)}
EARLIER = tuple(f"{space}{part}" for space in "xz" for part in ("", "_lr", "_first_move", "_history"))
"""Parameters of addresses of before a race was a table of lanes, and the models were replaced."""
_WORDS = {SPACE: SPACE_NAMES, "start": STARTS, "perceptual": DISTANCES}


def defaults(
    models: Models,
    model: str | None = None,
    space: str | None = None,
    columns: Sequence[OptimizerName] = COLUMNS,
    **others: Any,
) -> RunSettings:
    """The settings a page starts with: X and the model's first Θ (or the one named, where there is such) by every optimiser,
    each at the best settings known for it.

    Raises:
        UserError: there is no model at all, or its files are damaged.
    """
    name = model if model in models.names else next(iter(models.names), None)
    task = models.get(name)
    where = space if space and space in task.mappings else next(iter(task.mappings))
    return RunSettings.table(task, where, columns, **others).model_copy(update={"task": str(name)})


def for_model(models: Models, values: Mapping[str, Any]) -> RunSettings:
    """The form's settings after another model was chosen in it: that model's spaces and optimisers, the rest as it was.

    Raises:
        UserError: the model's files are missing or damaged.
    """
    usual = defaults(models, values["model"])
    try:
        now = from_values({**values, "model": usual.task, SPACE: usual.space})
    except UserError:  # something else in the form is wrong; then all of it begins anew
        return usual
    kept: dict[str, Any] = {
        "start": now.start,
        "steps": now.steps,
        "seed": now.seed,
        "perceptual": now.perceptual,
        "prior_weight": now.prior_weight,
    }
    table, on = defaults(models, usual.task, columns=now.optimizers, **kept), {_cell(lane) for lane in now.lanes}
    return table.model_copy(update={"lanes": tuple(lane for lane in table.lanes if _cell(lane) in on)})


def _cell(lane: LaneSettings) -> tuple[str, str]:
    return lane.row, lane.optimizer.name


def values_of(settings: RunSettings) -> dict[str, Any]:
    """The form's values by name.

    Raises:
        UserError: the form's table does not hold these lanes.
    """
    own = {name: getattr(settings, field) for name, field, _ in FIELDS}
    return {**own, SPACE: settings.space, **lanes.values_of(settings)}


def from_values(values: Mapping[str, Any]) -> RunSettings:
    """Settings from the form's values, which are untrusted. A field that a form does not have stays as it usually is.

    Raises:
        UserError: a value is missing or out of range; the sentence names it.
    """
    data = {field: values[name] for name, field, _ in FIELDS if name in values}
    if not isinstance(weight := data.get("prior_weight", 0.0), int | float) or not 0.0 <= weight <= MOST_WEIGHT:
        raise UserError(f"The prior's weight is a number from 0 to {MOST_WEIGHT:g}.")
    on = [cell for cell in CELLS if cell in (values[LANES] or [])]
    names = [f"{cell[0]}{SEPARATOR}{_optimiser(values, cell)}" for cell in on]
    return _checked({**data, "lanes": lanes.lanes_of(values)}, names)


def from_query(
    query: Mapping[str, str], usual: RunSettings, models: Models, limits: Mapping[str, tuple[float, float]] = LIMITS
) -> tuple[RunSettings, list[str]]:
    """Settings from the address: numbers out of range are brought back into it, anything else invalid is ignored.

    Returns the settings and a sentence for each parameter that was changed or ignored.

    Raises:
        UserError: the model's files are missing or damaged.
    """
    own = {name: getattr(usual, field) for name, field, _ in FIELDS}

    def made(values: Mapping[str, Any]) -> RunSettings:
        return _known(_checked({**usual.model_dump(), **{field: values[name] for name, field, _ in FIELDS}}), models)

    values, notes = address.over(query, own, made, limits, {name: words for name, _, words in FIELDS})
    chosen = made(values)
    return _with_lanes(query, chosen, models, notes), [*notes, *_earlier(query)]


def _earlier(query: Mapping[str, str]) -> list[str]:
    """A sentence on what an address has that meant something once, if it has such."""
    names = [name for name in EARLIER if name in query]
    if not names:
        return []
    return [
        f"This address is of an earlier version: it asks for {', '.join(names)}, for which each lane has an optimiser and "
        "rates of its own now, so they were ignored. Models were replaced, too: what one draws by number is another picture."
    ]


def _with_lanes(query: Mapping[str, str], chosen: RunSettings, models: Models, notes: list[str]) -> RunSettings:
    """The table that the address asks for, in the space that it asks for."""
    task, space = models.get(chosen.task), query.get(SPACE)
    table = defaults(models, chosen.task, space, chosen.optimizers, start=chosen.start)
    if space is not None and space != table.space:
        notes.append(f"{chosen.task.title()} has no space “{space[:40]}”; {table.space} is used.")
    if LANES in query:
        text = query[LANES][: address.LONGEST]
        try:
            asked = lanes.from_text(text, task, table.space, chosen.start)
            table = _checked({**chosen.model_dump(), "lanes": asked})
            lanes.values_of(table)
        except UserError:
            notes.append(f"The address asked for the lanes “{text[:80]}”, which are not accepted; they were ignored.")
            table = defaults(models, chosen.task, space, chosen.optimizers, start=chosen.start)
    return chosen.model_copy(update={"lanes": table.lanes})


def query_of(settings: RunSettings, models: Models, usual: RunSettings | None = None) -> dict[str, str]:
    """URL parameters: what differs from the settings a page opens with (the usual ones, where a tab has its own), and always
    by name the lanes and where they start.

    Raises:
        UserError: the model's files are missing or damaged.
    """
    usual = usual or defaults(models, settings.task)
    said = {LANES: lanes.to_text(settings, models.get(settings.task)), "start": settings.start}
    return address.query_of(_own(settings), _own(usual) | {"model": models.names[0]}) | said


def _own(settings: RunSettings) -> dict[str, Any]:
    """What the address says of a run, lanes apart."""
    own = {name: getattr(settings, field) for name, field, _ in FIELDS}
    return own | ({SPACE: settings.space} if settings.learned else {})


def difference(old: RunSettings, new: RunSettings) -> list[str]:
    """What changed, in words: "Z · Adam learning rate 0.1 → 0.3", "without X · L-BFGS"."""
    before, after = dict(_pairs(old)), dict(_pairs(new))
    changed = [f"{what} {before[what]} → {value}" for what, value in after.items() if before.get(what, value) != value]
    names, others = lane_names(new), lane_names(old)
    more = [f"with {name}" for name in names if name not in others]
    return [*changed, *more, *(f"without {name}" for name in others if name not in names)]


def words(settings: RunSettings) -> list[list[str]]:
    """Every setting as [what, value]."""
    return [[what, value] for what, value in _pairs(settings)]


def lane_names(settings: RunSettings) -> list[str]:
    """Space and optimiser of every lane, also where results call them by their space alone."""
    names = [f"{lane.row}{SEPARATOR}{OPTIMISERS[lane.optimizer.name]}" for lane in settings.lanes]
    return [name if names.index(name) == i else f"{name} (2)" for i, name in enumerate(names)]


def _pairs(settings: RunSettings) -> list[tuple[str, str]]:
    own = [(words, _show(name, getattr(settings, field))) for name, field, words in FIELDS]
    space = [("space Z", _show(SPACE, settings.space))] if settings.learned else []
    each = zip(lane_names(settings), settings.lanes, strict=True)
    table = [(f"{name} {what}", value) for name, lane in each for what, value in lanes.parts_of(lane.optimizer)]
    return [*own[:1], *space, *own[1:], *table]


def _optimiser(values: Mapping[str, Any], cell: str) -> str:
    return OPTIMISERS.get(str(values.get(lanes.column_field(cell[1]))), "optimiser")


def _checked(data: Mapping[str, Any], lane_names: Sequence[str] = ()) -> RunSettings:
    """The settings, or what is wrong with the first value that is, in a sentence."""
    try:
        return RunSettings.model_validate(data)
    except ValidationError as error:
        raise UserError(first_problem(error, partial(_place, lane_names))) from error


def _known(settings: RunSettings, models: Models) -> RunSettings:
    if settings.task not in models.names:
        raise UserError(f"There is no model {settings.task!r}.")
    return settings


def _place(lane_names: Sequence[str], location: Location) -> str:
    """What a value is called that stands there in RunSettings."""
    match location:
        case ("lanes", int(i), "optimizer", str(part)) if i < len(lane_names):
            return f"{lane_names[i]} {lanes.PART_WORDS.get(part, 'optimiser')}"
        case (str(field),):
            found = [words for _, path, words in FIELDS if path == field]
            return found[0].capitalize() if found else "Lanes"
    return "Lanes"


def _show(name: str, value: Any) -> str:
    if name == PRIOR and not value:
        return "off"
    return f"{value:g}" if isinstance(value, float) else _WORDS.get(name, {}).get(str(value), str(value))
