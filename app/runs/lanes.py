"""The table of a race as form values, in the address and in words: X and Z in rows, an optimiser in each of two columns.

A cell of the table is named by its row and column, as in "Z2"; a lane that is run stands in a cell that is on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.runs.address import number_text
from landscape_core.errors import UserError
from landscape_core.search.optimizers import DEFAULT_RATES, LBFGS_ONLY, OPTIMISER_NAMES, OptimizerName, OptimizerSettings
from landscape_core.search.race import LaneSettings, RunSettings
from landscape_core.search.spaces import Start
from landscape_core.search.task import Task, X

ROWS, COLUMNS = ("X", "Z"), ("1", "2")
CELLS = tuple(row + column for column in COLUMNS for row in ROWS)  # in the order of a race's lanes
PARTS = ("lr", *LBFGS_ONLY)
PART_WORDS = {"lr": "learning rate", "first_move": "first move", "history": "memory"}
OPTIMISERS: dict[str, str] = {name: words for name, words in OPTIMISER_NAMES.items()}  # noqa: C416  # keys are any text here
SPARE: tuple[OptimizerName, ...] = ("adam", "lbfgs")  # for a column that no lane stands in
LANES = "lanes"  # the field of the cells that are on
NOT_HERE = "This run has lanes that the table here does not hold: it takes X and one learned space, each by two optimisers."


def column_field(column: str) -> str:
    """The field of a column's optimiser."""
    return f"optimiser{column}"


def part_field(cell: str, part: str) -> str:
    """The field of one of a cell's settings."""
    return f"{cell}_{part}"


FIELDS = (LANES, *map(column_field, COLUMNS), *(part_field(cell, part) for cell in CELLS for part in PARTS))


def values_of(settings: RunSettings) -> dict[str, Any]:
    """The table's fields. A column that no lane stands in gets another optimiser at its usual rate, and its cells are off.

    Raises:
        UserError: the lanes are of more than two optimisers, or of more than one learned space.
    """
    names, cells = _placed(settings)
    names = [*names, *(name for name in SPARE if name not in names)][: len(COLUMNS)]
    values: dict[str, Any] = {LANES: [cell for cell in CELLS if cell in cells]}
    for column, name in zip(COLUMNS, names, strict=True):
        values[column_field(column)] = name
        for row in ROWS:
            values |= cell_values(row + column, cells.get(row + column, OptimizerSettings(name=name, lr=DEFAULT_RATES[name])))
    return values


def cell_values(cell: str, optimizer: OptimizerSettings) -> dict[str, Any]:
    """The fields of one cell."""
    return {part_field(cell, part): getattr(optimizer, part) for part in PARTS}


def advised(
    task: Task, space: str, names: Mapping[str, OptimizerName], start: Start, rows: tuple[str, ...] = ROWS
) -> dict[str, Any]:
    """The fields of the cells of some columns (optimisers by column), each at the best settings known for it."""
    values: dict[str, Any] = {}
    for column, name in names.items():
        for row in rows:
            values |= cell_values(row + column, task.advice(X if row == X else space, name, start=start))
    return values


def lanes_of(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lanes that the table's fields and `space` ask for, which are untrusted, for `RunSettings` to check.

    Raises:
        UserError: no cell is on.
    """
    on = values[LANES]
    if not isinstance(on, list) or not set(on) & set(CELLS):
        raise UserError("Lanes: at least one lane is needed; switch one on.")
    return [_lane(cell, values) for cell in CELLS if cell in on]


def _lane(cell: str, values: Mapping[str, Any]) -> dict[str, Any]:
    name = values[column_field(cell[1])]
    parts = PARTS if name == "lbfgs" else PARTS[:1]
    given = {part: values[part_field(cell, part)] for part in parts}
    return {"space": X if cell[0] == X else values["space"], "optimizer": {"name": name, **given}}


def table_of(settings: RunSettings) -> dict[str, dict[str, Any]]:
    """By lane's name: its cell, and in words its space, its optimiser and that one's settings.

    Raises:
        UserError: as `values_of`.
    """
    _, cells = _placed(settings)
    names = dict(zip(cells, settings.names(), strict=True))
    return {
        names[cell]: {"cell": cell, "optimiser": OPTIMISER_NAMES[o.name], "settings": settings_words(o)}
        for cell, o in cells.items()
    }


def settings_words(optimizer: OptimizerSettings) -> str:
    """ "learning rate 0.1"."""
    return ", ".join(f"{what} {value}" for what, value in parts_of(optimizer))


def parts_of(optimizer: OptimizerSettings) -> list[tuple[str, str]]:
    """An optimiser's settings as pairs in words."""
    parts = PARTS if optimizer.name == "lbfgs" else PARTS[:1]
    return [(PART_WORDS[part], f"{getattr(optimizer, part):g}") for part in parts]


def _placed(settings: RunSettings) -> tuple[list[OptimizerName], dict[str, OptimizerSettings]]:
    """The optimisers of the columns, and by cell, in the lanes' order, the optimiser of the lane that stands there."""
    names: list[OptimizerName] = []
    cells: dict[str, OptimizerSettings] = {}
    if len(settings.learned) > 1:
        raise UserError(NOT_HERE)
    for lane in settings.lanes:
        column = next((i for i, name in enumerate(names) if name == lane.optimizer.name and _free(lane, i, cells)), len(names))
        if column == len(COLUMNS):
            raise UserError(NOT_HERE)
        if column == len(names):
            names.append(lane.optimizer.name)
        cells[lane.row + COLUMNS[column]] = lane.optimizer
    return names, cells


def _free(lane: LaneSettings, column: int, cells: Mapping[str, OptimizerSettings]) -> bool:
    return lane.row + COLUMNS[column] not in cells


def to_text(settings: RunSettings, task: Task) -> str:
    """The lanes by name as the address has them: "X-adam,Z-adam:0.3", with what differs from the best settings known."""
    return ",".join(_lane_text(lane, task, settings.start) for lane in settings.lanes)


def _lane_text(lane: LaneSettings, task: Task, start: Start) -> str:
    usual = task.advice(lane.space, lane.optimizer.name, start=start)
    parts = [number_text(float(getattr(lane.optimizer, part))) for part in PARTS] if lane.optimizer != usual else []
    return ":".join([f"{lane.row}-{lane.optimizer.name}", *parts])


def from_text(text: str, task: Task, space: str, start: Start) -> list[dict[str, Any]]:
    """The lanes that an address asks for, which is untrusted, for `RunSettings` to check.

    Raises:
        UserError: not lanes.
    """
    return [_lane_from(part, task, space, start) for part in text.split(",")]


def _lane_from(text: str, task: Task, space: str, start: Start) -> dict[str, Any]:
    name, *parts = text.split(":")
    row, _, optimizer = name.partition("-")
    known: dict[str, OptimizerName] = {each: each for each in OPTIMISER_NAMES}
    if row not in ROWS or optimizer not in known or len(parts) > len(PARTS):
        raise UserError(f"{text!r} is not a lane.")
    where = X if row == X else space
    usual = task.advice(where, known[optimizer], start=start).model_dump()
    return {"space": where, "optimizer": {**usual, **dict(zip(PARTS, parts, strict=False))}}
