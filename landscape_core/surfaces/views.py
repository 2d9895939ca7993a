"""Which planes are worth looking at for a race of X against Z, and the paths that belong on them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.spaces import XSpace
from landscape_core.search.task import Task, X
from landscape_core.search.thetas import space_name
from landscape_core.search.trajectory import Trajectory, states
from landscape_core.surfaces.hessian import hessian_plane
from landscape_core.surfaces.planes import (
    Grid,
    Plane,
    StoppedError,
    extent,
    grid_over,
    plane_through,
    principal_plane,
    random_plane,
)

Kind = Literal["recovered", "path", "random", "ends", "shared", "hessian"]
Shown = Literal[Kind, "cut"]  # what can be drawn: a plane, or the line between both ends
KINDS: tuple[Kind, ...] = get_args(Kind)
SHOWN: tuple[Shown, ...] = get_args(Shown)
SPREADS = 2.0  # half-width of the paper's grid in standard deviations of the recovered latents
AXES: Mapping[Kind, tuple[str, str]] = {
    "recovered": ("recovered direction 1", "recovered direction 2"),
    "path": ("path direction 1", "path direction 2"),
    "random": ("random direction 1", "random direction 2"),
    "ends": ("towards X's end", "across, towards Z's end"),
    "shared": ("shared direction 1", "shared direction 2"),
    "hessian": ("eigenvector 1", "eigenvector 2"),
}
SHARED_TITLES: Mapping[Kind, str] = {"ends": "X, through start and ends", "shared": "X, shared plane"}


@dataclass(frozen=True)
class View:
    """One surface to draw: its grid, per lane the points (T, d) of its path in the plane's space and their losses, and
    what its axes are."""

    title: str
    grid: Grid
    paths: Mapping[str, Tensor]
    losses: Mapping[str, Tensor]
    axes: tuple[str, str] = ("first direction", "second direction")

    def thinned(self, at: Sequence[int]) -> View:
        """The same grid with the points at these places of its paths alone."""
        paths, losses = ({name: each[[*at]] for name, each in of.items()} for of in (self.paths, self.losses))
        return replace(self, paths=paths, losses=losses)


Recovering = Generator[tuple[int, int], None, dict[str, Plane]]


def recovering(
    task: Task, space: str, targets: Target, *, steps: int = 20, batch: int = 25,
    optimizers: tuple[OptimizerSettings, OptimizerSettings] | None = None, stop: Callable[[], bool] = lambda: False,
) -> Recovering:  # fmt: skip
    """Appendix A: `steps` updates on every target, then the principal directions of the recovered latents, in X and in
    Z, by X's and Z's optimiser of `optimizers`, or by the one advised for Z. The planes go through the last latent; use
    `Plane.through` for an example's own.

    Yields (updates done, updates in all), an update being one step of one target, and returns the planes by space.

    Raises:
        UserError: fewer than three targets, or no such space.
        StoppedError: `stop`, asked before each step, said so.
    """
    z = task.advice(space)
    settings = RunSettings.pair(space, *(optimizers or (task.advice(X, z.name), z)), task=task.name, steps=steps)
    ends: dict[str, list[Tensor]] = {X: [], space: []}
    for first in range(0, len(targets), batch):
        part = targets.select(slice(first, first + batch))
        solver, starts = prepare(task, settings, part)
        for state in states(solver, solver.init(starts), stop=stop):
            yield first * steps + state.step * len(part), len(targets) * steps
        if stop():
            raise StoppedError("the targets of the paper's plane were recovered")
        for name, lane in zip(ends, state.lanes, strict=True):
            ends[name].append(lane.variable)
    return {name: principal_plane(torch.cat(parts), name) for name, parts in ends.items()}


def recovered_planes(
    task: Task, space: str, targets: Target, *, steps: int = 20, batch: int = 25,
    optimizers: tuple[OptimizerSettings, OptimizerSettings] | None = None,
    progress: Callable[[int, int], object] = lambda done, total: None, stop: Callable[[], bool] = lambda: False,
) -> dict[str, Plane]:  # fmt: skip
    """The planes of `recovering`; `progress` is told what it yields."""
    going = recovering(task, space, targets, steps=steps, batch=batch, optimizers=optimizers, stop=stop)
    while True:
        try:
            progress(*next(going))
        except StopIteration as over:
            planes: dict[str, Plane] = over.value
            return planes


@torch.no_grad()
def in_x(task: Task, space: str, variables: Tensor) -> Tensor:
    """The same points as variables of X: Z's through Θ."""
    return XSpace(task.prior).at(task.space(space).to_x(variables))


def views(
    task: Task,
    trajectory: Trajectory,
    space: str,
    kind: Kind,
    *,
    sample: int = 0,
    target: Target | None = None,
    recovered: Mapping[str, Plane] | None = None,
    at_step: int | None = None,
    size: int = 41,
    seed: int = 0,
    stop: Callable[[], bool] = lambda: False,
) -> list[View]:
    """The surfaces of one sample of a race between X and `space`.

    recovered: the paper's planes, one view in X and one in Z, centred on each run's last step; needs `recovered`.
    path: the same with the principal directions of each run's own path. random: two random directions, on a grid as
    wide as the paper's, or as the path's without `recovered`. hessian: the two directions in which the loss curves most at
    step `at_step`, by default the last, of each run; needs `target` (1, ...). ends: one view in X, through the start and
    both ends. shared: one view in X, through the principal directions of both paths together. In the last two Z's path is
    drawn through Θ.

    Raises:
        UserError: the run is too short to span a plane or has no such step, or the recovered planes are missing.
        StoppedError: `stop` said so while the Hessian was looked into.
    """
    points = {lane.name: torch.stack([v[sample] for v in lane.variables]) for lane in trajectory.lanes}
    losses = {lane.name: lane.loss_table()[:, sample] for lane in trajectory.lanes}
    if kind in ("ends", "shared"):
        both = {"X": points["X"], "Z": in_x(task, space, points["Z"])}
        return [View(SHARED_TITLES[kind], _shared_grid(kind, both, size), both, losses, AXES[kind])]
    found = []
    at = index_of(trajectory, at_step) if kind == "hessian" else -1
    for name, lane_space in (("X", X), ("Z", space)):
        path = points[name]
        if kind == "hessian":
            assert target is not None
            plane = hessian_plane(task, target, lane_space, path[at], seed=seed, stop=stop)
            grid = _curved_grid(plane, path, float(losses[name][at]), size)
        else:
            grid = _own_grid(kind, path, lane_space, recovered, size, seed)
        title = name if lane_space == X else f"Z ({space_name(space)})"
        found.append(View(title, grid, {name: path}, {name: losses[name]}, AXES[kind]))
    return found


def index_of(trajectory: Trajectory, step: int | None) -> int:
    """Where a step stands in the record; the last for None.

    Raises:
        UserError: there is no such step.
    """
    if step is None:
        return len(trajectory.steps) - 1
    if step not in trajectory.steps:
        raise UserError(f"At step: the run has steps 0 to {trajectory.steps[-1]}, and no step {step}.")
    return trajectory.steps.index(step)


def _curved_grid(plane: Plane, path: Tensor, loss: float, size: int) -> Grid:
    """Around the plane's origin, wide enough for the path and for the curvature to show: along the leading direction a
    parabola of that curvature would double the loss at the edge."""
    assert plane.curvature is not None
    reach = (2.0 * loss / max(abs(plane.curvature[0]), 1e-30)) ** 0.5
    return Grid(plane, extent(plane.project(path)[0], at_least=(reach, reach)), size=size)


def _shared_grid(kind: Kind, paths: Mapping[str, Tensor], size: int) -> Grid:
    x, z = paths["X"], paths["Z"]
    plane = plane_through(x[0], x[-1], z[-1], X) if kind == "ends" else principal_plane(torch.cat([z, x]), X)
    return grid_over(plane, plane.project(torch.cat([x, z]))[0], size=size)


def _own_grid(kind: Kind, path: Tensor, space: str, recovered: Mapping[str, Plane] | None, size: int, seed: int) -> Grid:
    """Centred on the path's last point, wide enough for the path."""
    if kind == "recovered" and recovered is None:
        raise UserError("The plane of recovered latents needs targets to recover: give a folder of pictures, or choose 'path'.")
    wide = principal_plane(path, space) if recovered is None or kind == "path" else recovered[space].through(path[-1])
    # A path's own plane is as wide as the path; the paper's as wide as what was recovered.
    least = spreads(wide) if kind != "path" else (0.0, 0.0)
    half = extent(wide.project(path)[0], at_least=least)
    if kind != "random":
        return Grid(wide, half, size=size)
    plane = random_plane(path[-1], space, torch.Generator().manual_seed(seed))
    return Grid(plane, half, size=size)


def spreads(plane: Plane) -> tuple[float, float]:
    """The half-widths that show what the plane's points spread over."""
    if plane.spread is None:
        raise ValueError("this plane was not fitted to points")
    return SPREADS * float(plane.spread[0]), SPREADS * float(plane.spread[1])
