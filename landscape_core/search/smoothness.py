"""What is added to a frame's loss where it strays from the frame before: a weight times their squared distance."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from landscape_core.search.objectives import LeastSquares, LossFunction, Objective, Target


class Smooth:
    """L(ŷ, y) + λ ‖ŷ − ŷ'‖² / m, with ŷ' (1, ...) what was found of the frame before and m its numbers. All of an output
    counts, so that what is hidden of a frame stays near to where it was."""

    def __init__(self, objective: Objective, before: Tensor, weight: float) -> None:
        self.objective, self.before, self.weight = objective, before, weight

    def bind(self, target: Target) -> LossFunction:
        seen = self.objective.bind(target)
        return lambda output: seen(output) + self.weight * (output - self.before).square().flatten(1).mean(dim=1)


class SmoothSquares(Smooth):
    """The same where the objective is a sum of squares: so is this."""

    def residuals(self, target: Target) -> Callable[[Tensor], Tensor]:
        """The objective's residuals and √(λ / m) (ŷ − ŷ') behind them: (B, n + m)."""
        assert isinstance(self.objective, LeastSquares)  # `smooth` sees to it
        seen, root = self.objective.residuals(target), (self.weight / self.before[0].numel()) ** 0.5
        return lambda output: torch.cat([seen(output), root * (output - self.before).flatten(1)], dim=1)


def smooth(objective: Objective, before: Tensor, weight: float) -> Objective:
    """The objective with that weight on the distance from what was found before (1, ...)."""
    return (SmoothSquares if isinstance(objective, LeastSquares) else Smooth)(objective, before, weight)
