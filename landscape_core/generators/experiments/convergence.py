"""Figure 3a: loss per step in X and in Z by the same optimiser, each lane at its own best rate, from the mean and from the
encoder's guess, on real, drawn and out-of-range pictures, and what judges say that were not optimised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from landscape_core.experiments.curves import Curves, Watch, encoder_loss, search_curves
from landscape_core.experiments.paired import Choice, choose_rates
from landscape_core.experiments.results import Result, mean_series
from landscape_core.generators.experiments.convergence_claims import Found, claims
from landscape_core.generators.experiments.picture_sets import PictureSet
from landscape_core.progress import Tick
from landscape_core.search.judges import PSNR, Judge, decibels
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.spaces import Start
from landscape_core.search.task import Task, X

CONVERGED = 2000
POINTS = 200  # a longer series is written thinned to about this many
EARLY = 20  # rates are chosen for this budget, and for the whole one
MARKS = (1, 2, 5, 10, 20, 50, 100, 200)  # where judges look
ADAM_RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
FIRST_MOVES = {"mean": (0.3, 0.5, 1.0, 2.0, 4.0, 8.0), "encoder": (0.03, 0.1, 0.3, 1.0, 3.0)}
Column = Literal["Adam", "L-BFGS"]


@dataclass(frozen=True)
class ConvergenceSettings:
    """`tune_targets` training pictures choose every lane's rate, for `EARLY` steps and for all `steps` apart.

    From `CONVERGED` steps on the experiment is another one, "converged": few pictures, and claims about the end alone.
    """

    targets: int = 100
    steps: int = 200
    tune_targets: int = 12
    space: str = "residual"
    seed: int = 0

    @property
    def budgets(self) -> list[int]:
        """The numbers of steps that rates are chosen for."""
        return [self.steps] if self.steps >= CONVERGED else sorted({min(EARLY, self.steps), self.steps})


@dataclass(frozen=True)
class Row:
    """One lane of the figure: a space searched by one optimiser from one start."""

    name: str
    space: str
    column: Column
    start: Start

    def candidates(self, task: Task) -> dict[str, OptimizerSettings]:
        """What is swept: Adam's rate, or L-BFGS's first move."""
        if self.column == "Adam":
            return {f"{lr:g}": task.advice(self.space, "adam", start=self.start, lr=lr) for lr in ADAM_RATES}
        moves = FIRST_MOVES["encoder" if self.start == "encoder" else "mean"]
        return {f"{move:g}": task.advice(self.space, "lbfgs", start=self.start, first_move=move) for move in moves}


def rows_of(task: Task, space: str) -> list[Row]:
    """X and Z by Adam and by L-BFGS from the mean, by L-BFGS from the encoder's guess, and the paper's own Θ by Adam."""
    rows = [Row(f"{name} {by}", each, by, "mean") for by in ("Adam", "L-BFGS") for name, each in (("X", X), ("Z", space))]
    if task.encode is not None:
        rows += [Row(f"{name} from the guess", each, "L-BFGS", "encoder") for name, each in (("X", X), ("Z", space))]
    if "paper" in task.mappings and space != "paper":
        rows.append(Row("Z paper", "paper", "Adam", "mean"))
    return rows


Choices = dict[str, dict[int, Choice[OptimizerSettings]]]  # row -> budget -> choice


def run_convergence(
    task: Task, train: Tensor, sets: Mapping[str, PictureSet], settings: ConvergenceSettings, command: str, tick: Tick,
    judges: Sequence[Judge] = (), work: Path | None = None,
) -> Result:  # fmt: skip
    """`train` (n, 3, H, W) chooses every lane's rate; `sets` are measured, real pictures of the generator's domain first.

    What is done is kept below `work`, where the same command goes on from it.
    """
    rows, watch = rows_of(task, settings.space), Watch(judges, tuple(mark for mark in MARKS if mark <= settings.steps))
    choices = tuned(task, rows, Target(train[: settings.tune_targets]), settings, tick, work)
    stride = max(settings.steps // POINTS, 1)
    result = Result(
        experiment_name(task.name, settings.steps), command, settings.seed, task.hashes,
        {label: len(each.target) for label, each in sets.items()},
        {
            **vars(settings), "domain": task.name, "stride": stride, "budgets": settings.budgets, "judged after": watch.marks,
            "losses": "best so far", "chosen": {name: _described(by_budget) for name, by_budget in choices.items()},
        },
    )  # fmt: skip
    for label, each in sets.items():
        usable = [row for row in rows if row.start == "mean" or each.target.mask is None]
        curves = measured(task, usable, choices, each.target, settings, tick, label, watch, work)
        encoder = encoder_loss(task, each.target) if each.target.mask is None else None
        _write_series(result, label, {name: by[settings.steps] for name, by in curves.items()}, encoder, stride)
        found = Found(label, each.kind, curves, encoder, settings.budgets, watch.marks)
        result.claims += claims(found, result.comparisons, converged=settings.steps >= CONVERGED)
    return result


def tuned(
    task: Task, rows: Sequence[Row], train: Target, settings: ConvergenceSettings, tick: Tick, work: Path | None
) -> Choices:
    """Every row's best rate for every budget, on training pictures; all candidates of one kind of start in one batch."""
    found: Choices = {}
    for start in dict.fromkeys(row.start for row in rows):
        here = [row for row in rows if row.start == start]
        lanes = {
            f"{row.name} {name}": (row.space, each.build(settings.steps))
            for row in here
            for name, each in row.candidates(task).items()
        }
        label = f"choosing rates from the {'guess' if start == 'encoder' else start}"
        curves = search_curves(task, train, lanes, settings.steps, tick, label, start=start, seed=settings.seed, work=work)
        for row in here:
            names = {each: name for name, each in row.candidates(task).items()}
            losses = {each: curves[f"{row.name} {name}"].loss for each, name in names.items()}
            found[row.name] = choose_rates(row.candidates(task), losses.__getitem__, settings.budgets)
    return found


def measured(
    task: Task, rows: Sequence[Row], choices: Choices, target: Target, settings: ConvergenceSettings, tick: Tick, label: str,
    watch: Watch, work: Path | None,
) -> dict[str, dict[int, Curves]]:  # fmt: skip
    """Every row's curves, {row: {budget: curves}}, with the rate chosen for that budget, over all steps."""
    found: dict[str, dict[int, Curves]] = {}
    for start in dict.fromkeys(row.start for row in rows):
        here = [row for row in rows if row.start == start]
        lanes = {
            f"{row.name} {choice.name}": (row.space, choice.setting.build(settings.steps))
            for row in here
            for choice in choices[row.name].values()
        }
        title = label if start == "mean" else f"{label}, from the guess"
        curves = search_curves(
            task, target, lanes, settings.steps, tick, title, start=start, seed=settings.seed, watch=watch, work=work
        )
        for row in here:
            found[row.name] = {budget: curves[f"{row.name} {choice.name}"] for budget, choice in choices[row.name].items()}
    return found


def _described(by_budget: Mapping[int, Choice[OptimizerSettings]]) -> dict[str, Any]:
    """What was chosen of what, for the results file."""
    return {
        str(budget): {**choice.setting.model_dump(), "sweep_on_train": dict(choice.sweep), "at_the_edge": choice.at_the_edge}
        for budget, choice in by_budget.items()
    }


def _write_series(result: Result, label: str, curves: Mapping[str, Curves], encoder: Tensor | None, stride: int) -> None:
    """Arithmetic means per step, and of the judges per mark (PSNR in dB)."""
    for name, each in curves.items():
        result.series[f"{name} | {label}"] = mean_series(each.loss[::stride])
        for judge, values in each.judged.items():
            shown = decibels(values) if judge == PSNR.name else values
            result.series[f"{name}, {judge} | {label}"] = mean_series(shown)
    if encoder is not None:
        result.series[f"encoder | {label}"] = [float(encoder.mean())]


def experiment_name(domain: str, steps: int) -> str:
    """The result's name: each domain's own, and "converged" for long runs."""
    name = "converged" if steps >= CONVERGED else "convergence"
    return name if domain == "faces" else f"{name}-{domain}"


COLOURS = {
    "X Adam": "#c2410c", "Z Adam": "#0369a1", "X L-BFGS": "#a16207", "Z L-BFGS": "#0f766e", "X from the guess": "#b91c1c",
    "Z from the guess": "#4338ca", "Z paper": "#7c3aed", "encoder": "#6b7280",
}  # fmt: skip


def plot(result: Result, path: Path) -> None:
    """Fig. 3a: mean loss (log axis) over steps; what starts from the guess dashed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6 * len(result.n), 4.0), layout="constrained")
    panels = figure.subplots(1, len(result.n), sharey=True, squeeze=False)[0]
    for axes, label in zip(panels, result.n, strict=True):
        for name, colour in COLOURS.items():
            values = result.series.get(f"{name} | {label}", [])
            if len(values) == 1:
                axes.axhline(values[0], color=colour, linestyle=":", label=name)
            elif values:
                steps = [result.settings["stride"] * i for i in range(len(values))]
                axes.plot(steps, values, color=colour, linestyle="--" if "guess" in name else "-", label=name)
        axes.set(title=label, xlabel="step", yscale="log")
        axes.legend(fontsize=8)
    panels[0].set_ylabel("mean loss (Eq. 5)")
    figure.savefig(path, dpi=150)
