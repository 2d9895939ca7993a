"""Figure 3a: loss per step in X and in Z by the same optimiser, each lane at its own best rate, from the mean and from the
encoder's guess, on real, drawn and out-of-range pictures, and what judges say that were not optimised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from torch import Tensor

from landscape_core.experiments.curves import Curves, Watch, encoder_loss
from landscape_core.experiments.results import Result, mean_series
from landscape_core.experiments.swept import Descent, Row, described, measured, tuned
from landscape_core.generators.experiments.convergence_claims import Found, claims
from landscape_core.generators.experiments.picture_sets import PictureSet
from landscape_core.progress import Tick
from landscape_core.search.judges import PSNR, Judge, decibels
from landscape_core.search.objectives import Target
from landscape_core.search.spaces import Start
from landscape_core.search.task import Task, X

CONVERGED = 2000
POINTS = 200  # a longer series is written thinned to about this many
EARLY = 20  # rates are chosen for this budget, and for the whole one
MARKS = (1, 2, 5, 10, 20, 50, 100, 200)  # where judges look
ADAM_RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
FIRST_MOVES = {"mean": (0.3, 0.5, 1.0, 2.0, 4.0, 8.0), "encoder": (0.03, 0.1, 0.3, 1.0, 3.0)}
Column = Literal["Adam", "L-BFGS"]
COLUMNS: tuple[Column, ...] = get_args(Column)


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


def rows_of(task: Task, space: str) -> list[Row]:
    """X and Z by Adam and by L-BFGS from the mean, by L-BFGS from the encoder's guess, and the paper's own Θ by Adam."""
    rows = [row_of(task, f"{name} {by}", each, by) for by in COLUMNS for name, each in (("X", X), ("Z", space))]
    if task.encode is not None:
        rows += [row_of(task, f"{name} from the guess", each, "L-BFGS", "encoder") for name, each in (("X", X), ("Z", space))]
    if "paper" in task.mappings and space != "paper":
        rows.append(row_of(task, "Z paper", "paper", "Adam"))
    return rows


def row_of(task: Task, name: str, space: str, column: Column, start: Start = "mean") -> Row:
    """Swept are Adam's rate, or L-BFGS's first move."""
    if column == "Adam":
        return Row(name, space, {f"{lr:g}": task.advice(space, "adam", start=start, lr=lr) for lr in ADAM_RATES}, start)
    moves = FIRST_MOVES["encoder" if start == "encoder" else "mean"]
    return Row(name, space, {f"{each:g}": task.advice(space, "lbfgs", start=start, first_move=each) for each in moves}, start)


def run_convergence(
    task: Task, train: Tensor, sets: Mapping[str, PictureSet], settings: ConvergenceSettings, command: str, tick: Tick,
    judges: Sequence[Judge] = (), work: Path | None = None,
) -> Result:  # fmt: skip
    """`train` (n, 3, H, W) chooses every lane's rate; `sets` are measured, real pictures of the generator's domain first.

    What is done is kept below `work`, where the same command goes on from it.
    """
    rows, watch = rows_of(task, settings.space), Watch(judges, tuple(mark for mark in MARKS if mark <= settings.steps))
    descent = Descent(settings.steps, settings.budgets, settings.seed, work=work)
    choices = tuned(task, rows, Target(train[: settings.tune_targets]), descent, tick)
    stride = max(settings.steps // POINTS, 1)
    result = Result(
        experiment_name(task.name, settings.steps), command, settings.seed, task.hashes,
        {label: len(each.target) for label, each in sets.items()},
        {
            **vars(settings), "domain": task.name, "stride": stride, "budgets": settings.budgets, "judged after": watch.marks,
            "losses": "best so far", "chosen": {name: described(by_budget) for name, by_budget in choices.items()},
        },
    )  # fmt: skip
    for label, each in sets.items():
        usable = [row for row in rows if row.start == "mean" or each.target.mask is None]
        curves = measured(task, usable, choices, each.target, descent, tick, label, watch)
        encoder = encoder_loss(task, each.target) if each.target.mask is None else None
        _write_series(result, label, {name: by[settings.steps] for name, by in curves.items()}, encoder, stride)
        found = Found(label, each.kind, curves, encoder, settings.budgets, watch.marks)
        result.claims += claims(found, result.comparisons, converged=settings.steps >= CONVERGED)
    return result


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
    """Fig. 3a: mean loss (log axis) over steps; what starts from the guess dashed. Every set has an axis of its own: losses of
    drawn pictures fall by orders of magnitude more than those of real ones."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6 * len(result.n), 4.4), layout="constrained")
    panels = figure.subplots(1, len(result.n), squeeze=False)[0]
    for axes, label in zip(panels, result.n, strict=True):
        for name, colour in COLOURS.items():
            values = result.series.get(f"{name} | {label}", [])
            if len(values) == 1:
                axes.axhline(values[0], color=colour, linestyle=":", label=name)
            elif values:
                steps = [result.settings["stride"] * i for i in range(len(values))]
                axes.plot(steps, values, color=colour, linestyle="--" if "guess" in name else "-", label=name)
        axes.set(title=label, xlabel="step", yscale="log")
    panels[0].set_ylabel("mean loss (Eq. 5)")
    lines = {line.get_label(): line for axes in panels for line in axes.get_lines()}
    figure.legend(lines.values(), lines.keys(), loc="outside lower center", ncols=len(lines), fontsize=8)
    figure.savefig(path, dpi=150)
