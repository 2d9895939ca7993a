"""Descents, basins and landscapes against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from landscape_core.playground.arrivals import arrivals, median_ratio
from landscape_core.playground.basins import basins, starts_grid
from landscape_core.playground.descent import descent, race, starts, steps_to_tolerance, sweep, tuning_targets, unseen_targets
from landscape_core.playground.landscapes import bent, landscape, x_grid, z_grid
from landscape_core.playground.settings import PlaySettings
from landscape_core.playground.task import EXACT, Playground, load_playground
from landscape_core.playground.training import LiveTraining
from landscape_core.search.objectives import Target
from landscape_core.search.solver import Lane
from landscape_core.search.spaces import XSpace


def of(**changes: object) -> Playground:
    return load_playground(PlaySettings(**changes))


def in_x(playground: Playground) -> XSpace:
    return XSpace(playground.task.prior)


def test_steps_to_tolerance_of_a_bowl_are_what_geometry_says() -> None:
    bowl = of(model="own", first="x1", second="x2")  # L = |x - y|² / 2, so x <- x - rate (x - y)
    target = Target(torch.tensor([[1.3, 0.3], [0.3, 0.3], [0.3, -3.7]]))
    found = steps_to_tolerance(bowl, [Lane("X", in_x(bowl), descent("gd", rate)) for rate in (0.5, 1.0, 1e-9)], target)
    halvings = [math.ceil(math.log2(distance / math.sqrt(2 * bowl.tolerance))) for distance in (1.0, 4.0)]
    assert found.tolist() == [[halvings[0], 0, halvings[1]], [1, 0, 1], [201, 0, 201]]


def test_a_sweep_finds_the_step_size_that_jumps_to_the_end() -> None:
    bowl = of(model="own", first="x1", second="x2")
    assert sweep(bowl, in_x(bowl), "gd", tuning_targets(bowl, 10)).best == pytest.approx(1.0, rel=0.15)


def test_targets_to_tune_on_and_unseen_ones_are_others_and_fixed_by_the_seed() -> None:
    one, other = of(seed=0), of(seed=1)
    assert torch.equal(unseen_targets(one, 5).value, unseen_targets(one, 5).value)
    assert not torch.allclose(unseen_targets(one, 5).value, unseen_targets(other, 5).value)
    assert not torch.allclose(unseen_targets(one, 5).value, tuning_targets(one, 5).value)


def test_descents_begin_where_asked_in_both_spaces() -> None:
    valley = of(model="valley", start=(1.0, 0.5))
    for space in (in_x(valley), valley.task.mappings[EXACT]):
        assert torch.allclose(space.to_x(starts(valley, space, 2)), torch.tensor([[1.0, 0.5]] * 2), atol=1e-6)
    assert torch.equal(starts(of(), in_x(of()), 1), torch.zeros(1, 2))


def test_a_race_in_the_exact_theta_arrives_in_one_step() -> None:
    valley = of(model="valley", z_rate=1.0, limit=3)
    target = unseen_targets(valley, 20)
    trajectory = race(valley, {"X": in_x(valley), "Z": valley.task.mappings[EXACT]}, target)
    assert float(trajectory.lane("Z").losses[1].max()) < 1e-9
    assert float(trajectory.lane("X").losses[1].min()) > valley.tolerance


def test_the_arms_basins_are_its_two_solutions() -> None:
    arm = of(model="arm")
    y = torch.tensor([1.0, 0.8])
    begin = in_x(arm).at(starts_grid(arm.low, arm.high, 15))
    found = basins(arm, in_x(arm), descent("gd", 0.3), begin, y)
    known = arm.task.forward.minimisers(y)
    assert set(found.label.tolist()) - {-1} == {0, 1}
    assert found.share > 0.8
    near = basins(arm, in_x(arm), descent("gd", 0.3), in_x(arm).at(known), y)
    assert near.label.tolist() == [0, 1]
    turned = basins(arm, in_x(arm), descent("gd", 0.3), in_x(arm).at(known + 2 * math.pi), y)
    assert turned.label.tolist() == [0, 1]  # the same solutions, a turn further


def test_minima_nobody_knows_are_told_apart() -> None:
    square = of(model="own", first="x1**2", second="x2")  # solutions (±1, 0)
    begin = in_x(square).at(torch.tensor([[1.2, 1.0], [-1.2, 1.0], [0.5, -1.0], [0.0, 0.0]]))
    found = basins(square, in_x(square), descent("gd", 0.2), begin, torch.tensor([1.0, 0.0]))
    assert found.label.tolist() == [0, 1, 0, -1]  # from the ridge nothing moves
    assert torch.allclose(found.minima, torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), atol=0.03)
    assert found.steps[3] == 201


def test_the_landscape_of_x_is_the_loss_itself() -> None:
    arm = of(model="arm")
    y, grid = torch.tensor([0.5, 0.5]), x_grid(of(model="arm"), 5)
    losses = landscape(arm.task, grid, y).losses
    angles = torch.linspace(-math.pi, math.pi, 5)
    expected = (arm.task.forward(torch.tensor([[angles[1], angles[3]]])) - y).square().mean()
    assert float(losses[1, 3]) == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_a_grid_of_z_covers_what_was_visited_and_cuts_through_a_point(dim: int) -> None:
    visited: Tensor = torch.randn(500, dim, generator=torch.Generator().manual_seed(0))
    visited[0] = torch.nan
    through = torch.arange(1.0, dim + 1.0)
    grid = z_grid("learned", dim, visited, through, 9)
    points = grid.plane.at(grid.coordinates().reshape(-1, 2))
    assert points.shape == (81, dim)
    assert 2.0 < float(points[:, 0].max()) < 5.0
    assert bool((points[:, 2:] == through[2:]).all())


def test_the_bent_grid_is_theta_of_zs_grid() -> None:
    valley = of(model="valley")
    space = valley.task.mappings[EXACT]
    grid = z_grid(EXACT, 2, torch.ones(10, 2), torch.zeros(2), 5)
    shown = bent(space, grid)
    assert shown.shape == (5, 5, 2)
    moved = valley.task.forward(shown.reshape(-1, 2)) - valley.task.forward(valley.task.prior.mean[None])
    assert torch.allclose(moved, grid.coordinates().reshape(-1, 2), atol=1e-5)


def test_arrivals_count_those_that_never_arrive() -> None:
    found = arrivals(torch.tensor([1.0, 2.0, 3.0, 201.0, 201.0]), 200)
    assert (found.median, found.share, found.n) == (3.0, pytest.approx(0.6), 5)
    assert found.share_interval[0] < 0.6 < found.share_interval[1]
    assert found.median_interval[0] <= 3.0 <= found.median_interval[1]


def test_the_ratio_of_medians_pairs_the_targets() -> None:
    slow = torch.arange(1.0, 101.0)
    ratio, (low, high) = median_ratio(slow / 4, slow)
    assert ratio == low == high == pytest.approx(0.25)


def test_higher_dimensions_of_z_are_searched_too() -> None:
    training = LiveTraining(of(z_dim=6, begin="random", buffers=1))
    assert race(training.playground, {"Z": training.space()}, unseen_targets(training.playground, 3)).lane("Z").variables[
        0
    ].shape == (3, 6)
