"""Figure 3a: mean loss per step in X (tuned) and in Z, in- and out-of-distribution, with the encoder's flat line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.inversion import Lane, Solver
from landscape_core.objectives import Target
from landscape_core.optimizers import Adam
from landscape_core.reproduce.results import Claim, Result, mean_series, relative_change
from landscape_core.tasks.base import Task, X
from landscape_core.trajectory import states

Tick = Callable[[str, int, int], None]
SWEEP = (0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3)


@dataclass(frozen=True)
class ConvergenceSettings:
    """`tune_targets` training pictures choose X's learning rate (the best mean loss at `steps`)."""

    targets: int = 200
    steps: int = 200
    tune_targets: int = 32
    batch: int = 50
    space: str = "residual"
    z_lr: float = 0.1
    seed: int = 0


def loss_curves(
    task: Task, pictures: Tensor, lanes: Mapping[str, tuple[str, float]], steps: int, batch: int, tick: Tick, label: str
) -> dict[str, Tensor]:
    """Losses (steps + 1, n) of every lane, {name: (space, Adam learning rate)}, from the mean start, best so far excluded."""
    chunks: dict[str, list[Tensor]] = {name: [] for name in lanes}
    for first in range(0, len(pictures), batch):
        target = Target(pictures[first : first + batch])
        built = [Lane(name, task.space(space), Adam(lr)) for name, (space, lr) in lanes.items()]
        solver = Solver(task.forward, task.objective, target, built, max_steps=steps)
        history: dict[str, list[Tensor]] = {name: [] for name in lanes}
        for state in states(solver, solver.init([lane.space.mean_start(len(target)) for lane in built])):
            for lane, now in zip(built, state.lanes, strict=True):
                history[lane.name].append(now.loss)
            tick(label, min(first + batch, len(pictures)) * state.step, len(pictures) * steps)
        for name, losses in history.items():
            chunks[name].append(torch.stack(losses))
    return {name: torch.cat(parts, dim=1) for name, parts in chunks.items()}


def tune_x(task: Task, pictures: Tensor, steps: int, tick: Tick, *, space: str = X) -> tuple[float, dict[float, float]]:
    """The Adam learning rate with the lowest mean loss after `steps`, and the whole sweep."""
    sweep = {}
    for lr in SWEEP:
        curves = loss_curves(task, pictures, {space: (space, lr)}, steps, len(pictures), tick, f"tuning {space}, lr {lr}")
        sweep[lr] = float(curves[space][-1].mean())
    return min(sweep, key=lambda lr: sweep[lr]), sweep


def encoder_loss(task: Task, pictures: Tensor) -> Tensor:
    """(n,): the loss of the encoder's guess, no optimisation."""
    if task.encode is None:
        return torch.full((len(pictures),), float("nan"))
    with torch.no_grad():
        return torch.cat([task.objective.bind(Target(part))(task.forward(task.encode(part))) for part in pictures.split(50)])


def first_step_below(curve: list[float], level: float) -> int:
    """The first step whose mean loss is at or below a level; one past the end where none is."""
    return next((step for step, loss in enumerate(curve) if loss <= level), len(curve))


def run_convergence(
    task: Task, train: Tensor, sets: Mapping[str, Tensor], settings: ConvergenceSettings, command: str, tick: Tick
) -> Result:
    """`train` (n, 3, 64, 64) tunes X; `sets` are the evaluated pictures by label, in-distribution first."""
    torch.manual_seed(settings.seed)
    x_lr, sweep = tune_x(task, train[: settings.tune_targets], settings.steps, tick)
    result = Result(
        "convergence", command, settings.seed, task.hashes, {label: len(p) for label, p in sets.items()},
        {**settings.__dict__, "x_lr": x_lr, "x_sweep": {str(lr): loss for lr, loss in sweep.items()}, "optimizer": "adam"},
    )  # fmt: skip
    for index, (label, pictures) in enumerate(sets.items()):
        lanes = {"X": (X, x_lr), "Z": (settings.space, settings.z_lr)}
        curves = loss_curves(task, pictures, lanes, settings.steps, settings.batch, tick, label)
        encoder = encoder_loss(task, pictures)
        x, z = mean_series(curves["X"]), mean_series(curves["Z"])
        result.series |= {f"X {label}": x, f"Z {label}": z, f"encoder {label}": [float(encoder.mean())]}
        result.claims += _claims(label, curves, in_distribution=index == 0)
    return result


def _claims(label: str, curves: Mapping[str, Tensor], *, in_distribution: bool) -> list[Claim]:
    """DESIGN's aims for the steps that were run: early equality, then the change at 20 and 200 steps."""
    x, z = curves["X"], curves["Z"]
    claims = []
    if len(x) > 20:
        early, interval = relative_change(z[2], x[20])
        claims.append(Claim(f"{label}: loss in Z after 2 steps against X after 20", "on par", early, 0.0, "lower", interval))
    papers = {20: (-0.31, -0.07), 200: (-0.24, -0.24)}
    aims = {20: (-0.35, -0.15), 200: (-0.30, -0.25)}
    for step in (20, 200):
        if len(x) > step:
            change, interval = relative_change(z[step], x[step])
            side = 0 if in_distribution else 1
            claims.append(
                Claim(
                    f"{label}: loss after {step} steps, Z against X",
                    papers[step][side],
                    change,
                    aims[step][side],
                    "lower",
                    interval,
                )
            )
    return claims


def plot(result: Result, path: Path) -> None:
    """Fig. 3a: loss (log axis) over steps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    colours = ["#c2410c", "#0369a1"]
    for label, values in result.series.items():
        space, where = label.split(" ", 1)
        colour = colours[0] if space == "X" else colours[1] if space == "Z" else "#6b7280"
        style = "-" if where == next(iter(result.n)) else "--"
        if len(values) == 1:
            axes.axhline(values[0], color=colour, linestyle=style, linewidth=1, label=label)
        else:
            axes.plot(values, color=colour, linestyle=style, label=label)
    axes.set(xlabel="step", ylabel="mean loss (Eq. 5)", yscale="log")
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=150)
