"""The Hessian's leading plane against closed forms, with and without a second derivative."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from landscape_core.errors import UserError
from landscape_core.search.objectives import SquaredError, Target
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.spaces import Prior
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import run
from landscape_core.surfaces.hessian import hessian_plane, hessian_product
from landscape_core.surfaces.planes import StoppedError
from landscape_core.surfaces.views import views
from tests.tiny.models import tiny_task

N = 40
CURVATURES = torch.cat([torch.tensor([9.0, -5.0]), torch.linspace(1.0, 0.1, N - 2)])


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Once(torch.autograd.Function):
    """y -> y whose gradient cannot be differentiated again."""

    @staticmethod
    def forward(ctx: object, y: Tensor) -> Tensor:
        return y.clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        return gradient


class Saddle(nn.Module):
    """F(x) = x in a rotated frame, and L(y, ·) = ½ Σ λ y² by `Weighed`: the Hessian is Q diag(λ) Qᵀ."""

    def __init__(self, once: bool = False) -> None:
        super().__init__()
        self.frame = torch.linalg.qr(torch.randn(N, N, generator=random(0)))[0]
        self.once = once

    def forward(self, x: Tensor) -> Tensor:
        y = x @ self.frame
        return Once.apply(y) if self.once else y


class Weighed:
    def bind(self, target: Target):  # type: ignore[no-untyped-def]
        return lambda output: 0.5 * (CURVATURES * output.square()).sum(dim=1)


def task_of(forward: nn.Module) -> Task:
    return Task("saddle", forward, Prior.of(torch.randn(64, N, generator=random(1))), Weighed(), {})


@pytest.mark.parametrize("once", [False, True])
def test_lanczos_finds_the_directions_that_curve_most_with_their_signs(once: bool) -> None:
    forward = Saddle(once)
    plane = hessian_plane(task_of(forward), Target(torch.zeros(1, N)), X, torch.randn(N, generator=random(2)))
    assert plane.curvature == pytest.approx((9.0, -5.0), rel=1e-2)
    overlap = (plane.axes @ forward.frame[:, :2]).abs()
    assert torch.allclose(overlap, torch.eye(2), atol=1e-2)
    assert torch.allclose(plane.axes @ plane.axes.T, torch.eye(2), atol=1e-4)


@pytest.mark.parametrize("once", [False, True])
def test_a_product_is_that_of_the_hessian(once: bool) -> None:
    forward = Saddle(once)
    product = hessian_product(task_of(forward), Target(torch.zeros(1, N)), X, torch.zeros(1, N))
    v = torch.randn(1, N, generator=random(3))
    assert torch.allclose(product(v), (CURVATURES * (v @ forward.frame)) @ forward.frame.T, atol=1e-2)


def test_few_products_are_needed_and_stop_is_asked_before_each() -> None:
    task, target, asked = task_of(Saddle()), Target(torch.zeros(1, N)), [0]

    def counted() -> bool:
        asked[0] += 1
        return False

    hessian_plane(task, target, X, torch.zeros(N), stop=counted)
    assert 5 < asked[0] < 2 * N
    with pytest.raises(StoppedError):
        hessian_plane(task, target, X, torch.zeros(N), stop=lambda: True)


def test_a_loss_that_does_not_curve_is_a_sentence() -> None:
    class Sloped:
        def bind(self, target: Target):  # type: ignore[no-untyped-def]
            return lambda output: output.sum(dim=1)

    task = Task("slope", nn.Identity(), Prior.of(torch.randn(64, N, generator=random(1))), Sloped(), {})
    with pytest.raises(UserError, match="does not curve"):
        hessian_plane(task, Target(torch.zeros(1, N)), X, torch.zeros(N))
    small = Task("small", nn.Identity(), Prior.of(torch.randn(64, 2, generator=random(1))), SquaredError(), {})
    with pytest.raises(UserError, match="three dimensions"):
        hessian_plane(small, Target(torch.zeros(1, 2)), X, torch.zeros(2))


def test_the_plane_stands_at_the_step_that_is_asked_for() -> None:
    task = tiny_task()
    target = task.sampled(1, random(4))
    race = run(*prepare(task, RunSettings.pair(space="paper", steps=5), target))
    for step, index in ((2, 2), (None, -1)):
        for view, lane in zip(views(task, race, "paper", "hessian", target=target, at_step=step, size=5), "XZ", strict=True):
            assert torch.equal(view.grid.plane.origin, race.lane(lane).variables[index][0])
            assert view.grid.plane.curvature is not None
            assert abs(view.grid.plane.curvature[0]) >= abs(view.grid.plane.curvature[1])
    with pytest.raises(UserError, match="no step 9"):
        views(task, race, "paper", "hessian", target=target, at_step=9)
