"""What is added to a loss for inputs that the prior hardly makes: a weight times their Mahalanobis distance."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from landscape_core.search.spaces import Prior
from landscape_core.search.task import Task


class PriorTerm:
    """λ d²(x) / d, with d² the squared Mahalanobis distance of inputs x (B, d) to the prior: (B,), on average λ where x is
    drawn from it. Directions that the prior does not have count for nothing."""

    def __init__(self, prior: Prior, weight: float) -> None:
        self.mean, self.weight = prior.mean, weight
        self.whitener = _whitener(prior.factor)

    def __call__(self, x: Tensor) -> Tensor:
        away = x - self.mean
        white = away * self.whitener if self.whitener.dim() == 1 else away @ self.whitener.T
        return self.weight * white.square().mean(dim=1)


def _whitener(factor: Tensor) -> Tensor:
    """The pseudo-inverse (d, d) of a factor; of a diagonal one, as of thousands of pixels, its diagonal (d,)."""
    diagonal = factor.diagonal()
    if factor.count_nonzero() == diagonal.count_nonzero():
        return torch.where(diagonal == 0, 0, 1 / diagonal)
    return torch.linalg.pinv(factor.cpu().double()).to(factor)


def with_prior_term(task: Task, weight: float) -> Task:
    """The task whose losses have that weight on the prior; 0 leaves it as it is."""
    return replace(task, input_term=PriorTerm(task.prior, weight)) if weight else task
