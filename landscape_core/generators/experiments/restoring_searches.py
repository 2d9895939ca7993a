"""What is searched for every observation: X and learned spaces by the same optimisers, each at its own best rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landscape_core.experiments.curves import Curves, Watch
from landscape_core.experiments.results import Result
from landscape_core.experiments.swept import Choices, Descent, Row, measured, tuned
from landscape_core.generators.experiments.restoring_claims import COLUMNS
from landscape_core.progress import Tick
from landscape_core.search.judges import PSNR, Judge, decibels, features_judge
from landscape_core.search.objectives import FeatureDistance, Target
from landscape_core.search.optimizers import OPTIMISER_NAMES, OptimizerName, OptimizerSettings
from landscape_core.search.prior_term import PriorTerm
from landscape_core.search.task import Task, X

OBSERVATIONS = (
    "low-resolution:4", "low-resolution:8", "low-resolution:16", "low-resolution:8:bicubic", "blur:gaussian:3",
    "blur:motion:9:45", "grey", "noise:0.2", "salt-and-pepper:0.3", "scattered:0.05", "mask:centre",
    "blur:gaussian:2+mask:left-half", "measurements:256",
)  # fmt: skip
ADAM_RATES, FIRST_MOVES = (0.05, 0.1, 0.2, 0.4), (0.5, 2.0, 8.0)
MARKS = (2, 5, 10, 20, 50, 100, 200)
LPIPS, AWAY = "LPIPS", "distance to the prior"


@dataclass(frozen=True)
class RestoreSettings:
    """`steps` are the budgets that rates are chosen for, on `tune_targets` training pictures and after `tune_steps` at most.
    Spread is measured over `hypotheses` from random starts on the first `spread_targets` pictures."""

    targets: int = 30
    steps: tuple[int, ...] = (5, 20, 200)
    observations: tuple[str, ...] = OBSERVATIONS
    tune_targets: int = 8
    tune_steps: int = 200
    hypotheses: int = 5
    spread_targets: int = 8
    space: str = "residual"
    seed: int = 0

    @property
    def marks(self) -> tuple[int, ...]:
        """After how many steps judges look."""
        return tuple(sorted({*(mark for mark in MARKS if mark < max(self.steps)), *self.steps}))


def rows_of(task: Task, space: str, optimizers: Sequence[OptimizerName] = COLUMNS, others: Mapping[str, str] = {}) -> list[Row]:
    """X, Z and `others` (row -> space) by every optimiser, in the order of the optimisers; swept are Adam's rate and L-BFGS's
    first move."""
    spaces = (("X", X), ("Z", space), *others.items())
    return [Row(f"{row} {OPTIMISER_NAMES[by]}", where, _swept(task, where, by)) for by in optimizers for row, where in spaces]


def _swept(task: Task, space: str, by: OptimizerName) -> dict[str, OptimizerSettings]:
    if by == "adam":
        return {f"{each:g}": task.advice(space, by, lr=each) for each in ADAM_RATES}
    return {f"{each:g}": task.advice(space, by, first_move=each) for each in FIRST_MOVES}


def judges_of(task: Task, lpips: FeatureDistance) -> list[Judge]:
    """PSNR and LPIPS to the truth, and how far x̂ is from the prior's mean, in deviations: 1 is usual for a drawn x."""
    term = PriorTerm(task.prior, 1.0)
    away = Judge(AWAY, "Root of the mean squared deviation; a drawn input has 1.", lambda found, _: term(found.x).sqrt())
    return [PSNR, features_judge(lpips, LPIPS, "To the whole picture; lower is better."), away]


@dataclass(frozen=True)
class Searching:
    """The searches of one observation, `name`, in all rows."""

    task: Task
    rows: Sequence[Row]
    settings: RestoreSettings
    name: str
    tick: Tick
    work: Path | None

    def chosen(self, train: Target) -> Choices:
        """Every row's best rate for every budget, on training pictures seen in the same way."""
        settings = self.settings
        most = min(settings.tune_steps, max(settings.steps))
        budgets = {at: min(at, most) for at in settings.steps}
        descent = Descent(most, sorted(set(budgets.values())), settings.seed, floor=0.0, work=self.work)
        best = tuned(self.task, self.rows, train, descent, self._tick)
        return {row: {at: by[budget] for at, budget in budgets.items()} for row, by in best.items()}

    def measured(self, target: Target, chosen: Choices, judges: Sequence[Judge]) -> dict[str, dict[int, Curves]]:
        """Every row's curves with the rate of every budget, {row: {steps: curves}}; a lane for each rate, none twice."""
        settings = self.settings
        descent = Descent(max(settings.steps), settings.steps, settings.seed, work=self.work)
        watch = Watch(judges, settings.marks)
        return measured(self.task, self.rows, chosen, target, descent, self._tick, "searching", watch)

    def _tick(self, label: str, done: int, total: int) -> None:
        self.tick(f"{self.name}: {label}", done, total)


def begun(name: str, task: Task, settings: RestoreSettings, pictures: int, command: str) -> Result:
    """A result with its settings, and nothing measured yet."""
    told = {**vars(settings), "observations": list(settings.observations)}
    told |= {"domain": task.name, "losses": "best so far", "chosen": {}}
    return Result(name, command, settings.seed, task.hashes, {"pictures": pictures}, told)


def append(result: Result, name: str, value: float) -> None:
    """Series have an entry for each observation, in their order; one that does not apply is not a number."""
    result.series.setdefault(name, []).append(value)


def record(result: Result, curves: Mapping[str, Mapping[int, Curves]], settings: RestoreSettings) -> None:
    """Means over pictures of every row after every budget: fit, and what the judges say."""
    for row, by in curves.items():
        for at, each in by.items():
            mark = settings.marks.index(at)
            append(result, f"fit, {at} steps | {row}", float(each.loss[at].mean()))
            for judge, values in each.judged.items():
                shown = decibels(values[mark]) if judge == PSNR.name else values[mark]
                append(result, f"{judge}, {at} steps | {row}", float(shown.mean()))


def described(chosen: Choices) -> dict[str, Any]:
    """What was chosen, for the results file."""
    return {
        row: {str(at): {**choice.setting.model_dump(), "at_the_edge": choice.at_the_edge} for at, choice in by.items()}
        for row, by in chosen.items()
    }
