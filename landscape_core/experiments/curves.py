"""Loss curves of lanes on many targets, and the choice of X's learning rate on training pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from landscape_core.progress import Tick
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import LBFGS, Adam
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import states
from landscape_core.search.updates import Optimizer

Lanes = Mapping[str, tuple[str, Optimizer]]
ADAM_SWEEP = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
LBFGS_SWEEP = (0.3, 1.0, 3.0)
# Samples times lanes in one pass of F. On a CPU more than this falls out of the cache and costs twice as much each.
PASS = 16


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


COLOURS = {"X Adam": "#c2410c", "X L-BFGS": "#a16207", "Z": "#0369a1", "Z paper": "#7c3aed", "encoder": "#6b7280"}
