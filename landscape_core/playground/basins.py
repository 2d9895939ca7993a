"""Which starts lead where: basins of attraction, and the set of starts from which a descent arrives at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from landscape_core.playground.task import Playground
from landscape_core.search.objectives import Target
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.spaces import SearchSpace
from landscape_core.search.trajectory import states
from landscape_core.search.updates import Optimizer

_APART = 0.02  # two ends nearer than this share of the drawn part's diagonal are the same minimum


@dataclass(frozen=True)
class Basins:
    """Of n starts: the number of the minimum each one reached (n,), -1 where it did not arrive; the minima (k, 2), known ones
    first; and the steps to tolerance (n,), limit + 1 for never."""

    label: Tensor
    minima: Tensor
    steps: Tensor

    @property
    def share(self) -> float:
        """The share of starts that arrive."""
        return float((self.label >= 0).double().mean())


def basins(playground: Playground, space: SearchSpace, optimizer: Optimizer, begin: Tensor, y: Tensor) -> Basins:
    """Descend from every starting variable (n, dim) to one target y (m,)."""
    limit = playground.settings.limit
    target = Target(y.expand(len(begin), -1))
    lane = Lane("starts", space, optimizer)
    solver = Solver(playground.task.forward, playground.task.objective, target, [lane], max_steps=limit)
    steps, reached = torch.full((len(begin),), limit + 1), torch.zeros(len(begin), space.dim)
    for state in states(solver, solver.init([begin])):
        now = state.lanes[0]
        arrived = (now.loss <= playground.tolerance) & (steps > limit)
        steps[arrived], reached[arrived] = state.step, now.variable[arrived]
        if bool((steps <= limit).all()):
            break
    with torch.no_grad():
        ends = space.to_x(reached)
    label, minima = _grouped(playground, ends, steps <= limit, playground.minimisers(y))
    return Basins(label, minima, steps)


def _grouped(playground: Playground, ends: Tensor, arrived: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """The minimum each end (n, 2) belongs to: the nearest known one, or one found by putting near ends together."""
    label, minima = torch.full((len(ends),), -1), known
    near = _APART * float((playground.high - playground.low).norm())
    if len(known) and bool(arrived.any()):
        label[arrived] = playground.apart(ends[arrived], known).argmin(dim=1)
        return label, minima
    while bool((arrived & (label < 0)).any()):
        rest = (arrived & (label < 0)).nonzero()[:, 0]
        middle = ends[rest[:1]]
        label[rest[playground.apart(ends[rest], middle)[:, 0] <= near]] = len(minima)
        minima = torch.cat([minima, middle])
    return label, minima


def starts_grid(low: Tensor, high: Tensor, size: int) -> Tensor:
    """Starts (size², 2) on a regular grid between two corners (2,), the first coordinate slowest."""
    ticks: Sequence[Tensor] = [torch.linspace(float(a), float(b), size) for a, b in zip(low, high, strict=True)]
    return torch.cartesian_prod(*ticks)
