"""A training watched: the landscape in Z, the path on it and the bent grid, buffer by buffer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from landscape_core.playground.descent import race
from landscape_core.playground.landscapes import bent, panels, with_space, x_grid, z_grid
from landscape_core.playground.training import LiveTraining
from landscape_core.search.objectives import Target
from landscape_core.search.spaces import XSpace
from landscape_core.search.trajectory import Trajectory
from landscape_core.surfaces.panels import Panel

LANES = ("X", "Z")
SPREAD = 64  # targets whose descents say how much of Z is worth drawing


@dataclass(frozen=True)
class Frame:
    """What one buffer looks like for one y: the panels of X and Z, the race on them, and Θ of Z's grid (size, size, 2)."""

    buffer: int
    panels: list[Panel]
    trajectory: Trajectory
    bent: Tensor


def frame(training: LiveTraining, y: Tensor, *, size: int = 41) -> Frame:
    """The landscapes for one y (m,) with Θ as it stands, and the race of both spaces on them."""
    playground, space = training.playground, training.space()
    many = playground.task.sampled(SPREAD, torch.Generator().manual_seed(playground.settings.seed))
    target = Target(torch.cat([y[None], many.value]))
    trajectory = race(playground, dict(zip(LANES, (XSpace(playground.task.prior), space), strict=True)), target)
    visited = torch.cat(trajectory.lane("Z").variables)
    grid = z_grid(training.name, space.dim, visited, trajectory.lane("Z").variables[-1][0], size)
    grids = {"X": x_grid(playground, size), "Z": grid}
    drawn = panels(with_space(playground, space), y, grids, trajectory)
    return Frame(training.buffer, drawn, trajectory.sample(0), bent(space, grid))
