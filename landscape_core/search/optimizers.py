"""Optimisers as values: `init` makes a state, `update` returns a new one, nothing is changed in place.

Every tensor of a state has the batch first and every sample is its own problem, so a sample's path does not
depend on the others. One update uses one evaluation of F, also for L-BFGS.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

OptimizerState = dict[str, Tensor]
OptimizerName = Literal["gd", "adam", "adam-ramps", "lbfgs"]
OPTIMISER_NAMES: dict[OptimizerName, str] = {"gd": "GD", "adam": "Adam", "adam-ramps": "Adam with ramps", "lbfgs": "L-BFGS"}
DEFAULT_RATES: dict[OptimizerName, float] = {"gd": 0.5, "adam": 0.1, "adam-ramps": 0.1, "lbfgs": 1.0}


class Optimizer(Protocol):
    """How a variable moves, given the loss and gradient where it stands."""

    def init(self, variable: Tensor) -> OptimizerState: ...

    def update(
        self, state: OptimizerState, variable: Tensor, loss: Tensor, gradient: Tensor, step: int
    ) -> tuple[Tensor, OptimizerState]:
        """Variables (B, d), losses (B,) and gradients (B, d) after `step` updates -> the next variables and state."""
        ...


@dataclass(frozen=True)
class GradientDescent:
    """v <- v - lr * gradient."""

    lr: float = 1.0

    def init(self, variable: Tensor) -> OptimizerState:
        return {}

    def update(
        self, state: OptimizerState, variable: Tensor, loss: Tensor, gradient: Tensor, step: int
    ) -> tuple[Tensor, OptimizerState]:
        return variable - self.lr * gradient, state


@dataclass(frozen=True)
class Adam:
    """Kingma & Ba 2015, with bias correction."""

    lr: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def init(self, variable: Tensor) -> OptimizerState:
        return {"mean": torch.zeros_like(variable), "square": torch.zeros_like(variable)}

    def rate(self, step: int) -> float:
        """Learning rate of the update that follows `step` updates."""
        return self.lr

    def update(
        self, state: OptimizerState, variable: Tensor, loss: Tensor, gradient: Tensor, step: int
    ) -> tuple[Tensor, OptimizerState]:
        mean = torch.lerp(gradient, state["mean"], self.beta1)
        square = torch.lerp(gradient.square(), state["square"], self.beta2)
        direction = (mean / (1 - self.beta1 ** (step + 1))) / ((square / (1 - self.beta2 ** (step + 1))).sqrt() + self.eps)
        return variable - self.rate(step) * direction, {"mean": mean, "square": square}


@dataclass(frozen=True)
class RampedAdam(Adam):
    """Adam with the StyleGAN2 projector's schedule over `steps` updates: linear warm-up over the first
    `warm_up` of them, half-cosine to zero over the last `ramp_down`."""

    steps: int = 1000
    warm_up: float = 0.05
    ramp_down: float = 0.25

    def rate(self, step: int) -> float:
        t = min((step + 1) / self.steps, 1.0)
        down = min(1.0, (1.0 - t) / self.ramp_down)
        up = min(1.0, t / self.warm_up)
        return self.lr * (0.5 - 0.5 * math.cos(math.pi * down)) * up


@dataclass(frozen=True)
class LBFGS:
    """Limited-memory BFGS per sample (Nocedal & Wright, algorithm 7.5), every trial point an evaluation of its own.

    A trial that does not fall enough (Armijo) is taken back and the step halved; the next one goes from the
    last accepted point. So it keeps pace with the other optimisers: one evaluation, one step.
    """

    lr: float = 1.0
    history: int = 10
    armijo: float = 1e-4

    def init(self, variable: Tensor) -> OptimizerState:
        batch, dim = variable.shape
        memory = variable.new_zeros(batch, self.history, dim)
        return {
            "base": variable,
            "base_loss": variable.new_full((batch,), math.inf),
            "base_gradient": torch.zeros_like(variable),
            "direction": torch.zeros_like(variable),
            "scale": variable.new_ones(batch),
            "moves": memory,
            "changes": memory.clone(),
            "curvature": variable.new_zeros(batch, self.history),
        }

    def update(
        self, state: OptimizerState, variable: Tensor, loss: Tensor, gradient: Tensor, step: int
    ) -> tuple[Tensor, OptimizerState]:
        first = torch.isinf(state["base_loss"])
        expected = self.armijo * state["scale"] * (state["direction"] * state["base_gradient"]).sum(dim=1)
        accepted = (loss <= state["base_loss"] + expected) | first
        new = dict(state)
        moved = self._remember(state, variable, gradient, accepted & ~first)
        new.update(moved)
        new["base"] = _where(accepted, variable, state["base"])
        new["base_loss"] = torch.where(accepted, loss, state["base_loss"])
        new["base_gradient"] = _where(accepted, gradient, state["base_gradient"])
        fresh = self._direction(new)
        new["direction"] = _where(accepted, fresh, state["direction"])
        # Before any curvature is known the gradient's length means nothing: the first move has length lr.
        unknown = new["curvature"].sum(dim=1) == 0
        length = torch.where(unknown, 1.0 / new["direction"].norm(dim=1).clamp_min(1e-12), torch.ones_like(loss))
        new["scale"] = torch.where(accepted, self.lr * length, state["scale"] * 0.5)
        return new["base"] + new["scale"][:, None] * new["direction"], new

    def _remember(self, state: OptimizerState, variable: Tensor, gradient: Tensor, keep: Tensor) -> OptimizerState:
        """Append (move, change of gradient) where accepted and where the curvature along the move is positive."""
        move, change = variable - state["base"], gradient - state["base_gradient"]
        product = (move * change).sum(dim=1)
        keep = keep & (product > 1e-10 * change.square().sum(dim=1))
        shifted = {
            "moves": torch.cat([state["moves"][:, 1:], move[:, None]], dim=1),
            "changes": torch.cat([state["changes"][:, 1:], change[:, None]], dim=1),
            "curvature": torch.cat([state["curvature"][:, 1:], 1.0 / product.clamp_min(1e-30)[:, None]], dim=1),
        }
        return {name: _where(keep, value, state[name]) for name, value in shifted.items()}

    def _direction(self, state: OptimizerState) -> Tensor:
        """The two-loop recursion; unused slots have curvature 0 and so do nothing."""
        q = state["base_gradient"]
        moves, changes, rho = state["moves"], state["changes"], state["curvature"]
        alphas = []
        for i in reversed(range(self.history)):
            alpha = rho[:, i] * (moves[:, i] * q).sum(dim=1)
            q = q - alpha[:, None] * changes[:, i]
            alphas.append(alpha)
        last = changes[:, -1].square().sum(dim=1)
        gamma = torch.where(rho[:, -1] > 0, 1.0 / (rho[:, -1] * last).clamp_min(1e-30), torch.ones_like(last))
        q = q * gamma[:, None]
        for i, alpha in zip(range(self.history), reversed(alphas), strict=True):
            beta = rho[:, i] * (changes[:, i] * q).sum(dim=1)
            q = q + moves[:, i] * (alpha - beta)[:, None]
        return -q


def _where(condition: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    """torch.where with a per-sample condition (B,)."""
    return torch.where(condition.reshape(-1, *[1] * (yes.dim() - 1)), yes, no)


class OptimizerSettings(BaseModel):
    """One lane's optimiser. `lr` is the learning rate (for L-BFGS the length of a full step)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: OptimizerName = "adam"
    lr: float = Field(0.1, gt=0.0, le=1000.0, allow_inf_nan=False)

    def build(self, steps: int) -> Optimizer:
        """The optimiser of a run of that many steps."""
        if self.name == "gd":
            return GradientDescent(self.lr)
        if self.name == "adam-ramps":
            return RampedAdam(self.lr, steps=steps)
        return LBFGS(self.lr) if self.name == "lbfgs" else Adam(self.lr)
