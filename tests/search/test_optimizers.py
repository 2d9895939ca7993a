"""Optimisers against closed forms and against torch's and SciPy's own."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor, nn

from landscape_core.errors import UserError
from landscape_core.search.objectives import SquaredError
from landscape_core.search.optimizers import LBFGS, Adam, GradientDescent, OptimizerSettings, RampedAdam
from landscape_core.search.spaces import Prior
from landscape_core.search.task import Task, X
from landscape_core.search.updates import Optimizer, Point


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
        variable, state = optimizer.update(state, Point(variable, loss, gradient), step)
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
        variable, state = optimizer.update(state, Point(variable, loss, gradient), step)
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
    optimizer.update(state, Point(variable, gradient.square().sum(dim=1), gradient), 0)
    assert all(torch.equal(state[name], kept[name]) for name in kept)


def test_the_first_move_has_its_own_length_and_lr_scales_the_later_ones() -> None:
    matrix, minimiser = quadratic()
    start = torch.zeros(1, 6, dtype=torch.float64)
    usual, slow = (descend(LBFGS(lr, first_move=0.03), start, matrix, minimiser, 2) for lr in (1.0, 0.25))
    for path in (usual, slow):
        assert float((path[1] - path[0]).norm()) == pytest.approx(0.03)
    assert torch.allclose(slow[2] - slow[1], 0.25 * (usual[2] - usual[1]))


def exact_inverse(path: list[Tensor], matrix: Tensor, minimiser: Tensor, history: int) -> Tensor:
    """The direction that the BFGS formula (Nocedal & Wright, 6.17) gives at the end of a path, from its last pairs."""
    points = torch.cat(path)
    gradients = (points - minimiser) @ matrix
    moves, changes = points.diff(dim=0)[-history:], gradients.diff(dim=0)[-history:]
    identity = torch.eye(points.shape[1], dtype=points.dtype)
    inverse = identity * (moves[-1] @ changes[-1]) / (changes[-1] @ changes[-1])
    for s, y in zip(moves, changes, strict=True):
        left = identity - torch.outer(s, y) / (s @ y)
        inverse = left @ inverse @ left.T + torch.outer(s, s) / (s @ y)
    return -inverse @ gradients[-1]


@pytest.mark.parametrize("history", [1, 3, 100])
def test_lbfgs_remembers_as_many_pairs_as_it_is_told(history: int) -> None:
    matrix = torch.diag(torch.linspace(1.0, 2.0, 12, dtype=torch.float64))  # so even that every trial is accepted
    minimiser = torch.randn(12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    path = descend(LBFGS(history=history), torch.zeros(1, 12, dtype=torch.float64), matrix, minimiser, 6)
    values = [float((point - minimiser) @ matrix @ (point - minimiser).T) for point in path]
    assert values == sorted(values, reverse=True)
    expected = exact_inverse(path[:-1], matrix, minimiser, history)
    assert torch.allclose(path[-1][0] - path[-2][0], expected, rtol=1e-6, atol=1e-9)


def test_a_history_can_change_in_the_middle_of_a_run() -> None:
    matrix, minimiser = quadratic()
    variable = torch.ones(2, 6, dtype=torch.float64)
    state = LBFGS(history=8).init(variable)
    for step, history in enumerate([8] * 6 + [2] * 3 + [8] * 3):
        gradient = (variable - minimiser) @ matrix
        at = Point(variable, 0.5 * ((variable - minimiser) * gradient).sum(dim=1), gradient)
        variable, state = LBFGS(history=history).update(state, at, step)
        assert state["moves"].shape[1] <= history
    assert torch.isfinite(variable).all()


def test_a_trial_of_infinite_loss_is_halved() -> None:
    optimizer = LBFGS(first_move=8.0)
    start = torch.zeros(1, 2, dtype=torch.float64)
    at = Point(start, torch.ones(1, dtype=torch.float64), torch.tensor([[-3.0, 4.0]], dtype=torch.float64))
    trial, state = optimizer.update(optimizer.init(start), at, 0)
    halved, _ = optimizer.update(state, Point(start, torch.full((1,), torch.inf, dtype=torch.float64), at.gradient), 1)
    assert torch.allclose(trial, torch.tensor([[4.8, -6.4]], dtype=torch.float64))
    assert torch.allclose(halved, trial / 2)


def toy(dim: int, **advised: OptimizerSettings) -> Task:
    return Task("toy", nn.Identity(), Prior(torch.zeros(dim), torch.eye(dim)), SquaredError(), {}, advised=advised, side=1)


def test_the_long_history_is_advised_where_x_has_few_numbers() -> None:
    lbfgs = OptimizerSettings(name="lbfgs", lr=1.0)
    assert toy(512, X=lbfgs).advice(X).history == 100
    assert toy(512).advice(X, "lbfgs").history == 100
    assert toy(3072, X=lbfgs).advice(X).history == 10
    assert toy(512, X=OptimizerSettings(name="lbfgs", history=30)).advice(X).history == 30
    assert toy(512, X=lbfgs).advice(X, history=5).history == 5
    assert toy(512).advice(X) == OptimizerSettings()


def test_what_is_asked_for_replaces_what_is_advised() -> None:
    task = toy(8, X=OptimizerSettings(name="lbfgs", lr=0.7, first_move=4.0))
    assert task.advice(X, lr=0.2) == OptimizerSettings(name="lbfgs", lr=0.2, first_move=4.0, history=100)
    assert task.advice(X, "lbfgs") == OptimizerSettings(name="lbfgs", lr=0.7, first_move=4.0, history=100)
    assert task.advice(X, "adam") == OptimizerSettings(name="adam", lr=0.1)
    built = task.advice(X, first_move=0.1, history=3).build(10)
    assert built == LBFGS(0.7, 0.1, 3)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"lr": 0.0}, "X learning rate: it must be more than 0, not 0"),
        ({"lr": -1.0}, "X learning rate: it must be more than 0, not -1"),
        ({"lr": math.nan}, "X learning rate: a number is needed, not nan"),
        ({"lr": 1e9}, "X learning rate: it must be at most 1000, not 1000000000"),
        ({"optimizer": "lbfgs", "first_move": 0.0}, "X first move: it must be more than 0"),
        ({"optimizer": "lbfgs", "history": 0}, "X history: it must be at least 1"),
        ({"optimizer": "adam", "first_move": 2.0}, "Only L-BFGS has a first move; X is searched by adam"),
        ({"history": 5}, "Only L-BFGS has a history; X is searched by adam"),
    ],
)
def test_settings_that_make_no_sense_are_refused_in_a_sentence(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        toy(8).advice(X, **asked)
