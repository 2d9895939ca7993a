"""Searches at their own best rates: what is swept for each, which is best on training targets for each budget, and how
the best fare on others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from landscape_core.experiments.curves import NOTHING, Curves, Searches, Watch
from landscape_core.experiments.paired import FLOOR, Choice, choose_rates
from landscape_core.progress import Tick
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.spaces import Start
from landscape_core.search.task import Task


@dataclass(frozen=True)
class Row:
    """A space searched by one optimiser from one kind of start; `candidates` are what is swept, by name, in order."""

    name: str
    space: str
    candidates: Mapping[str, OptimizerSettings]
    start: Start = "mean"


@dataclass(frozen=True)
class Descent:
    """`steps` for every search, of which `budgets` are the numbers that rates are chosen for; losses below `floor` count as
    equal. `batch` targets are searched in one pass, as many as the processor's cache holds where it is not given; `work`
    keeps what is done."""

    steps: int
    budgets: Sequence[int]
    seed: int = 0
    floor: float = FLOOR
    batch: int | None = None
    work: Path | None = None


Choices = dict[str, dict[int, Choice[OptimizerSettings]]]  # row -> budget -> choice


def tuned(task: Task, rows: Sequence[Row], train: Target, descent: Descent, tick: Tick) -> Choices:
    """Every row's best rate for every budget, on training targets; all candidates of one kind of start in one pass."""
    found: Choices = {}
    for start, here in _by_start(rows).items():
        lanes = {f"{row.name} {name}": (row.space, each) for row in here for name, each in row.candidates.items()}
        label = f"choosing rates from the {'guess' if start == 'encoder' else start}"
        curves = _searched(task, train, lanes, descent, tick, label, start)
        for row in here:
            losses = {each: curves[f"{row.name} {name}"].loss for name, each in row.candidates.items()}
            found[row.name] = choose_rates(row.candidates, losses.__getitem__, descent.budgets, descent.floor)
    return found


def measured(
    task: Task, rows: Sequence[Row], choices: Choices, target: Target, descent: Descent, tick: Tick, label: str,
    watch: Watch = NOTHING,
) -> dict[str, dict[int, Curves]]:  # fmt: skip
    """Every row's curves, {row: {budget: curves}}, with the rate chosen for that budget. Each goes as far as the largest
    budget that its rate was chosen for: one that is best for few steps says nothing of many."""
    found: dict[str, dict[int, Curves]] = {}
    for start, here in _by_start(rows).items():
        title = label if start == "mean" else f"{label}, from the guess"
        chosen = [(row, budget, choice) for row in here for budget, choice in sorted(choices[row.name].items())]
        lanes = {f"{row.name} {choice.name}": (row.space, choice.setting) for row, _, choice in chosen}
        far = {f"{row.name} {choice.name}": budget for row, budget, choice in chosen}  # the largest is the last
        curves: dict[str, Curves] = {}
        for steps in sorted(set(far.values())):
            until, seen = replace(descent, steps=steps), replace(watch, marks=tuple(at for at in watch.marks if at <= steps))
            these = {name: lane for name, lane in lanes.items() if far[name] == steps}
            curves |= _searched(task, target, these, until, tick, f"{title}, {steps} steps", start, seen)
        for row in here:
            found[row.name] = {budget: curves[f"{row.name} {choice.name}"] for budget, choice in choices[row.name].items()}
    return found


def reaching(by_budget: Mapping[int, Curves], step: int) -> Curves:
    """The curves with the rate chosen for the smallest budget that reaches a step."""
    return by_budget[min(budget for budget in by_budget if budget >= step)]


def described(by_budget: Mapping[int, Choice[OptimizerSettings]]) -> dict[str, Any]:
    """What was chosen of what, for the results file."""
    return {
        str(budget): {**choice.setting.model_dump(), "sweep_on_train": dict(choice.sweep), "at_the_edge": choice.at_the_edge}
        for budget, choice in by_budget.items()
    }


def _by_start(rows: Sequence[Row]) -> dict[Start, list[Row]]:
    return {start: [row for row in rows if row.start == start] for start in dict.fromkeys(row.start for row in rows)}


def _searched(
    task: Task, target: Target, lanes: Mapping[str, tuple[str, OptimizerSettings]], descent: Descent, tick: Tick, label: str,
    start: Start, watch: Watch = NOTHING,
) -> dict[str, Curves]:  # fmt: skip
    built = {name: (space, each.build(descent.steps)) for name, (space, each) in lanes.items()}
    searches = Searches(task, tick, start, descent.seed, descent.batch, descent.work)
    return searches.curves(target, built, descent.steps, label, watch)
