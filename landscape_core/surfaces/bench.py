"""What a pair of surfaces costs beside the bare passes it cannot do without."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from landscape_core.search.objectives import Target
from landscape_core.search.task import Task, X
from landscape_core.surfaces.planes import Grid, random_plane
from landscape_core.surfaces.surface import Surface, evaluate, levels, loss_in


@dataclass(frozen=True)
class SurfaceCost:
    """Seconds for a whole pair (X and a learned space), until both are coarse, and for the same points bare.

    `ratio` compares with the forward passes the surfaces need, Θ, F and L; `ratio_forward` with Θ and F alone.
    """

    points: int
    seconds: float
    coarse_seconds: float
    bare_seconds: float
    bare_forward_seconds: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.bare_seconds

    @property
    def ratio_forward(self) -> float:
        return self.seconds / self.bare_forward_seconds


def bench_surfaces(task: Task, *, space: str, size: int = 41, batch: int = 32, thumbnail: int = 0) -> SurfaceCost:
    """Evaluate a pair of size x size surfaces, and after every batch the same number of points bare, so that a drift
    of the machine's speed falls on both."""
    with torch.no_grad():
        target = Target(task.forward(task.prior.mean[None]))
        parts = [_bench_one(task, target, name, size, batch, thumbnail) for name in (X, space)]
    return SurfaceCost(2 * size * size, *(sum(figures) for figures in zip(*parts, strict=True)))


def _bench_one(
    task: Task, target: Target, space: str, size: int, batch: int, thumbnail: int
) -> tuple[float, float, float, float]:
    """Seconds: the surface, its coarse part, its points bare, and bare without L."""
    plane = random_plane(task.space(space).mean_start(1)[0], space, torch.Generator().manual_seed(0))
    grid = Grid(plane, (1.0, 1.0), size=size)
    to_x, needed = task.space(space).to_x, loss_in(task, space, target)
    points = plane.at(grid.coordinates().reshape(-1, 2).to(plane.origin))
    needed(points[:batch])  # the first pass at a shape is slower
    seconds = coarse = bare = bare_forward = 0.0
    for surface, new, spent in _timed(evaluate(task, target, grid, batch=batch, thumbnail=thumbnail)):
        seconds += spent
        coarse += spent if surface.done <= levels(size)[0] ** 2 else 0.0
        bare_forward += _seconds(lambda part: task.forward(to_x(part)), points[:new])
        bare += _seconds(needed, points[:new])
    return seconds, coarse, bare, bare_forward


def _timed(surfaces: Iterator[Surface]) -> Iterator[tuple[Surface, int, float]]:
    """Each surface with the points that are new in it and the seconds it took."""
    known = 0
    while True:
        started = time.perf_counter()
        surface = next(surfaces, None)
        spent = time.perf_counter() - started
        if surface is None:
            return
        if surface.done > known:  # the first is blank
            yield surface, surface.done - known, spent
        known = surface.done


def _seconds(action: Callable[[Tensor], object], points: Tensor) -> float:
    started = time.perf_counter()
    action(points)
    return time.perf_counter() - started
