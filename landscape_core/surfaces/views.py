"""Which planes are worth looking at for a race of X against Z, and the paths that belong on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.spaces import XSpace
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import Trajectory, run
from landscape_core.surfaces.planes import Grid, Plane, extent, grid_over, plane_through, principal_plane, random_plane

Kind = Literal["recovered", "path", "random", "ends", "shared"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SPREADS = 2.0  # half-width of the paper's grid in standard deviations of the recovered latents


@dataclass(frozen=True)
class View:
    """One surface to draw: its grid, and per lane the points (T, d) of its path in the plane's space and their losses."""

    title: str
    grid: Grid
    paths: Mapping[str, Tensor]
    losses: Mapping[str, Tensor]


def recovered_planes(
    task: Task, space: str, targets: Target, *, steps: int = 20, z_lr: float | None = None, batch: int = 25,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> dict[str, Plane]:  # fmt: skip
    """Appendix A: `steps` updates on every target, then the principal directions of the recovered latents, in X and in
    Z. The planes go through the last latent; use `Plane.through` for an example's own.

    Raises:
        UserError: fewer than three targets, or no such space.
    """
    z = task.advice(space, lr=z_lr)
    settings = RunSettings.pair(space, task.advice(X, z.name), z, task=task.name, steps=steps)
    ends: dict[str, list[Tensor]] = {X: [], space: []}
    for first in range(0, len(targets), batch):
        trajectory = run(*prepare(task, settings, targets.select(slice(first, first + batch))))
        for name, lane in zip(ends, trajectory.lanes, strict=True):
            ends[name].append(lane.variables[-1])
        progress(min(first + batch, len(targets)), len(targets))
    return {name: principal_plane(torch.cat(parts), name) for name, parts in ends.items()}


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
    recovered: Mapping[str, Plane] | None = None,
    size: int = 41,
    seed: int = 0,
) -> list[View]:
    """The surfaces of one sample of a race between X and `space`.

    recovered: the paper's planes, one view in X and one in Z, centred on each run's last step; needs `recovered`.
    path: the same with the principal directions of each run's own path. random: two random directions, on a grid as
    wide as the paper's, or as the path's without `recovered`. ends: one view in X, through the start and both ends.
    shared: one view in X, through the principal directions of both paths together. In the last two Z's path is drawn
    through Θ.

    Raises:
        UserError: the run is too short to span a plane, or the recovered planes are missing.
    """
    points = {lane.name: torch.stack([v[sample] for v in lane.variables]) for lane in trajectory.lanes}
    losses = {lane.name: lane.loss_table()[:, sample] for lane in trajectory.lanes}
    if kind in ("ends", "shared"):
        both = {"X": points["X"], "Z": in_x(task, space, points["Z"])}
        return [View(f"X, {kind}", _shared_grid(kind, both, size), both, losses)]
    found = []
    for name, lane_space in (("X", X), ("Z", space)):
        grid = _own_grid(kind, points[name], lane_space, recovered, size, seed)
        title = name if lane_space == X else f"Z ({space})"
        found.append(View(title, grid, {name: points[name]}, {name: losses[name]}))
    return found


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
