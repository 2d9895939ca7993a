"""The invertible Θ: one to one, X itself at first, and a search in it can begin anywhere."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from landscape_core.search.mapping import FlowMapping, MappingConfig, build_mapping
from landscape_core.search.spaces import Invertible, Prior, ZSpace

DIM = 7
CONFIG = MappingConfig("flow", DIM, DIM, hidden=16, layers=3)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def bent(whitener: Tensor | None = None) -> FlowMapping:
    """A flow whose couplings do something."""
    mapping = build_mapping(CONFIG, Prior(normal(DIM), torch.eye(DIM)), whitener=whitener, seed=1)
    assert isinstance(mapping, FlowMapping)
    with torch.no_grad():
        for parameter in mapping.parameters():
            parameter.add_(0.3 * normal(*parameter.shape, seed=parameter.numel()))
    return mapping


def test_untrained_it_is_x_in_the_whiteners_units() -> None:
    matrix = normal(DIM, DIM, seed=3)
    prior = Prior(normal(DIM), torch.eye(DIM))
    mapping = build_mapping(CONFIG, prior, whitener=matrix)
    z = normal(5, DIM, seed=4)
    assert torch.allclose(mapping(z), prior.mean + z @ matrix.T, atol=1e-6)


def test_the_inverse_is_the_inverse_both_ways() -> None:
    mapping = bent(normal(DIM, DIM, seed=3) + 4 * torch.eye(DIM))
    z = 2 * normal(50, DIM, seed=4)
    x = mapping(z)
    assert (x - (mapping.get_buffer("mean") + z @ mapping.get_buffer("whitener").T)).abs().max() > 0.5
    assert torch.allclose(mapping.inverse(x), z, atol=1e-4)
    far = 10 * normal(50, DIM, seed=5)
    assert torch.allclose(mapping(mapping.inverse(far)), far, atol=1e-3)


def test_a_search_can_begin_at_any_x() -> None:
    space = ZSpace(bent(), DIM)
    assert isinstance(space.mapping, Invertible)
    x = 5 * normal(4, DIM, seed=6)
    assert torch.allclose(space.to_x(space.at(x)), x, atol=1e-4)


def test_its_file_brings_the_orders_along() -> None:
    mapping = bent()
    other = build_mapping(CONFIG, Prior(torch.zeros(DIM), torch.eye(DIM)), seed=9)
    other.load_state_dict(mapping.state_dict())
    z = normal(3, DIM, seed=7)
    assert torch.equal(other(z), mapping(z))


def test_z_must_be_as_large_as_x() -> None:
    with pytest.raises(ValueError, match="z_dim == x_dim"):
        build_mapping(MappingConfig("flow", 3, DIM), Prior(torch.zeros(DIM), torch.eye(DIM)))


def test_the_root_of_a_priors_covariance_is_symmetric_and_squares_to_it() -> None:
    prior = Prior.of(normal(200, DIM) @ normal(DIM, DIM, seed=8))
    root = prior.root()
    assert torch.allclose(root, root.T, atol=1e-4)
    assert torch.allclose(root @ root, prior.factor @ prior.factor.T, atol=1e-3)
