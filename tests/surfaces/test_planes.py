"""Planes and grids: exact where geometry says so."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.search.task import X
from landscape_core.surfaces.planes import Grid, Plane, extent, grid_over, plane_through, principal_plane, random_plane


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_points_of_a_plane_project_to_themselves(seed: int) -> None:
    points = torch.randn(3, 7, generator=random(seed))
    for plane in (plane_through(*points, X), principal_plane(points, X), random_plane(points[0], X, random(seed))):
        assert torch.allclose(plane.axes @ plane.axes.T, torch.eye(2), atol=1e-5)
        coordinates = torch.randn(5, 2, generator=random(seed))
        found, distance = plane.project(plane.at(coordinates))
        assert torch.allclose(found, coordinates, atol=1e-4)
        assert distance.max() < 1e-4


def test_the_distance_from_a_plane_is_the_length_of_what_sticks_out() -> None:
    plane = Plane(torch.zeros(4), torch.eye(4)[:2], X)
    coordinates, distance = plane.project(torch.tensor([[1.0, 2.0, 3.0, 4.0]]))
    assert coordinates.tolist() == [[1.0, 2.0]]
    assert float(distance) == 5.0


def test_three_points_lie_on_their_plane_and_a_line_has_none() -> None:
    points = torch.randn(3, 9, generator=random(0))
    assert plane_through(*points, X).project(points)[1].max() < 1e-5
    with pytest.raises(UserError, match="one line"):
        plane_through(points[0], points[1], points[0] + 2 * (points[1] - points[0]), X)
    with pytest.raises(UserError, match="one line"):
        plane_through(points[0], points[0], points[1], X)


def test_principal_directions_are_those_of_the_spread() -> None:
    scale = torch.tensor([0.1, 3.0, 0.2, 2.0, 0.1])
    points = torch.randn(4000, 5, generator=random(0)) * scale
    plane = principal_plane(points, X, origin=points[7])
    assert plane.explained is not None
    assert plane.spread is not None
    assert plane.axes.abs().argmax(dim=1).tolist() == [1, 3]
    assert plane.explained[0] == pytest.approx(9 / 13.06, abs=0.03)
    assert plane.spread.tolist() == pytest.approx([3.0, 2.0], rel=0.05)
    assert torch.equal(plane.at(torch.zeros(1, 2))[0], points[7])


@pytest.mark.parametrize("points", [torch.randn(2, 5), torch.arange(6.0)[:, None] * torch.ones(5), torch.zeros(6, 5)])
def test_too_few_points_or_a_line_have_no_principal_plane(points: Tensor) -> None:
    with pytest.raises(UserError, match="points"):
        principal_plane(points, X)


def test_a_grid_has_its_centre_and_holds_the_path() -> None:
    plane = Plane(torch.zeros(3), torch.eye(3)[:2], X)
    path = torch.tensor([[0.0, 0.0], [4.0, 1.0]])
    grid = grid_over(plane, path, size=11)
    assert grid.coordinates()[5, 5].tolist() == [2.0, 0.5]
    assert grid.coordinates()[0, -1].tolist() == pytest.approx([2 - 2.4, 0.5 + 0.6])
    assert extent(torch.tensor([[1.0, 0.0]]), margin=1.0) == pytest.approx((1.0, 0.1))  # still a surface
    with pytest.raises(UserError, match="not moved"):
        extent(torch.zeros(3, 2))
    with pytest.raises(ValueError, match="odd"):
        Grid(plane, (1.0, 1.0), size=10)
