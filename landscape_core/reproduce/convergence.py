"""Figure 3a: mean loss per step in X (tuned) and in Z, in- and out-of-distribution, with the encoder's flat line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.inversion import Lane, Solver
from landscape_core.objectives import Target
from landscape_core.optimizers import LBFGS, Adam, Optimizer
from landscape_core.reproduce.results import Claim, Result, mean_series, relative_change
from landscape_core.tasks.base import Task, X
from landscape_core.trajectory import states

Tick = Callable[[str, int, int], None]
Lanes = Mapping[str, tuple[str, Optimizer]]
ADAM_SWEEP = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
LBFGS_SWEEP = (0.3, 1.0, 3.0)
# Samples times lanes in one pass of F. On a CPU more than this falls out of the cache and costs twice as much each.
PASS = 16
CONVERGED = 2000
POINTS = 200  # a longer series is written thinned to about this many


@dataclass(frozen=True)
class ConvergenceSettings:
    """`tune_targets` training pictures choose X's learning rates (the lowest mean loss after `steps`).

    From `CONVERGED` steps on the experiment is another one, "converged": few pictures, and claims about the end alone.
    """

    targets: int = 200
    steps: int = 200
    tune_targets: int = 24
    space: str = "residual"
    seed: int = 0


def loss_curves(task: Task, pictures: Tensor, lanes: Lanes, steps: int, tick: Tick, label: str) -> dict[str, Tensor]:
    """Losses (steps + 1, n) of every lane, {name: (space, optimiser)}, from the mean start; not best-so-far."""
    chunks: dict[str, list[Tensor]] = {name: [] for name in lanes}
    batch = max(PASS // len(lanes), 1)
    for first in range(0, len(pictures), batch):
        target = Target(pictures[first : first + batch]).to(task.device)
        built = [Lane(name, task.space(space), optimizer) for name, (space, optimizer) in lanes.items()]
        solver = Solver(task.forward, task.objective, target, built, max_steps=steps)
        history: dict[str, list[Tensor]] = {name: [] for name in lanes}
        for state in states(solver, solver.init([lane.space.mean_start(len(target)) for lane in built])):
            for lane, now in zip(built, state.lanes, strict=True):
                history[lane.name].append(now.loss)
            tick(label, first * steps + len(target) * state.step, len(pictures) * steps)
        for name, losses in history.items():
            chunks[name].append(torch.stack(losses))
    return {name: torch.cat(parts, dim=1) for name, parts in chunks.items()}


def tune_x(
    task: Task, pictures: Tensor, steps: int, tick: Tick, optimizers: Sequence[Adam | LBFGS]
) -> tuple[float, dict[str, float]]:
    """The learning rate in X with the lowest mean loss after `steps`, and the whole sweep; all rates in one batch."""
    lanes = {str(each.lr): (X, each) for each in optimizers}
    curves = loss_curves(task, pictures, lanes, steps, tick, f"tuning X, {type(optimizers[0]).__name__}")
    sweep = {lr: float(losses[-1].mean()) for lr, losses in curves.items()}
    return float(min(sweep, key=lambda lr: sweep[lr])), sweep


def encoder_loss(task: Task, pictures: Tensor) -> Tensor:
    """(n,): the loss of the encoder's guess, no optimisation."""
    if task.encode is None:
        return torch.full((len(pictures),), float("nan"))
    with torch.no_grad():
        targets = [Target(part).to(task.device) for part in pictures.split(50)]
        return torch.cat([task.objective.bind(each)(task.forward(task.encode(each.value))) for each in targets])


def run_convergence(
    task: Task, train: Tensor, sets: Mapping[str, Tensor], settings: ConvergenceSettings, command: str, tick: Tick
) -> Result:
    """`train` (n, 3, 64, 64) tunes X; `sets` are the evaluated pictures by label, in-distribution first.

    X runs with Adam (the usual baseline) and with L-BFGS (the strongest we know); Z as its card recommends,
    and, where it is there, the paper's Θ with the paper's Adam.
    """
    tuning = train[: settings.tune_targets]
    adam_lr, adam_sweep = tune_x(task, tuning, settings.steps, tick, [Adam(lr) for lr in ADAM_SWEEP])
    lbfgs_lr, lbfgs_sweep = tune_x(task, tuning, settings.steps, tick, [LBFGS(lr) for lr in LBFGS_SWEEP])
    z = task.advice(settings.space)
    lanes: dict[str, tuple[str, Optimizer]] = {
        "X Adam": (X, Adam(adam_lr)), "X L-BFGS": (X, LBFGS(lbfgs_lr)), "Z": (settings.space, z.build(settings.steps)),
    }  # fmt: skip
    if "paper" in task.mappings and settings.space != "paper":
        lanes["Z paper"] = ("paper", Adam(0.1))
    stride = max(settings.steps // POINTS, 1)
    result = Result(
        experiment_name(task.name, settings.steps), command, settings.seed, task.hashes,
        {label: len(p) for label, p in sets.items()},
        {
            **asdict(settings), "x_adam_lr": adam_lr, "x_adam_sweep": adam_sweep, "x_lbfgs_lr": lbfgs_lr,
            "x_lbfgs_sweep": lbfgs_sweep, "z_optimizer": z.name, "z_lr": z.lr, "domain": task.name, "stride": stride,
        },
    )  # fmt: skip
    for index, (label, pictures) in enumerate(sets.items()):
        curves = loss_curves(task, pictures, lanes, settings.steps, tick, label)
        encoder = encoder_loss(task, pictures)
        result.series |= {f"{name} | {label}": mean_series(losses[::stride]) for name, losses in curves.items()}
        result.series[f"encoder | {label}"] = [float(encoder.mean())]
        result.claims += _claims(label, curves, in_distribution=index == 0)
    return result


def experiment_name(domain: str, steps: int) -> str:
    """The result's name: each domain's own, and "converged" for long runs."""
    name = "converged" if steps >= CONVERGED else "convergence"
    return name if domain == "faces" else f"{name}-{domain}"


PAPER = {20: (-0.31, -0.07), 200: (-0.24, -0.24), 2000: (-0.15, -0.10)}
AIMS = {20: (-0.35, -0.15), 200: (-0.30, -0.25), 2000: (-0.20, -0.15)}


def _claims(label: str, curves: Mapping[str, Tensor], *, in_distribution: bool) -> list[Claim]:
    """The aims for the steps that were run: early equality and the change at 20 and 200 steps, or the change at the end."""
    z, claims, side = curves["Z"], [], 0 if in_distribution else 1
    for baseline in ("X Adam", "X L-BFGS"):
        x = curves[baseline]
        if CONVERGED >= len(x) > 20:
            change, interval = relative_change(z[2], x[20])
            name = f"{label}: loss in Z after 2 steps against {baseline} after 20"
            claims.append(Claim(name, "on par", change, 0.0, "lower", interval))
        for step in [CONVERGED] if len(x) > CONVERGED else [step for step in PAPER if len(x) > step]:
            change, interval = relative_change(z[step], x[step])
            name = f"{label}: loss after {step} steps, Z against {baseline}"
            claims.append(Claim(name, PAPER[step][side], change, AIMS[step][side], "lower", interval))
    return claims


COLOURS = {"X Adam": "#c2410c", "X L-BFGS": "#a16207", "Z": "#0369a1", "Z paper": "#7c3aed", "encoder": "#6b7280"}


def plot(result: Result, path: Path) -> None:
    """Fig. 3a: loss (log axis) over steps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6 * len(result.n), 4.0), layout="constrained")
    panels = figure.subplots(1, len(result.n), sharey=True, squeeze=False)[0]
    for axes, label in zip(panels, result.n, strict=True):
        for name, colour in COLOURS.items():
            values = result.series.get(f"{name} | {label}", [])
            if len(values) == 1:
                axes.axhline(values[0], color=colour, linestyle=":", label=name)
            elif values:
                axes.plot([result.settings["stride"] * i for i in range(len(values))], values, color=colour, label=name)
        axes.set(title=label, xlabel="step", yscale="log")
        axes.legend(fontsize=8)
    panels[0].set_ylabel("mean loss (Eq. 5)")
    figure.savefig(path, dpi=150)
