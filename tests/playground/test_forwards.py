"""Forward models of two inputs against their closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from landscape_core.playground.forwards import CurvedValley, Ripples, SmallNetwork, Solved, TwoLinkArm
from landscape_core.playground.landscapes import condition_number, landscape, with_space, x_grid, z_grid
from landscape_core.playground.settings import defaults
from landscape_core.playground.task import EXACT, load_playground
from landscape_core.search.spaces import XSpace
from landscape_core.surfaces.measures import measure


def seen(model: str, n: int = 20) -> Tensor:
    """Outputs (n, m) of random inputs."""
    return load_playground(defaults(model)).task.sampled(n, torch.Generator().manual_seed(1)).value


@pytest.mark.parametrize(("model", "forward"), [("arm", TwoLinkArm()), ("valley", CurvedValley()), ("ripples", Ripples())])
def test_every_known_minimiser_gives_back_y(model: str, forward: Solved) -> None:
    for y in seen(model):
        found = forward.minimisers(y)
        assert torch.allclose(forward(found), y.expand(len(found), -1), atol=2e-4)


def test_an_arm_reaches_a_point_with_its_elbow_on_either_side() -> None:
    arm = TwoLinkArm(1.0, 1.0)
    found = arm.minimisers(torch.tensor([1.0, 1.0]))
    right = math.pi / 2
    assert torch.allclose(found, torch.tensor([[0.0, right], [right, -right]]), atol=1e-4)
    assert torch.allclose(arm.elbow(found), torch.tensor([[1.0, 0.0], [0.0, 1.0]]), atol=1e-4)


def test_out_of_its_reach_an_arm_points_at_the_target() -> None:
    arm = TwoLinkArm(1.0, 0.7)
    stretched, folded = arm.minimisers(torch.tensor([0.0, 5.0])), arm.minimisers(torch.tensor([0.1, 0.0]))
    assert torch.allclose(stretched, torch.tensor([[math.pi / 2, 0.0]]), atol=1e-3)
    assert torch.allclose(arm(folded), torch.tensor([[0.3, 0.0]]), atol=1e-3)


def test_the_arms_loss_is_lowest_at_its_minimisers_out_of_reach_too() -> None:
    arm, y = TwoLinkArm(), torch.tensor([2.0, 1.5])
    grid = torch.cartesian_prod(*[torch.linspace(-math.pi, math.pi, 101)] * 2)
    best = (arm(arm.minimisers(y)) - y).square().sum()
    assert float(best) <= float((arm(grid) - y).square().sum(dim=1).min()) + 1e-5


def test_ripples_have_local_minima_that_are_no_solution() -> None:
    ripples = load_playground(defaults("ripples"))
    y = seen("ripples", 1)[0]
    losses = landscape(ripples.task, x_grid(ripples, 161), y).losses
    assert measure(losses).minima > 4
    assert float(losses.min()) < 0.01


def test_a_small_network_is_its_seed() -> None:
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    assert SmallNetwork(3)(x).shape == (5, 3)
    assert torch.equal(SmallNetwork(3)(x), SmallNetwork(3)(x))
    assert not torch.allclose(SmallNetwork(3)(x), SmallNetwork(4)(x))


def test_the_exact_theta_makes_a_round_bowl_of_the_valley() -> None:
    valley = load_playground(defaults("valley"))
    space, y = valley.task.mappings[EXACT], seen("valley", 1)[0]
    task = with_space(valley, space)
    grid = z_grid(EXACT, 2, space.at(valley.inputs(50, torch.Generator().manual_seed(0))), y)
    bowl, gorge = landscape(task, grid, y), landscape(task, x_grid(valley), y)
    assert measure(bowl.losses).convex_share == 1.0
    assert measure(gorge.losses).convex_share < 0.9
    in_z, in_x = (condition_number(each, task, y, each.at(valley.minimisers(y))[0]) for each in (space, XSpace(task.prior)))
    assert in_z == pytest.approx(1.0, rel=0.01)
    assert in_x > 50


def test_the_exact_theta_is_the_inverse_of_the_valley() -> None:
    valley = load_playground(defaults("valley"))
    space, x = valley.task.mappings[EXACT], valley.inputs(30, torch.Generator().manual_seed(0))
    assert torch.allclose(space.to_x(space.at(x)), x, atol=1e-5)
    assert torch.allclose(space.at(x).diff(dim=0), valley.task.forward(x).diff(dim=0), atol=1e-5)
    assert torch.allclose(space.to_x(space.mean_start(1)), valley.task.prior.mean, atol=1e-6)
