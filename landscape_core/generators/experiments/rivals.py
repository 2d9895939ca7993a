"""Further ways to invert F without a Θ: nonlinear conjugate gradients, Barzilai and Borwein's step, and an encoder that refines
its own guess. Each is a `Searcher`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from landscape_core.search.objectives import Target
from landscape_core.search.race import starts_in
from landscape_core.search.spaces import Start
from landscape_core.search.task import Task, X


class _SpentError(Exception):
    """All evaluations are spent."""


@dataclass(frozen=True)
class ConjugateGradients:
    """Nonlinear conjugate gradients with a Wolfe search along the line (scipy's, after Polak and Ribière), from the mean, one
    picture after another. A search along a line takes several evaluations, and each of them counts."""

    rates: tuple[float, ...] = (1.0,)

    def __call__(self, task: Task, pictures: Tensor, evaluations: int, rate: float, seed: int) -> Tensor:
        return torch.tensor([self._one(task, Target(each[None]).to(task.device), evaluations) for each in pictures])

    def _one(self, task: Task, target: Target, evaluations: int) -> float:
        from scipy.optimize import minimize

        value, (start,) = evaluated(task, target), starts_in([task.space(X)], task, "mean", target, 0)
        found: list[float] = []

        def counted(v: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            if len(found) == evaluations:
                raise _SpentError
            loss, gradient = value(torch.from_numpy(v).to(start)[None])
            found.append(float(loss))
            return found[-1], gradient[0].double().cpu().numpy()

        with suppress(_SpentError):
            minimize(counted, start[0].double().cpu().numpy(), jac=True, method="CG", options={"maxiter": evaluations})
        return min(found)


@dataclass(frozen=True)
class BarzilaiBorwein:
    """Gradient descent whose step is sᵀs / sᵀy of the last move s and change of gradient y (Barzilai and Borwein 1988), from
    the mean, all pictures at once. `rates` are lengths of the first move; no move is longer than ten of those."""

    rates: tuple[float, ...]

    def __call__(self, task: Task, pictures: Tensor, evaluations: int, rate: float, seed: int) -> Tensor:
        target = Target(pictures).to(task.device)
        value, (at,) = evaluated(task, target), starts_in([task.space(X)], task, "mean", target, seed)
        loss, gradient = value(at)
        best, step = loss, rate / gradient.norm(dim=1, keepdim=True).clamp_min(1e-12)
        for _ in range(evaluations - 1):
            longest = 10 * rate / gradient.norm(dim=1, keepdim=True).clamp_min(1e-12)
            ahead = at - torch.minimum(step, longest) * gradient
            loss, new = value(ahead)
            move, change = ahead - at, new - gradient
            product = (move * change).sum(dim=1, keepdim=True)
            step = torch.where(product > 0, move.square().sum(dim=1, keepdim=True) / product.clamp_min(1e-30), longest)
            at, gradient, best = ahead, new.nan_to_num(), torch.fmin(best, loss)
        return best


@dataclass(frozen=True)
class RefinedGuess:
    """The encoder's guess, moved by what the encoder makes of the difference between target and guess, E(y) - E(F(x)), again
    and again: ReStyle's loop (Alaluf et al. 2021) with an encoder that was not trained for it. `rates` are shares of that."""

    rates: tuple[float, ...]
    start: Start = "encoder"

    @torch.no_grad()
    def __call__(self, task: Task, pictures: Tensor, evaluations: int, rate: float, seed: int) -> Tensor:
        assert task.encode is not None
        target = Target(pictures).to(task.device)
        loss, wanted = task.objective.bind(target), task.encode(target.value)
        x, best = wanted, torch.full((len(pictures),), torch.inf, device=task.device)
        for _ in range(evaluations):
            output = task.forward(x)
            best = torch.fmin(best, loss(output) + task.input_term(x))
            x = x + rate * (wanted - task.encode(output))
        return best


def evaluated(task: Task, target: Target) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """v (n, d) in X -> losses (n,) and their gradients (n, d): one evaluation of F."""
    loss, to_x = task.objective.bind(target), task.space(X).to_x

    @torch.enable_grad()
    def value(v: Tensor) -> tuple[Tensor, Tensor]:
        v = v.detach().requires_grad_()
        x = to_x(v)
        losses = loss(task.forward(x)) + task.input_term(x)
        (gradient,) = torch.autograd.grad(losses.sum(), v)
        return losses.detach(), gradient

    return value
