"""Optimisers against closed forms and against torch's and SciPy's own."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor

from landscape_core.search.optimizers import LBFGS, Adam, GradientDescent, Optimizer, RampedAdam


def quadratic(dim: int = 6, seed: int = 0) -> tuple[Tensor, Tensor]:
    """A positive definite matrix and a minimiser."""
    random = torch.Generator().manual_seed(seed)
    root = torch.randn(dim, dim, generator=random, dtype=torch.float64)
    return root @ root.T + 0.1 * torch.eye(dim, dtype=torch.float64), torch.randn(dim, generator=random, dtype=torch.float64)


def descend(optimizer: Optimizer, start: Tensor, matrix: Tensor, minimiser: Tensor, steps: int) -> list[Tensor]:
    """The path on ½ (v - m)ᵀ H (v - m), one evaluation to a step."""
    variable, state, path = start, optimizer.init(start), [start]
    for step in range(steps):
        gradient = (variable - minimiser) @ matrix
        loss = 0.5 * ((variable - minimiser) * gradient).sum(dim=1)
        variable, state = optimizer.update(state, variable, loss, gradient, step)
        path.append(variable)
    return path


def test_gradient_descent_follows_its_closed_form() -> None:
    matrix, minimiser = quadratic()
    start = torch.zeros(1, 6, dtype=torch.float64)
    lr = 0.05
    path = descend(GradientDescent(lr), start, matrix, minimiser, 30)
    factor = torch.eye(6, dtype=torch.float64) - lr * matrix
    expected = minimiser + (start - minimiser) @ torch.linalg.matrix_power(factor, 30)
    assert torch.allclose(path[-1], expected)


def test_adam_equals_torch_adam() -> None:
    matrix, minimiser = quadratic()
    start = torch.randn(3, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    path = descend(Adam(0.07), start, matrix, minimiser, 40)
    theirs = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([theirs], lr=0.07)
    for _ in range(40):
        optimizer.zero_grad()
        (0.5 * (((theirs - minimiser) @ matrix) * (theirs - minimiser)).sum()).backward()
        optimizer.step()
    assert torch.allclose(path[-1], theirs.detach(), atol=1e-10)


def test_ramps_warm_up_and_come_down() -> None:
    ramps = RampedAdam(0.1, steps=100)
    rates = [ramps.rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1 / 5)
    assert rates[4] == pytest.approx(0.1)
    assert rates[50] == pytest.approx(0.1)
    assert rates[-1] == pytest.approx(0.0, abs=1e-12)
    assert rates[86] == pytest.approx(0.1 * (0.5 - 0.5 * math.cos(math.pi * 13 / 25)))


def test_lbfgs_finds_the_minimum_of_a_badly_scaled_bowl_as_scipy_does() -> None:
    matrix, minimiser = quadratic(seed=3)
    start = torch.zeros(1, 6, dtype=torch.float64)
    path = descend(LBFGS(), start, matrix, minimiser, 60)

    def value(v: object) -> tuple[float, object]:
        point = torch.as_tensor(v)
        gradient = matrix @ (point - minimiser)
        return float(0.5 * (point - minimiser) @ gradient), gradient.numpy()

    theirs = minimize(value, start[0].numpy(), jac=True, method="L-BFGS-B", options={"maxfun": 60})
    ours = value(path[-1][0].numpy())[0]
    assert ours <= max(float(theirs.fun), 1e-12)


def test_lbfgs_takes_back_a_step_that_rises() -> None:
    """On |v|^4 the first full quasi-Newton steps overshoot; accepted losses must never rise."""
    optimizer = LBFGS(lr=50.0)
    variable = torch.tensor([[1.0, -2.0]], dtype=torch.float64)
    state = optimizer.init(variable)
    accepted = []
    for step in range(40):
        loss, gradient = variable.pow(4).sum(dim=1), 4 * variable.pow(3)
        variable, state = optimizer.update(state, variable, loss, gradient, step)
        accepted.append(float(state["base_loss"]))
    assert accepted == sorted(accepted, reverse=True)
    assert accepted[-1] < 1e-3 * accepted[0]


@pytest.mark.parametrize("optimizer", [GradientDescent(0.05), Adam(0.1), RampedAdam(0.1, steps=20), LBFGS()])
def test_a_sample_does_not_depend_on_its_batch(optimizer: Optimizer) -> None:
    matrix, minimiser = quadratic()
    starts = torch.randn(4, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    together = descend(optimizer, starts, matrix, minimiser, 20)[-1]
    alone = torch.cat([descend(optimizer, start[None], matrix, minimiser, 20)[-1] for start in starts])
    assert torch.allclose(together, alone, atol=1e-12)


@pytest.mark.parametrize("optimizer", [Adam(0.1), LBFGS()])
def test_update_leaves_the_state_it_was_given_alone(optimizer: Optimizer) -> None:
    matrix, minimiser = quadratic()
    variable = torch.randn(2, 6, dtype=torch.float64)
    state = optimizer.init(variable)
    kept = {name: value.clone() for name, value in state.items()}
    gradient = (variable - minimiser) @ matrix
    optimizer.update(state, variable, gradient.square().sum(dim=1), gradient, 0)
    assert all(torch.equal(state[name], kept[name]) for name in kept)
