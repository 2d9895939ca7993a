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
        self.whitener = torch.linalg.pinv(prior.factor.cpu().double()).to(prior.factor)  # (d, d)

    def __call__(self, x: Tensor) -> Tensor:
        return self.weight * ((x - self.mean) @ self.whitener.T).square().mean(dim=1)


def with_prior_term(task: Task, weight: float) -> Task:
    """The task whose losses have that weight on the prior; 0 leaves it as it is."""
    return replace(task, input_term=PriorTerm(task.prior, weight)) if weight else task
