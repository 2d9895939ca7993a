"""Descents of the playground: by name and rate, with the number of steps each takes to arrive, and a sweep of rates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

import torch
from torch import Tensor

from landscape_core.playground.settings import DescentName
from landscape_core.playground.task import Playground
from landscape_core.search.momentum import Momentum
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import LBFGS, Adam, GradientDescent
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.spaces import SearchSpace, XSpace
from landscape_core.search.trajectory import Trajectory, run
from landscape_core.search.updates import Optimizer

DESCENTS: tuple[DescentName, ...] = get_args(DescentName)
_KINDS: dict[DescentName, Callable[[float], Optimizer]] = {
    "gd": GradientDescent, "momentum": Momentum, "adam": Adam, "lbfgs": LBFGS,
}  # fmt: skip
# Θ is trained on targets of its own stream of random numbers; rates are chosen on a second one, and measured on a third.
_TUNING, _UNSEEN = 2**31, 2**31 + 2**30


def descent(name: DescentName, rate: float) -> Optimizer:
    """An optimiser at a rate (for L-BFGS the length of a full step)."""
    return _KINDS[name](rate)


def tuning_targets(playground: Playground, n: int) -> Target:
    """n targets to choose rates on."""
    return playground.task.sampled(n, torch.Generator().manual_seed(playground.settings.seed + _TUNING))


def unseen_targets(playground: Playground, n: int) -> Target:
    """n targets that neither Θ nor any rate was chosen on."""
    return playground.task.sampled(n, torch.Generator().manual_seed(playground.settings.seed + _UNSEEN))


def starts(playground: Playground, space: SearchSpace, n: int) -> Tensor:
    """Where n descents begin (n, dim): at the settings' start, as near as the space can reach, or at the origin."""
    chosen = playground.settings.start
    return space.mean_start(n) if chosen is None else space.at(torch.tensor([chosen]).expand(n, 2))


def race(playground: Playground, spaces: dict[str, SearchSpace], target: Target) -> Trajectory:
    """Descents on all targets in lock-step, in X at `x_rate` and elsewhere at `z_rate`, up to the settings' `limit`."""
    settings = playground.settings
    lanes = [
        Lane(name, space, descent(settings.optimizer, settings.x_rate if isinstance(space, XSpace) else settings.z_rate))
        for name, space in spaces.items()
    ]
    solver = Solver(playground.task.forward, playground.task.objective, target, lanes, max_steps=settings.limit)
    return run(solver, [starts(playground, lane.space, len(target)) for lane in lanes])


def steps_to_tolerance(
    playground: Playground, lanes: Sequence[Lane], target: Target, begin: Sequence[Tensor] | None = None
) -> Tensor:
    """The first step at which the loss is at most the tolerance: (lanes, B). One that never arrives counts as limit + 1.

    `begin` are the starting variables of each lane, the settings' start unless given.
    """
    limit, tolerance = playground.settings.limit, playground.tolerance
    begin = [starts(playground, lane.space, len(target)) for lane in lanes] if begin is None else begin
    solver = Solver(playground.task.forward, playground.task.objective, target, lanes, max_steps=limit)
    state = solver.init(begin)
    first = torch.full((len(lanes), len(target)), limit + 1)
    while True:
        arrived = torch.stack([lane.loss <= tolerance for lane in state.lanes])
        first[arrived & (first > state.step)] = state.step
        if solver.done(state) is not None or bool((first <= limit).all()):
            return first
        state = solver.step(state)


@dataclass(frozen=True)
class Sweep:
    """One space's mean steps to tolerance over rates, each √2 times the one before; `best` is the rate with the fewest."""

    rates: tuple[float, ...]
    means: tuple[float, ...]

    @property
    def best(self) -> float:
        return self.rates[self.means.index(min(self.means))]


_FIRST_RATE: dict[DescentName, float] = {"gd": 0.1, "momentum": 0.01, "adam": 0.05, "lbfgs": 0.5}
_AT_ONCE, _MOST = 6, 36


def sweep(playground: Playground, space: SearchSpace, name: DescentName, target: Target) -> Sweep:
    """Steps to tolerance over rates, those that never arrive counted as limit + 1.

    It goes on to smaller and larger rates until the best one has others on both sides.
    """
    first, ratio = _FIRST_RATE[name], math.sqrt(2.0)
    means: dict[int, float] = {}
    waiting = list(range(_AT_ONCE))
    while waiting and len(means) < _MOST:
        lanes = [Lane(f"{power}", space, descent(name, first * ratio**power)) for power in waiting]
        steps = steps_to_tolerance(playground, lanes, target).double().mean(dim=1)
        means |= dict(zip(waiting, steps.tolist(), strict=True))
        low, high, best = min(means), max(means), min(means, key=lambda power: (means[power], power))
        if best in (low, low + 1):
            waiting = list(range(low - _AT_ONCE, low))
        elif best in (high, high - 1):
            waiting = list(range(high + 1, high + 1 + _AT_ONCE))
        else:
            waiting = []
    powers = sorted(means)
    return Sweep(tuple(first * ratio**power for power in powers), tuple(means[power] for power in powers))
