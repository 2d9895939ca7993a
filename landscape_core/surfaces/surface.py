"""Loss surfaces: the loss at every point of a grid in a plane, coarse first and then finer (appendix A)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from landscape_core import processes
from landscape_core.images.pixels import to_bytes
from landscape_core.search.objectives import Target
from landscape_core.search.task import Task
from landscape_core.storage.fingerprint import fingerprint
from landscape_core.surfaces.planes import Grid, Plane
from landscape_core.threads import InTurns

_COARSE = 6


@dataclass(frozen=True)
class Surface:
    """What is known of a grid: losses (size, size), NaN where not evaluated yet; evaluated (size, size) bool;
    thumbnails uint8 (size, size, 3, s, s) of what is seen there, or None, one buffer for all surfaces of one evaluation.
    Axis 0 goes along the plane's first axis."""

    grid: Grid
    losses: Tensor
    evaluated: Tensor
    thumbnails: Tensor | None = None

    @property
    def done(self) -> int:
        """How many of the grid's points are known."""
        return int(self.evaluated.sum())

    @property
    def level(self) -> int:
        """Points a side of the finest level that is known whole; 0 before the first."""
        whole = [n for n in levels(self.grid.size) if bool(self._every(self.evaluated, n).all())]
        return max(whole, default=0)

    def at_level(self, level: int) -> tuple[Tensor, Tensor, Tensor]:
        """Ticks (level,) of both axes and the losses (level, level) of one level."""
        u, v = self.grid.ticks()
        stride = (self.grid.size - 1) // (level - 1)
        return u[::stride], v[::stride], self._every(self.losses, level)

    def _every(self, values: Tensor, level: int) -> Tensor:
        stride = (self.grid.size - 1) // (level - 1)
        return values[::stride, ::stride]


def levels(size: int) -> tuple[int, ...]:
    """Points a side of each refinement, coarsest first, every one containing the one before: 41 -> (6, 11, 21, 41)."""
    sizes = [size]
    while sizes[0] > _COARSE and sizes[0] % 2 == 1:
        sizes.insert(0, (sizes[0] - 1) // 2 + 1)
    return tuple(sizes)


Losses = Callable[[Tensor], tuple[Tensor, Tensor]]


def loss_in(task: Task, space: str, target: Target) -> Losses:
    """A function of variables (n, dim) of a space: losses (n,) and outputs (n, ...), without gradients.

    The target (one sample) is bound once and broadcast against every batch, so its features are computed once.

    Raises:
        ValueError: the target is not a single one, or the objective cannot compare many outputs with one target.
    """
    if len(target) != 1:
        raise ValueError(f"a surface belongs to one target, not to {len(target)}")
    to_x, loss = task.space(space).to_x, task.objective.bind(target.to(task.device))

    @torch.no_grad()
    def losses(points: Tensor) -> tuple[Tensor, Tensor]:
        x = to_x(points)
        output = task.forward(x)
        compared = loss(output)
        if compared.shape != (len(points),):
            raise ValueError("this objective cannot compare many outputs with one target")
        return compared + task.input_term(x), output

    return losses


Cache = MutableMapping[str, Mapping[str, Tensor]]


def evaluate(
    task: Task,
    target: Target,
    grid: Grid,
    *,
    batch: int = 32,
    thumbnail: int = 0,
    cache: Cache | None = None,
    stop: Callable[[], bool] = lambda: False,
    in_turns: InTurns = processes.in_turns,
) -> Iterator[Surface]:
    """The surface of one target (1, ...) over a grid, after every batch of points; each level reuses the coarser one.

    `thumbnail` is the side in pixels of a kept picture per point, 0 keeps none. `cache` (a dict, or a `FolderCache`)
    keeps what was evaluated of a grid, whole or not, under a fingerprint of all that goes into it: a repeated call goes
    on from there. `stop` is asked before each batch. Several processes take the batches in turns, or as `in_turns` says.
    """
    space = task.space(grid.plane.space)
    key = (
        fingerprint(task.forward, task.objective, task.input_term, space, target, grid, thumbnail) if cache is not None else ""
    )
    known = processes.from_main(lambda: None if cache is None else cache.get(key))
    surface = _blank(grid) if known is None else Surface(grid, **known)
    losses = loss_in(task, grid.plane.space, target)
    plane = replace(grid.plane, origin=processes.same(grid.plane.origin), axes=processes.same(grid.plane.axes))
    points = processes.same(grid.coordinates().reshape(-1, 2).to(plane.origin))

    def looked(indices: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        values, outputs = losses(plane.at(points[indices]))
        pictures = F.adaptive_avg_pool2d(task.shown(outputs, target), thumbnail) if thumbnail else None
        return indices, values.cpu(), None if pictures is None else to_bytes(pictures).cpu()

    yield surface
    try:
        for indices, values, pictures in in_turns(looked, [*_batches(surface, batch)], stop):
            surface = _extended(surface, indices, values, pictures)
            yield surface
    finally:  # also where the caller walks away: what was paid for is kept
        if cache is not None:
            cache[key] = {name: value for name, value in vars(surface).items() if isinstance(value, Tensor)}


def _blank(grid: Grid) -> Surface:
    shape = (grid.size, grid.size)
    return Surface(grid, torch.full(shape, torch.nan), torch.zeros(shape, dtype=torch.bool))


def _batches(surface: Surface, batch: int) -> Iterator[Tensor]:
    """Flat indices of the points still to be evaluated, level by level."""
    size, seen = surface.grid.size, surface.evaluated.flatten().clone()
    index = torch.arange(size * size).reshape(size, size)
    for level in levels(size):
        stride = (size - 1) // (level - 1)
        wanted = index[::stride, ::stride].flatten()
        wanted = wanted[~seen[wanted]]
        seen[wanted] = True
        yield from wanted.split(batch) if len(wanted) else ()


def _extended(surface: Surface, indices: Tensor, losses: Tensor, pictures: Tensor | None) -> Surface:
    size, kept = surface.grid.size, surface.thumbnails
    rows, columns = indices // size, indices % size
    values, evaluated = surface.losses.clone(), surface.evaluated.clone()
    values[rows, columns] = losses
    evaluated[rows, columns] = True
    if pictures is not None:
        kept = torch.zeros(size, size, *pictures.shape[1:], dtype=torch.uint8) if kept is None else kept
        kept[rows, columns] = pictures  # in place: they are megabytes, and `evaluated` says which count
    return replace(surface, losses=values, evaluated=evaluated, thumbnails=kept)


def evaluate_all(surfaces: Mapping[str, Iterator[Surface]]) -> Iterator[dict[str, Surface]]:
    """Several surfaces in turn, batch by batch, so that all are coarse before one is fine."""
    latest: dict[str, Surface] = {}
    running = dict(surfaces)
    try:
        while running:
            for name in list(running):
                following = next(running[name], None)
                if following is None:
                    del running[name]
                else:
                    latest[name] = following
            if len(latest) == len(surfaces) and running:
                yield dict(latest)
    finally:
        for iterator in surfaces.values():
            if hasattr(iterator, "close"):
                iterator.close()


@dataclass(frozen=True)
class PathOnPlane:
    """A run seen on a plane: coordinates (T, 2), distance (T,) from the plane, true loss (T,) of the path, and the loss
    (T,) at the projections. Where the last two differ, the picture of the surface does not show what the run met."""

    coordinates: Tensor
    distance: Tensor
    true_loss: Tensor
    plane_loss: Tensor


def path_on_plane(
    task: Task, target: Target, plane: Plane, points: Tensor, true_loss: Tensor, *, batch: int = 64
) -> PathOnPlane:
    """Project the points (T, d) of a run with its losses (T,) and evaluate F at the projections."""
    coordinates, distance = plane.project(points)
    losses = loss_in(task, plane.space, target)
    plane_loss = torch.cat([losses(part)[0].cpu() for part in plane.at(coordinates).split(batch)])
    return PathOnPlane(coordinates.cpu(), distance.cpu(), true_loss.cpu(), plane_loss)
