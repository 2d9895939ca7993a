"""Gradient descent with momentum, as an optimiser of the solver."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from landscape_core.search.optimizers import FirstOrder
from landscape_core.search.updates import OptimizerState, Point


@dataclass(frozen=True)
class Momentum(FirstOrder):
    """Polyak's heavy ball: u <- beta u + gradient, v <- v - lr u."""

    lr: float = 0.1
    beta: float = 0.9

    def init(self, variable: Tensor) -> OptimizerState:
        return {"velocity": torch.zeros_like(variable)}

    def update(self, state: OptimizerState, at: Point, step: int) -> tuple[Tensor, OptimizerState]:
        velocity = self.beta * state["velocity"] + at.gradient
        return at.variable - self.lr * velocity, {"velocity": velocity}
