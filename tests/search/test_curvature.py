"""The mean curvature against its closed form, and what taking it out does to descent."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from landscape_core.search.curvature import curvature_at, mean_curvature, steepness, whitener
from landscape_core.search.mapping import MappingConfig, build_mapping
from landscape_core.search.objectives import SquaredError, Target
from landscape_core.search.optimizers import GradientDescent
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.spaces import Prior, ZSpace
from landscape_core.search.trajectory import run

DIM, OUT = 6, 9


@pytest.fixture
def linear() -> nn.Linear:
    torch.manual_seed(0)
    layer = nn.Linear(DIM, OUT).requires_grad_(False)
    layer.weight.mul_(torch.logspace(-1, 1, DIM))  # condition number of the Hessian about 10,000
    return layer


def test_curvature_of_a_linear_model_is_its_gram_matrix(linear: nn.Linear) -> None:
    expected = 2 / OUT * linear.weight.T @ linear.weight  # of the mean of squares
    assert torch.allclose(curvature_at(linear, SquaredError(), torch.randn(DIM), batch=4), expected, rtol=1e-3, atol=1e-4)
    seen: list[tuple[int, int]] = []
    mean = mean_curvature(linear, SquaredError(), torch.randn(3, DIM), tick=lambda done, total: seen.append((done, total)))
    assert torch.allclose(mean, expected, rtol=1e-3, atol=1e-4)
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_whitened_curvature_is_the_identity_without_damping(linear: nn.Linear) -> None:
    matrix = curvature_at(linear, SquaredError(), torch.zeros(DIM))
    a = whitener(matrix, damping=1e-7)
    assert torch.allclose(a @ matrix @ a, torch.eye(DIM), atol=0.02)
    assert torch.allclose(a, a.T)


def test_a_gain_scales_the_whole_and_leaves_the_proportions(linear: nn.Linear) -> None:
    matrix = curvature_at(linear, SquaredError(), torch.zeros(DIM))
    plain, scaled = whitener(matrix), whitener(matrix, gain=3.0)
    assert float(torch.linalg.eigvalsh(scaled).square().mean().sqrt()) == pytest.approx(3.0, rel=1e-4)
    assert torch.allclose(scaled / scaled.norm(), plain / plain.norm(), atol=1e-5)


def test_the_priors_shape_decides_where_the_loss_says_little() -> None:
    curvature = torch.diag(torch.tensor([100.0, 1.0, 1e-4, 1e-4]))
    prior = Prior(torch.zeros(4), torch.diag(torch.tensor([1.0, 1.0, 3.0, 0.3])))
    precision = prior.precision()
    assert float(precision.diagonal().mean()) == pytest.approx(1.0)
    assert torch.allclose(precision @ prior.factor @ prior.factor.T, torch.eye(4) * float(precision[0, 0]), atol=2e-3)
    a = whitener(curvature, damping=1.0, power=0.35, precision=precision)
    assert torch.allclose(a, a.T, atol=1e-6)
    ratio = float(a[2, 2] / a[3, 3])
    assert ratio == pytest.approx((3.0 / 0.3) ** 0.7, rel=0.02)  # alike to the loss, they move by what the prior allows
    plain = whitener(curvature, damping=1.0)
    assert float(a.square().diagonal().mean()) == pytest.approx(float(plain.square().diagonal().mean()), rel=1e-3)
    soft = whitener(curvature, damping=1.0, power=0.35)
    assert float(soft[0, 0] / soft[2, 2]) == pytest.approx(float(plain[0, 0] / plain[2, 2]) ** 0.7, rel=1e-3)


def test_steepness_is_what_the_loss_feels_of_a_whitened_step() -> None:
    curvature = torch.diag(torch.tensor([9.0, 4.0, 1.0, -1e-6]))
    b = steepness(curvature, torch.diag(torch.tensor([1.0, 1.0, 0.5, 1.0])))
    assert torch.allclose(b, torch.diag(torch.tensor([1.0, 2 / 3, 1 / 6, 0.0])), atol=1e-5)


def test_descent_with_the_curvature_taken_out_needs_one_step(linear: nn.Linear) -> None:
    prior = Prior(torch.zeros(DIM), torch.eye(DIM))
    a = whitener(curvature_at(linear, SquaredError(), torch.zeros(DIM)), damping=1e-6)
    space = ZSpace(build_mapping(MappingConfig("residual", DIM, DIM, 8), prior, whitener=a), DIM)
    target = Target(linear(torch.randn(4, DIM)))
    solver = Solver(linear, SquaredError(), target, [Lane("Z", space, GradientDescent(1.0))], max_steps=1)
    losses = run(solver, [space.mean_start(4)]).lanes[0].loss_table()
    assert (losses[1] < 1e-3 * losses[0]).all()
