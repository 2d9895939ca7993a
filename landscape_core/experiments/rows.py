"""Tables whose rows are search spaces: each row's optimiser is chosen on training pictures, all rows by the same rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from landscape_core.experiments.curves import Searches
from landscape_core.experiments.paired import choose_rates, compare
from landscape_core.experiments.results import Claim, Result
from landscape_core.progress import Tick
from landscape_core.search.optimizers import OptimizerName, OptimizerSettings
from landscape_core.search.spaces import SearchSpace
from landscape_core.search.task import Task, X

BASELINE = "baseline"
CANDIDATES: tuple[tuple[OptimizerName, float], ...] = (
    ("adam", 0.02), ("adam", 0.05), ("adam", 0.1), ("adam", 0.2), ("adam", 0.5), ("lbfgs", 1.0),
)  # fmt: skip


@dataclass(frozen=True)
class TableSettings:
    """`tune_targets` training pictures choose every row's optimiser among `candidates`, for each horizon in `steps` apart.

    What was computed is kept below `work` where that is given, and found there when the same is asked again.
    """

    targets: int = 100
    steps: tuple[int, ...] = (20, 200)
    tune_targets: int = 12
    candidates: tuple[tuple[OptimizerName, float], ...] = CANDIDATES
    seed: int = 0
    work: Path | None = None

    def describe(self) -> dict[str, Any]:
        """What a result records of it: all but the folder, which is this machine's own."""
        return {name: value for name, value in vars(self).items() if name != "work"}

    def optimizers(self, task: Task, row: str) -> dict[str, OptimizerSettings]:
        """The candidates in a row's space by the name that results call them."""
        return {f"{name} {lr:g}": task.advice(row, name, lr=lr) for name, lr in self.candidates}


@dataclass(frozen=True)
class Chosen:
    """One row's optimisers by horizon, with every candidate's training loss (geometric mean) at every horizon."""

    names: Mapping[int, str]
    sweep: Mapping[int, Mapping[str, float]]


def with_rows(task: Task, spaces: Mapping[str, SearchSpace]) -> Task:
    """The task with these spaces, and its X as the row "baseline"."""
    return replace(task, mappings={**spaces, BASELINE: task.space(X)})


def choose(task: Task, row: str, train: Tensor, settings: TableSettings, tick: Tick) -> Chosen:
    """The candidates that are best in a row's space, after each number of steps."""
    most = max(settings.steps)
    lanes = {name: (row, each.build(most)) for name, each in settings.optimizers(task, row).items()}
    pictures = train[: settings.tune_targets]
    curves = Searches(task, tick, work=settings.work).losses(pictures, lanes, most, f"tuning {row}")
    found = choose_rates({name: name for name in lanes}, curves.__getitem__, settings.steps)
    return Chosen({at: each.name for at, each in found.items()}, {at: each.sweep for at, each in found.items()})


def losses_at(
    task: Task, row: str, chosen: Chosen, pictures: Tensor, settings: TableSettings, tick: Tick, label: str
) -> dict[int, Tensor]:
    """Best losses (n,) in a row's space within each number of steps, with the optimiser chosen for it."""
    found: dict[int, Tensor] = {}
    for name in sorted(set(chosen.names.values())):
        horizons = [at for at in settings.steps if chosen.names[at] == name]
        lanes = {row: (row, settings.optimizers(task, row)[name].build(max(settings.steps)))}
        title = f"{row}, {label}, {name}"
        curve = Searches(task, tick, work=settings.work).losses(pictures, lanes, max(horizons), title)[row]
        found |= {at: curve[at] for at in horizons}
    return found


Losses = dict[str, dict[str, dict[int, Tensor]]]  # set -> row -> steps -> (n,)


def measure_rows(
    task: Task, rows: Sequence[str], train: Tensor, sets: Mapping[str, Tensor], settings: TableSettings, tick: Tick
) -> tuple[dict[str, Chosen], Losses]:
    """Every row tuned on `train` (n, 3, H, W) and measured on every set of pictures."""
    chosen = {row: choose(task, row, train, settings, tick) for row in rows}
    losses = {
        label: {row: losses_at(task, row, chosen[row], pictures, settings, tick, label) for row in rows}
        for label, pictures in sets.items()
    }
    return chosen, losses


def record(result: Result, chosen: Mapping[str, Chosen], losses: Losses) -> None:
    """Write the table into a result: a mean loss per set, number of steps and row, and what was chosen how."""
    for label, rows in losses.items():
        for at in next(iter(rows.values())):
            result.series[f"rows at {at} steps | {label}"] = [float(by_step[at].mean()) for by_step in rows.values()]
    tuned: dict[str, Any] = {row: {str(at): name for at, name in each.names.items()} for row, each in chosen.items()}
    sweeps = {row: {str(at): sweep for at, sweep in each.sweep.items()} for row, each in chosen.items()}
    result.settings = {**result.settings, "rows": list(chosen), "optimizer": tuned, "sweep_on_train": sweeps}


def claim(
    losses: Losses, label: str, at: int, row: str, against: str, *, paper: float | None, aim: float, note: str = ""
) -> Claim:
    """That one row's loss is lower than another's by a share, on the same pictures."""
    found = compare(losses[label][row][at], losses[label][against][at])
    name = f"{label}, {at} steps: {row} against {against}{note}"
    return Claim(name, paper, found.change, aim, "lower", found.change_interval)


def markdown(result: Result) -> str:
    """The table as the paper prints it: one line per set and number of steps, one column per row's space."""
    rows = result.settings["rows"]
    lines = [f"| loss (Eq. 5) | {' | '.join(rows)} |", f"|---|{'---|' * len(rows)}"]
    for key, values in result.series.items():
        if key.startswith("rows at "):
            place = key.removeprefix("rows at ").replace(" | ", ", ")
            lines.append(f"| {place} | {' | '.join(f'{value:.4f}' for value in values)} |")
    return "\n".join(lines)
