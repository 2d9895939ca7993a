"""Figure 3b: pose loss and joint error per step in X and in Z by the same optimiser, each at its own best rate, on recordings
unseen and on actions unseen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from landscape_core import processes
from landscape_core.experiments.curves import Curves, Watch
from landscape_core.experiments.results import Result, mean_series
from landscape_core.experiments.swept import Descent, Row, described, measured, tuned
from landscape_core.pose.experiments.inversion_claims import Found, claims
from landscape_core.pose.task import Body, Observation
from landscape_core.progress import Tick
from landscape_core.search.judges import Judge
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerName
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import states
from landscape_core.search.updates import Optimizer

COLUMNS: Mapping[str, OptimizerName] = {"Adam": "adam", "L-BFGS": "lbfgs", "Levenberg-Marquardt": "levenberg-marquardt"}
ADAM_RATES = (0.02, 0.05, 0.1, 0.2, 0.5)
FIRST_MOVES = (0.3, 1.0, 3.0, 8.0)
INVERSE_DAMPINGS = (0.1, 1.0, 10.0)
FLOORS: Mapping[Observation, float] = {"rotations": 2e-5, "positions": 3e-3}  # half a degree, a millimetre
EARLY = 20  # rates are chosen for this budget, and for the whole one
ERROR = "cm"


@dataclass(frozen=True)
class PoseSettings:
    """`tune_targets` poses of train choose every lane's rate, for `EARLY` steps and for all `steps` apart.

    `more_starts` random starts of X by L-BFGS on every pose look for the lowest loss there is to be found.
    """

    targets: int = 200
    steps: int = 200
    tune_targets: int = 24
    batch: int = 100
    more_starts: int = 4
    space: str = "residual"
    seed: int = 0

    def descent(self, observation: Observation) -> Descent:
        """How every lane descends, on poses that are observed so."""
        budgets = sorted({min(EARLY, self.steps), self.steps})
        return Descent(self.steps, budgets, self.seed, FLOORS[observation], self.batch)


def rows_of(task: Task, space: str) -> list[Row]:
    """X and Z by every optimiser that can search both, and the paper's own Θ by Adam."""
    rows = paired_rows(task, space)
    if "paper" in task.mappings and space != "paper":
        rows.append(_row(task, "Z paper", "paper", "Adam", FIRST_MOVES))
    return rows


def paired_rows(task: Task, space: str, moves: Sequence[float] = FIRST_MOVES) -> list[Row]:
    """X and Z by every optimiser that can search both, X first; `moves` are swept for L-BFGS."""
    able = [column for column, name in COLUMNS.items() if name in task.optimizers(X) and name in task.optimizers(space)]
    return [_row(task, f"{name} {column}", each, column, moves) for column in able for name, each in (("X", X), ("Z", space))]


def _row(task: Task, name: str, space: str, column: str, moves: Sequence[float]) -> Row:
    """Swept are Adam's rate, L-BFGS's first move, or the inverse of Levenberg-Marquardt's first damping."""
    if column == "L-BFGS":
        return Row(name, space, {f"{move:g}": task.advice(space, "lbfgs", lr=1.0, first_move=move) for move in moves})
    rates = ADAM_RATES if column == "Adam" else INVERSE_DAMPINGS
    return Row(name, space, {f"{lr:g}": task.advice(space, COLUMNS[column], lr=lr) for lr in rates})


def run_pose(
    task: Task, body: Body, tuning: Tensor, sets: Mapping[str, Tensor], settings: PoseSettings, command: str, tick: Tick, *,
    known: str | None = "val",
) -> Result:  # fmt: skip
    """`tuning` (n, J, 3) chooses every lane's rate; `sets` are the evaluated poses by label, `known` the one that is
    in-distribution."""
    rows, descent = rows_of(task, settings.space), settings.descent(body.observation)
    choices = tuned(task, rows, body.target(tuning[: settings.tune_targets]), descent, tick)
    lowest_by = choices["X L-BFGS"][settings.steps].setting.build(settings.steps)
    details = {
        **vars(settings), "observation": body.observation, "budgets": descent.budgets, "losses": "best so far",
        "floor": descent.floor, "chosen": {name: described(by_budget) for name, by_budget in choices.items()},
    }  # fmt: skip
    sizes = {label: len(poses) for label, poses in sets.items()}
    result = Result(task.name, command, settings.seed, task.hashes, sizes, details)
    watch = Watch([error_judge(body)], tuple(range(settings.steps + 1)))
    for label, poses in sets.items():
        target = body.target(poses)
        curves = measured(task, rows, choices, target, descent, tick, label, watch)
        ends = {name: by_budget[settings.steps] for name, by_budget in curves.items()}
        lowest = lowest_found(task, target, [each.loss[-1] for each in ends.values()], lowest_by, settings, tick)
        result.series |= _series(label, ends, task, body, target)
        result.series[f"lowest found | {label}"] = [float(lowest.mean())]
        result.claims += claims(Found(label, curves, lowest, descent.floor, label == known), result.comparisons)
    return result


def error_judge(body: Body) -> Judge:
    """Mean distance of the joints from the observed pose's, in cm."""
    words = "Mean distance of the joints from where they were observed; lower is better."
    return Judge(ERROR, words, lambda found, seen: body.joint_error(found.output, seen.value).mean(dim=1))


def lowest_found(
    task: Task, target: Target, ends: Sequence[Tensor], optimizer: Optimizer, settings: PoseSettings, tick: Tick
) -> Tensor:
    """The lowest loss (n,) that any lane ended at, or X by that optimiser from `more_starts` draws of the prior.

    F is the same in every space: what no start reaches, no space can gain.
    """
    random = torch.Generator().manual_seed(settings.seed)
    lowest = torch.stack([*ends]).amin(dim=0)
    lane = Lane(X, task.space(X), optimizer)
    parts = [target.select(slice(first, first + settings.batch)) for first in range(0, len(target), settings.batch)]
    starts = [[lane.space.at(task.prior.sample(len(part), random)) for part in parts] for _ in range(settings.more_starts)]

    def ended(done: int) -> Tensor:
        losses = []
        for part, start in zip(parts, starts[done], strict=True):
            solver = Solver(task.forward, task.objective, part, [lane], max_steps=settings.steps)
            *_, last = states(solver, solver.init([start]))
            losses.append(last.lanes[0].best_loss)
        tick("more starts", done + 1, settings.more_starts)
        return torch.cat(losses)

    for losses in processes.in_turns(ended, range(settings.more_starts)):
        lowest = torch.minimum(lowest, losses)
    return lowest


def _series(label: str, curves: Mapping[str, Curves], task: Task, body: Body, target: Target) -> dict[str, list[float]]:
    series: dict[str, list[float]] = {}
    for name, each in curves.items():
        series[f"{name} | {label}"] = mean_series(each.loss)
        series[f"{name} {ERROR} | {label}"] = mean_series(each.judged[ERROR])
    if task.encode is not None:
        with torch.no_grad():
            guess = task.forward(task.encode(target.value))
            series[f"encoder | {label}"] = [float(task.objective.bind(target)(guess).mean())]
            series[f"encoder {ERROR} | {label}"] = [float(body.joint_error(guess, target.value).mean())]
    return series


LINES = {
    "X Adam": ("#c2410c", "--"), "Z Adam": ("#0369a1", "--"), "X L-BFGS": ("#c2410c", "-"), "Z L-BFGS": ("#0369a1", "-"),
    "X Levenberg-Marquardt": ("#c2410c", "-."), "Z Levenberg-Marquardt": ("#0369a1", "-."), "Z paper": ("#7c3aed", "--"),
    "encoder": ("#6b7280", ":"), "lowest found": ("black", ":"),
}  # fmt: skip


def plot(result: Result, path: Path) -> None:
    """Fig. 3b: loss above, mean joint error in cm below, over steps (log axes)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6 * len(result.n), 7.0), layout="constrained")
    panels = figure.subplots(2, len(result.n), sharex=True, sharey="row", squeeze=False)
    for row, (infix, title) in enumerate((("", "mean loss (Eq. 6 per entry)"), (f" {ERROR}", "mean joint error (cm)"))):
        for axes, label in zip(panels[row], result.n, strict=True):
            for name, (colour, dash) in LINES.items():
                values = result.series.get(f"{name}{infix} | {label}", [])
                if len(values) == 1:
                    axes.axhline(values[0], color=colour, linestyle=dash, label=name)
                elif values:
                    axes.plot(values, color=colour, linestyle=dash, label=name)
            axes.set(title=label if row == 0 else "", xlabel="step" if row else "", yscale="log")
            axes.legend(fontsize=8)
        panels[row][0].set_ylabel(title)
    figure.savefig(path, dpi=150)
