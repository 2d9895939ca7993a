"""What is said of surfaces: who ended lower, which is smoother, and when the plane misleads."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from landscape_core.surfaces.measures import measure
from landscape_core.surfaces.panels import Panel
from landscape_core.surfaces.planes import Grid, Plane
from landscape_core.surfaces.surface import PathOnPlane, Surface
from landscape_core.surfaces.verdict import extent_on, verdict, warnings
from landscape_core.surfaces.views import View

TICK = torch.linspace(-1, 1, 21)
U, V = torch.meshgrid(TICK, TICK, indexing="ij")


def path(true: float, seen: float, off: float = 0.0, extent: float = 1.0) -> PathOnPlane:
    coordinates = torch.tensor([[0.0, 0.0], [0.0, extent], [0.0, extent / 2]])
    return PathOnPlane(
        coordinates, torch.tensor([0.0, off, 0.0]), torch.tensor([9.0, 5.0, true]), torch.tensor([9.0, 5.0, seen])
    )


def shown(paths: dict[str, PathOnPlane], losses: Tensor | None = None) -> Panel:
    losses = U**2 + V**2 if losses is None else losses
    grid = Grid(Plane(torch.zeros(2), torch.eye(2), "X"), (1.0, 1.0), size=21)
    surface = Surface(grid, losses, torch.ones(21, 21, dtype=torch.bool))
    return Panel(View("a surface", grid, {}, {}), surface, paths, measure(losses))


def test_a_plane_that_tells_the_truth_is_not_warned_of() -> None:
    assert warnings([shown({"X": path(0.5, 0.6, off=0.9), "Z": path(0.2, 0.3)})]) == []


def test_a_path_that_leaves_the_plane_by_more_than_its_extent_is_named() -> None:
    far = path(0.2, 0.3, off=7.4, extent=1.2)
    assert extent_on(far) == pytest.approx(1.2)
    (said,) = warnings([shown({"X": path(0.5, 0.6), "Z": far})])
    assert said.startswith("Z's path leaves the plane by up to 7.4, more than its whole extent on it (1.2)")


@pytest.mark.parametrize("apart", [False, True])
def test_ends_in_another_order_than_in_truth_are_told(apart: bool) -> None:
    x, z = {"X": path(0.5, 0.6)}, {"Z": path(0.06, 0.9)}
    (said,) = warnings([shown(x), shown(z)] if apart else [shown(x | z)])
    assert said == "The plane misleads: on it X ends lower (X 0.6, Z 0.9), in truth Z does (X 0.5, Z 0.06)."


def test_ends_about_as_low_have_no_order() -> None:
    assert warnings([shown({"X": path(0.5, 0.6), "Z": path(0.501, 0.3)})]) == []
    assert verdict([shown({"X": path(0.5, 0.6), "Z": path(0.501, 0.3)})]).startswith("Both runs ended about as low")


def test_the_verdict_names_the_smoother_surface_only_where_both_measures_agree() -> None:
    rough = U**2 + V**2 + 0.3 * torch.cos(12 * U)
    said = verdict([shown({"X": path(0.5, 0.5)}, rough), shown({"Z": path(0.2, 0.2)})])
    assert said.startswith("On these planes Z's surface is the smoother and the more convex one (rough ")
    assert said.endswith("Z's run ended lower (0.5 for X, 0.2 for Z).")
    dome = -(U**2) - V**2  # smooth and nowhere convex
    assert "neither surface is the easier" in verdict([shown({"X": path(0.5, 0.5)}, rough), shown({"Z": path(0.2, 0.2)}, dome)])
