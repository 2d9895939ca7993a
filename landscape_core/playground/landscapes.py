"""The exact loss in X and in Z on grids, with nothing projected where Z has two dimensions; and how Θ bends Z's grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from landscape_core.playground.task import LEARNED, Playground
from landscape_core.search.objectives import Target
from landscape_core.search.spaces import SearchSpace
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import Trajectory
from landscape_core.surfaces.panels import Panel, panel
from landscape_core.surfaces.planes import Grid, Plane
from landscape_core.surfaces.surface import Surface, evaluate
from landscape_core.surfaces.views import View

LEAST_HALF = 0.25
_WITHIN = 0.98  # of all z's; a few that ran away must not decide how much of Z is drawn
_MARGIN = 1.25


def with_space(playground: Playground, space: SearchSpace) -> Task:
    """The task with a learned space of that Θ."""
    return replace(playground.task, mappings={**playground.task.mappings, LEARNED: space})


def x_grid(playground: Playground, size: int = 41) -> Grid:
    """The drawn part of X, in the variables of X's space: offsets from the prior's mean."""
    middle, half = (playground.low + playground.high) / 2, (playground.high - playground.low) / 2
    plane = Plane(torch.zeros(2), torch.eye(2), X)
    return Grid(plane, _pair(half), _pair(middle - playground.task.prior.mean), size)


def z_grid(name: str, dim: int, visited: Tensor, through: Tensor, size: int = 41) -> Grid:
    """The first two coordinates of Z, on one scale, over what descents visited (n, dim) of them.

    A Z of more than two dimensions is cut along them through the point `through` (dim,); a Z of one has one
    direction, and the second axis of its grid means nothing.
    """
    axes = torch.eye(2, dim)
    kept = visited[torch.isfinite(visited).all(dim=1)]
    reach = kept[:, :2].abs().quantile(_WITHIN, dim=0) if len(kept) else torch.zeros(min(dim, 2))
    half = max(_MARGIN * float(reach.max()), LEAST_HALF)
    origin = through.clone()
    origin[:2] = 0.0
    return Grid(Plane(origin, axes, name), (half, half), size=size)


def landscape(task: Task, grid: Grid, y: Tensor) -> Surface:
    """The loss at every point of a grid for one y (m,): exact, all of them at once."""
    *_, whole = evaluate(task, Target(y[None]), grid, batch=grid.size**2)
    return whole


@torch.no_grad()
def bent(space: SearchSpace, grid: Grid) -> Tensor:
    """Where Θ puts the points of Z's grid in X: (size, size, 2)."""
    points = grid.plane.at(grid.coordinates().reshape(-1, 2))
    return space.to_x(points).reshape(grid.size, grid.size, 2)


def panels(task: Task, y: Tensor, grids: Mapping[str, Grid], trajectory: Trajectory, *, sample: int = 0) -> list[Panel]:
    """A panel a lane: its exact landscape with its path, and the measures of its shape."""
    target, made = Target(y[None]), []
    for lane in trajectory.lanes:
        grid = grids[lane.name]
        path = torch.stack([variable[sample] for variable in lane.variables])
        view = View(_title(lane.name, grid), grid, {lane.name: path}, {lane.name: lane.loss_table()[:, sample]})
        made.append(panel(task, target, view, landscape(task, grid, y)))
    return made


def _title(name: str, grid: Grid) -> str:
    dim = len(grid.plane.origin)
    if name == X or dim <= 2:
        return f"{name}, exact"
    return f"{name}, a cut through two of its {dim} dimensions"


def _pair(values: Tensor) -> tuple[float, float]:
    return float(values[0]), float(values[1])


def condition_number(space: SearchSpace, task: Task, y: Tensor, at: Tensor) -> float:
    """The ratio of the largest to the smallest eigenvalue of the loss's Hessian at one variable (dim,), for one y (m,)."""
    loss = task.objective.bind(Target(y[None].double()))

    def value(variable: Tensor) -> Tensor:
        return loss(task.forward(space.to_x(variable[None])))[0]

    hessian = torch.autograd.functional.hessian(value, at)
    values = torch.linalg.eigvalsh((hessian + hessian.T) / 2)
    return float(values[-1] / values[0])
