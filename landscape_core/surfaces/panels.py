"""A surface with all that is said about it: paths, distances from the plane, true against plane loss, measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from landscape_core.search.objectives import Target
from landscape_core.search.task import Task
from landscape_core.surfaces.measures import Measures, measure
from landscape_core.surfaces.surface import PathOnPlane, Surface, path_on_plane
from landscape_core.surfaces.views import View

ENOUGH = 11  # points a side that measures are taken of; of a surface that gets fewer, as soon as it is whole
MIN_LEVEL = 5


@dataclass(frozen=True)
class Panel:
    """One drawn surface. `measures` belong to the finest whole level; None where that is too coarse or a loss is not
    finite."""

    view: View
    surface: Surface
    paths: Mapping[str, PathOnPlane]
    measures: Measures | None

    @property
    def drawn(self) -> tuple[Tensor, Tensor, Tensor]:
        """Ticks of both axes and losses of the finest whole level.

        Raises:
            ValueError: no level is whole yet.
        """
        if self.surface.level == 0:
            raise ValueError("no level of this surface is complete yet")
        return self.surface.at_level(self.surface.level)


def panel(task: Task, target: Target, view: View, surface: Surface) -> Panel:
    """Put a view's paths on its surface and measure it; target (1, ...). Costs one pass of F per step of every path."""
    plane = view.grid.plane
    paths = {name: path_on_plane(task, target, plane, points, view.losses[name]) for name, points in view.paths.items()}
    return Panel(view, surface, paths, _measures(surface))


def enough(surface: Surface) -> bool:
    """Whether so many of a surface's points are known that one may speak of its shape."""
    return surface.level >= max(MIN_LEVEL, min(ENOUGH, surface.grid.size))


def _measures(surface: Surface) -> Measures | None:
    if not enough(surface):
        return None
    _, _, losses = surface.at_level(surface.level)
    return measure(losses) if bool(torch.isfinite(losses).all()) else None


def figures(panel: Panel) -> dict[str, Any]:
    """Everything a panel shows as plain numbers, for JSON and for tables; floats of losses, units of the variable."""
    grid, plane = panel.surface.grid, panel.surface.grid.plane
    u, v, losses = panel.drawn
    return {
        "title": panel.view.title,
        "space": plane.space,
        "axes": list(panel.view.axes),
        "explained_variance": None if plane.explained is None else list(plane.explained),
        "curvature": None if plane.curvature is None else list(plane.curvature),
        "points_a_side": panel.surface.level,
        "half_widths": list(grid.half),
        "measures": None if panel.measures is None else panel.measures.as_dict(),
        "ticks": [u.tolist(), v.tolist()],
        "losses": losses.tolist(),
        "paths": {name: _path_figures(path) for name, path in panel.paths.items()},
    }


def _path_figures(path: PathOnPlane) -> dict[str, Any]:
    return {
        "coordinates": path.coordinates.tolist(),
        "distance_from_plane": path.distance.tolist(),
        "true_loss": path.true_loss.tolist(),
        "plane_loss": path.plane_loss.tolist(),
    }


def sentences(panel: Panel) -> list[str]:
    """What a reader of the picture should know, one fact a sentence."""
    said = []
    explained = panel.surface.grid.plane.explained
    if explained is not None:
        said.append(f"The plane holds {100 * sum(explained):.0f} % of the variance of the points it was fitted to.")
    curvature = panel.surface.grid.plane.curvature
    if curvature is not None:
        said.append(f"Along the axes the loss curves by {curvature[0]:.3g} and {curvature[1]:.3g} at the centre.")
    for name, path in panel.paths.items():
        length = float((path.coordinates[-1] - path.coordinates[0]).norm())
        said.append(
            f"{name}'s path leaves the plane by up to {float(path.distance.max()):.3g} (it covers {length:.3g} in it); its "
            f"loss there differs from the plane's by up to {float((path.true_loss - path.plane_loss).abs().max()):.3g}."
        )
    if panel.measures is not None:
        m = panel.measures
        said.append(
            f"Convex at {100 * m.convex_share:.0f} % of the points; local minima: {m.minima}; peaks: {m.peaks}; "
            f"barriers between valleys {100 * m.barrier:.2g} % of the depth; "
            f"roughness {m.roughness:.2g}; steepness {m.steepness:.3g} per half-width."
        )
    return said
