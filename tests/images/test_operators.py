"""Operators of observation: against closed forms, and their gradients against their adjoints."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from landscape_core.images.operators import LUMINANCE, Blur, Grey, Measure, Shrink, gaussian, hartley, motion

SIDE = 32


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def pulled_back(operator, y: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Mᵀ y by automatic differentiation."""
    x = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    return torch.autograd.grad(operator(x), x, y)[0]


def measure() -> Measure:
    return Measure.drawn(50, SIDE, torch.Generator().manual_seed(3))


EACH = [Shrink(4), Shrink(8, "bicubic"), gaussian(2.0), motion(9, 30), Grey(), measure()]


@pytest.mark.parametrize("operator", EACH, ids=lambda each: repr(each)[:20])
def test_the_gradient_is_the_adjoint_and_constants_stay(operator) -> None:
    x = random(2, 3, SIDE, SIDE)
    y = random(*operator(x).shape, seed=1)
    assert float((operator(x) * y).sum()) == pytest.approx(float((x * pulled_back(operator, y, x.shape)).sum()), rel=1e-6)
    if not isinstance(operator, Measure):
        assert torch.allclose(operator(torch.full_like(x, 0.7)), torch.tensor(0.7, dtype=torch.float64), atol=1e-5)


def test_averaging_has_the_adjoint_that_spreads_each_value_evenly() -> None:
    y = random(1, 3, SIDE // 4, SIDE // 4)
    assert torch.allclose(pulled_back(Shrink(4), y, (1, 3, SIDE, SIDE)), F.interpolate(y, scale_factor=4.0) / 16)


def test_a_gaussian_blur_damps_a_wave_as_the_formula_says() -> None:
    sigma, omega = 2.0, 2 * math.pi / 8
    wave = torch.cos(omega * torch.arange(64).double()).expand(1, 3, 64, 64)
    inside = gaussian(sigma)(wave)[..., 16:48]
    assert torch.allclose(inside, math.exp(-0.5 * (sigma * omega) ** 2) * wave[..., 16:48], atol=2e-3)


def test_a_level_shake_averages_along_rows_alone() -> None:
    kernel = motion(8.0).kernel
    assert float(kernel.sum()) == pytest.approx(1.0)
    assert float(kernel[len(kernel) // 2].sum()) == pytest.approx(1.0)  # all of it lies in the middle row
    assert torch.allclose(motion(8.0, 90.0).kernel, kernel.T, atol=1e-6)
    assert torch.allclose(motion(8.0, 45.0).kernel, motion(8.0, 135.0).kernel.flip(1), atol=1e-6)


def test_a_gaussian_blur_is_the_convolution_with_its_kernel() -> None:
    blur, x = gaussian(1.5), torch.randn(2, 3, 12, 20, generator=torch.Generator().manual_seed(0))
    whole = Blur(blur.weights[:, None] * blur.weights)
    torch.testing.assert_close(blur(x), whole(x))


def test_a_blur_correlates_and_goes_on_beyond_the_edge() -> None:
    kernel = torch.zeros(3, 3)
    kernel[1, 2] = 1.0  # looks one pixel to the right
    x = random(1, 3, 8, 8)
    assert torch.equal(Blur(kernel)(x), torch.cat([x[..., 1:], x[..., -1:]], dim=3))


def test_grey_weighs_channels_and_its_adjoint_gives_the_weights_back() -> None:
    y = random(1, 3, 4, 4)
    wanted = torch.tensor(LUMINANCE, dtype=torch.float64)[:, None, None] * y.sum(dim=1, keepdim=True)
    assert torch.allclose(pulled_back(Grey(), y, (1, 3, 4, 4)), wanted)


def test_the_hartley_transform_is_orthonormal_and_its_own_inverse() -> None:
    x = random(2, 3, SIDE, SIDE)
    assert torch.allclose(hartley(hartley(x)), x)
    assert float(hartley(x).norm()) == pytest.approx(float(x.norm()))


def test_how_a_picture_lies_in_memory_does_not_change_its_measurements() -> None:
    pictures = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    rows_last = pictures.mT.contiguous().mT
    assert rows_last.stride() != pictures.stride()
    assert torch.equal(hartley(rows_last), hartley(pictures))


def test_measurements_have_the_stated_adjoint_and_are_as_large_as_pixels() -> None:
    operator, x = measure(), random(2, 3, SIDE, SIDE)
    y = operator(x)
    assert y.shape == (2, 3, 50)
    assert torch.allclose(pulled_back(operator, y, x.shape), operator.adjoint(y))
    assert torch.allclose(operator(operator.adjoint(y)), y)  # a right inverse
    assert float(y.square().mean()) == pytest.approx(float(x.square().mean()), rel=0.3)
