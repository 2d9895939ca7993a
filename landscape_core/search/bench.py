"""How much a lock-step race step costs beyond the network it has to run anyway. Ratios, measured in one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import Adam
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import Trajectory


@dataclass(frozen=True)
class StepCost:
    """Median milliseconds. `ratio_objective` compares with F and L forward and backward, `ratio_forward` with F alone."""

    race_step_ms: float
    bare_objective_ms: float
    bare_forward_ms: float
    ratio_objective: float
    ratio_forward: float


def bench_step(task: Task, *, space: str, rounds: int = 60, warmup: int = 5) -> StepCost:
    """A recorded race step (X and Z, batch 1 each) against bare passes of F at batch 2, taken in turns.

    Ratios are medians of the per-round ratios, so a drift of the machine's speed cancels.
    """
    picture = task.forward(task.prior.mean[None]).detach()
    target = Target(picture)
    lanes = [Lane("X", task.space(X), Adam(0.01)), Lane("Z", task.space(space), Adam(0.01))]
    solver = Solver(task.forward, task.objective, target, lanes, max_steps=rounds + warmup)
    state = solver.init([lane.space.mean_start(1) for lane in lanes])
    trajectory = Trajectory.empty(["X", "Z"])
    loss = task.objective.bind(target.repeat(2))
    x = task.prior.mean.repeat(2, 1).requires_grad_()

    def objective_pass() -> None:
        torch.autograd.grad(loss(task.forward(x)).sum(), x)

    def forward_pass() -> None:
        output = task.forward(x)
        torch.autograd.grad(output, x, torch.ones_like(output))

    times: list[tuple[float, float, float]] = []
    for _ in range(rounds + warmup):
        started = time.perf_counter()
        state = solver.step(state)
        trajectory.record(state)
        times.append((time.perf_counter() - started, _timed(objective_pass), _timed(forward_pass)))
    kept = times[warmup:]
    race, bare, forward = (statistics.median(t[i] for t in kept) * 1000 for i in range(3))
    return StepCost(
        race, bare, forward, statistics.median(t[0] / t[1] for t in kept), statistics.median(t[0] / t[2] for t in kept)
    )


def _timed(action: Callable[[], None]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
