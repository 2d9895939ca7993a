"""Edits of what was found: against closed forms."""

from __future__ import annotations

import pytest
import torch

from landscape_core.errors import UserError
from landscape_core.search.editing import Edit, between, edited, principal, towards
from landscape_core.search.spaces import Prior

D = 8


def prior() -> Prior:
    return Prior.of(torch.randn(500, D, generator=torch.Generator().manual_seed(0)) * torch.arange(1.0, D + 1))


def test_principal_directions_are_orthogonal_and_a_deviation_long() -> None:
    directions = principal(prior(), 5)
    samples = prior().sample(20_000, torch.Generator().manual_seed(1)) - prior().mean
    lengths = directions.norm(dim=1)
    assert bool((lengths[:-1] >= lengths[1:]).all())
    assert torch.allclose(directions @ directions.T, torch.diag(lengths.square()), atol=1e-4)
    assert torch.allclose((samples @ directions.T / lengths).std(dim=0), lengths, rtol=0.03)
    assert bool((directions.gather(1, directions.abs().argmax(dim=1, keepdim=True)) > 0).all())
    assert torch.allclose(directions, principal(Prior(prior().mean, -prior().factor), 5), atol=1e-5)


def test_an_edit_moves_truncates_and_stands_for_nothing_as_it_is() -> None:
    x, directions = torch.randn(3, D), principal(prior())
    assert torch.equal(edited(prior(), x, directions, Edit()), x)
    moved = edited(prior(), x, directions, Edit((0.0, 2.0, -1.0)))
    assert torch.allclose(moved, x + 2 * directions[1] - directions[2])
    assert torch.allclose(edited(prior(), x, directions, Edit(truncation=0.0)), prior().mean.expand(3, -1))
    halved = edited(prior(), x, directions, Edit(truncation=0.5))
    assert torch.allclose(halved - prior().mean, 0.5 * (x - prior().mean))
    assert len(principal(prior())) == D  # no more than there are


def test_a_direction_of_ones_own_leads_from_one_mean_to_the_other() -> None:
    here, there = torch.randn(4, D), torch.randn(6, D)
    direction = towards(there, here)
    moved = edited(prior(), here, direction[None], Edit((1.0,)))
    assert torch.allclose(moved.mean(dim=0), there.mean(dim=0), atol=1e-6)
    with pytest.raises(UserError, match="same mean"):
        towards(here, here)
    with pytest.raises(UserError, match="at least one"):
        towards(here, here[:0])


def test_between_two_results_is_the_straight_way() -> None:
    a, b = torch.randn(2, D), torch.randn(2, D)
    assert torch.equal(between(a, b, 0.0), a)
    assert torch.allclose(between(a, b, 1.0), b)
    assert torch.allclose(between(a, b, 0.25), 0.75 * a + 0.25 * b)
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(UserError, match="from 0 to 1"):
            between(a, b, share)


@pytest.mark.parametrize("edit", [{"amounts": (6.0,)}, {"amounts": (float("nan"),)}, {"truncation": -0.1}, {"truncation": 2.0}])
def test_edits_out_of_range_are_refused(edit: dict) -> None:
    with pytest.raises(UserError):
        Edit(**edit)
    with pytest.raises(UserError, match="directions"):
        edited(prior(), torch.zeros(1, D), principal(prior(), 1), Edit((0.0, 1.0)))
