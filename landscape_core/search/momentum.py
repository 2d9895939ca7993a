"""Gradient descent with momentum, as an optimiser of the solver."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from landscape_core.search.optimizers import OptimizerState


@dataclass(frozen=True)
class Momentum:
    """Polyak's heavy ball: u <- beta u + gradient, v <- v - lr u."""

    lr: float = 0.1
    beta: float = 0.9

    def init(self, variable: Tensor) -> OptimizerState:
        return {"velocity": torch.zeros_like(variable)}

    def update(
        self, state: OptimizerState, variable: Tensor, loss: Tensor, gradient: Tensor, step: int
    ) -> tuple[Tensor, OptimizerState]:
        velocity = self.beta * state["velocity"] + gradient
        return variable - self.lr * velocity, {"velocity": velocity}
