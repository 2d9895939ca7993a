"""Measures of surfaces against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from landscape_core.surfaces.measures import barrier, convex_share, local_minima, measure, roughness, spread, steepness


def axes(n: int = 41) -> tuple[Tensor, Tensor]:
    tick = torch.linspace(-1, 1, n, dtype=torch.float64)
    u, v = torch.meshgrid(tick, tick, indexing="ij")
    return u, v


def test_a_quadratic_bowl_is_convex_smooth_and_has_one_minimum() -> None:
    u, v = axes()
    bowl = measure((3 * u**2 + v**2 + u * v + 0.5).float())
    assert bowl.convex_share == 1.0
    assert bowl.minima == 1
    assert bowl.peaks == 0
    assert bowl.roughness < 1e-10
    assert bowl.depth == pytest.approx(5.0)


def test_a_saddle_and_a_dome_are_convex_nowhere() -> None:
    u, v = axes()
    assert convex_share(u**2 - v**2) == 0.0
    assert convex_share(-(u**2) - v**2) == 0.0
    assert local_minima(u**2 - v**2) == 0
    assert measure(-(u**2) - v**2).peaks == 1
    assert convex_share(u * v) == 0.0  # only the mixed derivative tells


def test_a_sine_is_convex_on_half_of_its_period() -> None:
    u, _ = axes(201)
    assert convex_share(torch.sin(2 * math.pi * u)) == pytest.approx(0.5, abs=0.02)


def test_an_egg_crate_has_the_minima_that_can_be_counted() -> None:
    u, v = axes(61)
    crate = -torch.cos(3 * math.pi * u) * torch.cos(3 * math.pi * v)
    # Inside (-1, 1)², cos·cos is 1 where both arguments are multiples of π of equal parity: (even, even) 9 - those on
    # the edge. u = k/3, |k| <= 2 inside: even k {-2, 0, 2}, odd k {-1, 1}: 3·3 + 2·2 minima, 2·3·2 maxima.
    assert local_minima(crate) == 13
    assert measure(crate).peaks == 12


def test_a_minimum_at_the_edge_or_on_a_flat_is_none() -> None:
    u, v = axes()
    assert local_minima(u + v) == 0
    assert local_minima(torch.zeros(9, 9)) == 0


def test_a_barrier_is_what_parts_a_valley_from_a_deeper_one() -> None:
    u, v = axes(41)
    assert barrier(u**2 + v**2) == 0.0
    # Two valleys along u, at losses 0 and 0.2, with a pass of height 1 between; along v the loss only rises.
    double = torch.where(u < 0, 1 - torch.sin(-math.pi * u), 1 - 0.8 * torch.sin(math.pi * u)) + v**2
    assert barrier(double) == pytest.approx(0.8 / float(double.max() - double.min()), rel=1e-6)
    assert barrier(10 * double + 3) == pytest.approx(barrier(double))  # no unit, no offset
    third = double - 2.0 * torch.exp(-((u + 0.9) ** 2 + (v - 0.9) ** 2) / 0.002)  # a pit in a corner, deeper than both
    assert barrier(third) > 0
    diagonal = torch.ones(5, 5)
    diagonal[1, 1] = diagonal[2, 2] = 0.0  # neighbours, if only by a corner
    assert barrier(diagonal) == 0.0


def test_roughness_is_the_share_no_quadratic_explains() -> None:
    u, v = axes(21)
    noise = torch.randn(21, 21, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert roughness(u**2 + u - 3 * v) < 1e-12
    assert roughness(noise) == pytest.approx(1.0, abs=0.05)
    signal = 10 * (u**2 - v)
    expected = 1.0 / (1.0 + float(signal.var()))
    assert roughness(signal + noise) == pytest.approx(expected, rel=0.2)
    assert roughness(7 + 1000 * (signal + noise)) == pytest.approx(roughness(signal + noise))  # no unit, no offset
    assert roughness(torch.ones(5, 5)) == 0.0


def test_steepness_is_the_slope_per_half_width() -> None:
    u, v = axes(21)
    assert steepness(3 * u + 4 * v + 1) == pytest.approx(5.0)
    assert steepness(3 * axes(101)[0]) == pytest.approx(3.0)  # not per grid point


def test_float32_rounding_does_not_break_convexity() -> None:
    u, v = axes(101)
    assert convex_share((1000.0 + u**2 + 1e-3 * v**2).float()) == 1.0


@pytest.mark.parametrize("bad", [torch.zeros(3, 3), torch.zeros(5, 6), torch.full((5, 5), torch.nan)])
def test_incomplete_surfaces_are_refused(bad: Tensor) -> None:
    with pytest.raises(ValueError, match="surface"):
        measure(bad)


def test_the_spread_is_the_t_interval() -> None:
    s = spread([1.0, 2.0, 3.0, 4.0])
    assert (s.n, s.mean) == (4, 2.5)
    assert s.deviation == pytest.approx(math.sqrt(5 / 3))
    assert s.high - s.mean == pytest.approx(3.18245 * math.sqrt(5 / 3) / 2, rel=1e-4)
    with pytest.raises(ValueError, match="two values"):
        spread([1.0])
