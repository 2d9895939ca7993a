"""Residual mappings: where the MLP may bend them, blocks of W+, and the way back."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from landscape_core.search.mapping import MappingConfig, build_mapping
from landscape_core.search.spaces import Prior, ZSpace

DIM = 6
PRIOR = Prior(torch.linspace(-1, 1, DIM), torch.eye(DIM))
WHITENER = torch.diag(torch.linspace(0.5, 3.0, DIM))
STEEP = torch.diag(torch.tensor([1.0, 0.7, 0.2, 0.0, 0.0, 0.0]))


def normal(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, DIM, generator=torch.Generator().manual_seed(seed))


def trained(spread: float, **changes: object) -> nn.Module:
    """A mapping whose last layer is no longer zero."""
    config = MappingConfig("residual", DIM, DIM, 32, activation="silu", bend=True, **changes)  # type: ignore[arg-type]
    mapping = build_mapping(config, PRIOR, whitener=WHITENER, bend=STEEP, seed=3).requires_grad_(False)
    mapping.mlp.layers[-1].weight.normal_(0.0, spread, generator=torch.Generator().manual_seed(4))
    mapping.log_scale.copy_(torch.linspace(-0.2, 0.2, DIM))
    return mapping


def test_the_mlp_bends_only_where_the_loss_is_steep() -> None:
    mapping, z = trained(0.5), normal(5)
    straight = PRIOR.mean + (z * mapping.log_scale.exp()) @ WHITENER.T
    bent = mapping(z) - straight
    assert (bent[:, :3].abs().sum(dim=0) > 0.01).all()
    assert bent[:, 3:].abs().max() < 1e-6
    flat = z.clone()
    flat[:, 3:] += 5.0  # a long way in flat directions turns nothing in the steep ones
    assert torch.allclose((mapping(flat) - mapping(z))[:, :3], torch.zeros(5, 3), atol=1e-5)


def test_untrained_it_is_the_whitener_alone() -> None:
    config = MappingConfig("residual", DIM, DIM, 32, bend=True)
    mapping = build_mapping(config, PRIOR, whitener=WHITENER, bend=STEEP)
    alone = build_mapping(MappingConfig("residual", DIM, DIM, hidden=0), PRIOR, whitener=WHITENER)
    assert torch.allclose(mapping(normal(4)), alone(normal(4)), atol=1e-6)
    assert [name for name, _ in alone.named_parameters()] == ["log_scale"]


@pytest.mark.parametrize(("spread", "exact"), [(0.1, 1e-4), (1.0, 1e-3), (12.0, 0.3)])
def test_the_space_finds_the_way_back(spread: float, exact: float) -> None:
    """Exactly where the MLP only bends; where it folds the space over, to a point nearby."""
    space = ZSpace(trained(spread), DIM)
    x = space.to_x(normal(4, 1))
    found = space.to_x(space.at(x))
    assert ((found - x).norm(dim=1) < exact * x.norm(dim=1)).all()


def test_one_whitener_serves_every_block() -> None:
    config = MappingConfig("residual", 3 * DIM, 3 * DIM, hidden=0, blocks=3)
    prior = Prior(PRIOR.mean.repeat(3), torch.eye(DIM).repeat(3, 1))
    space = ZSpace(build_mapping(config, prior, whitener=WHITENER), 3 * DIM)
    z = torch.cat([normal(2, seed) for seed in range(3)], dim=1)
    expected = torch.cat([PRIOR.mean + part @ WHITENER.T for part in z.split(DIM, dim=1)], dim=1)
    assert torch.allclose(space.to_x(z), expected, atol=1e-6)
    assert torch.allclose(space.at(expected), z, atol=1e-4)
    assert space.mapping.get_buffer("whitener").shape == (DIM, DIM)
