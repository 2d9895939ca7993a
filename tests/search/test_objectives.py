"""Objectives: one loss per sample, masks in the target, nothing hidden reaches the loss."""

from __future__ import annotations

import pytest
import torch

from landscape_core.search.objectives import PerceptualObjective, SquaredError, Target, masked_mean
from tests.tiny.models import PooledDistance


def pictures(n: int, seed: int) -> torch.Tensor:
    return torch.rand(n, 3, 64, 64, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_losses_are_per_sample() -> None:
    a, b = pictures(3, 0), pictures(3, 1)
    objective = PerceptualObjective(PooledDistance())
    together = objective.bind(Target(b))(a)
    alone = torch.cat([objective.bind(Target(b[i : i + 1]))(a[i : i + 1]) for i in range(3)])
    assert together.shape == (3,)
    assert torch.allclose(together, alone)
    assert torch.allclose(objective.bind(Target(a))(a), torch.zeros(3))


def test_equation_5_adds_squared_error_to_the_distance() -> None:
    a, b = pictures(2, 0), pictures(2, 1)
    distance = PooledDistance()
    perceptual = distance.distance(distance.features(a), distance.features(b))
    expected = perceptual + (a - b).square().mean(dim=(1, 2, 3))
    assert torch.allclose(PerceptualObjective(distance).bind(Target(b))(a), expected)


def test_hidden_pixels_cannot_reach_the_loss_or_its_gradient() -> None:
    a, b = pictures(2, 0), pictures(2, 1)
    mask = torch.ones(2, 1, 64, 64)
    mask[:, :, 10:30, 5:25] = 0
    noise = 5 * torch.randn(2, 3, 64, 64) * (1 - mask)
    for objective in (PerceptualObjective(PooledDistance()), SquaredError()):
        loss = objective.bind(Target(b, mask))
        assert torch.allclose(loss(a), loss(a + noise), atol=1e-6)
        assert torch.allclose(objective.bind(Target(b + noise, mask))(a), loss(a), atol=1e-6)
        leaf = a.clone().requires_grad_()
        loss(leaf).sum().backward()
        assert (leaf.grad * (1 - mask)).abs().max() == 0
        assert (leaf.grad * mask).abs().max() > 0


def test_masked_mean_is_the_mean_of_what_is_visible() -> None:
    error = torch.tensor([[1.0, 2.0, 30.0], [4.0, 5.0, 6.0]])
    mask = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert masked_mean(error, mask).tolist() == [1.5, 6.0]
    assert masked_mean(error, None).tolist() == [11.0, 5.0]


def test_targets_repeat_and_select_block_after_block() -> None:
    target = Target(torch.arange(6.0).reshape(3, 2), torch.tensor([[1.0], [0.0], [1.0]]))
    twice = target.repeat(2)
    assert len(twice) == 6
    assert torch.equal(twice.value[3:], target.value)
    assert torch.equal(twice.mask[:3], target.mask)
    part = target.select(torch.tensor([2, 0]))
    assert part.value.tolist() == [[4.0, 5.0], [0.0, 1.0]]


def test_one_mask_is_every_samples_mask_whatever_part_of_the_batch_is_taken() -> None:
    value, output = torch.zeros(3, 2), torch.tensor([[1.0, 9.0]]).repeat(3, 1)
    target = Target(value, torch.tensor([[1.0, 0.0]]))
    assert SquaredError().bind(target.select(slice(2, 3)))(output[2:]).tolist() == [1.0]
    assert SquaredError().bind(target.repeat(2))(output.repeat(2, 1)).tolist() == [1.0] * 6
    for mask in (torch.ones(2, 2), torch.ones(2), torch.ones(3, 3)):
        with pytest.raises(ValueError, match="does not broadcast"):
            Target(value, mask)
