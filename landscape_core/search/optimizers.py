"""The optimisers that step along gradients, and which of all a lane is searched by.

Nothing is changed in place: `init` makes a state, `update` returns a new one (see `updates`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from landscape_core.errors import UserError, first_problem, in_words
from landscape_core.search.levenberg_marquardt import LevenbergMarquardt
from landscape_core.search.updates import RETRIES, Optimizer, OptimizerState, Point

OptimizerName = Literal["gd", "adam", "adam-ramps", "lbfgs", "levenberg-marquardt"]
DEFAULT_RATES: dict[OptimizerName, float] = {
    "gd": 0.5, "adam": 0.1, "adam-ramps": 0.1, "lbfgs": 1.0, "levenberg-marquardt": 1.0
}  # fmt: skip
OPTIMISER_NAMES: dict[OptimizerName, str] = {
    "gd": "GD", "adam": "Adam", "adam-ramps": "Adam with ramps", "lbfgs": "L-BFGS", "levenberg-marquardt": "LM"
}  # fmt: skip
LONG_HISTORY = 100  # pairs that L-BFGS remembers unless told otherwise, where x has at most `FEW` numbers
FEW = 1000
MAX_HISTORY = 200
LBFGS_ONLY = ("first_move", "history")


@dataclass(frozen=True)
class FirstOrder:
    """What steps along the gradient share: they keep no point to go back to."""

    retries: ClassVar[int] = 0
    needs_jacobian: ClassVar[bool] = False


@dataclass(frozen=True)
class GradientDescent(FirstOrder):
    """v <- v - lr * gradient."""

    lr: float = 1.0

    def init(self, variable: Tensor) -> OptimizerState:
        return {}

    def update(self, state: OptimizerState, at: Point, step: int) -> tuple[Tensor, OptimizerState]:
        return at.variable - self.lr * at.gradient, state


@dataclass(frozen=True)
class Adam(FirstOrder):
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

    def update(self, state: OptimizerState, at: Point, step: int) -> tuple[Tensor, OptimizerState]:
        mean = torch.lerp(at.gradient, state["mean"], self.beta1)
        square = torch.lerp(at.gradient.square(), state["square"], self.beta2)
        direction = (mean / (1 - self.beta1 ** (step + 1))) / ((square / (1 - self.beta2 ** (step + 1))).sqrt() + self.eps)
        return at.variable - self.rate(step) * direction, {"mean": mean, "square": square}


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

    A trial that does not fall enough (Armijo), or where the loss is not finite, is taken back and the step halved; the
    next one goes from the last accepted point. So it keeps pace with the other optimisers: one evaluation, one step.

    `first_move` is the length of a move before any curvature is known, where the gradient's own length means nothing;
    `lr` scales every step after it; `history` is how many pairs (move, change of gradient) are remembered.
    """

    lr: float = 1.0
    first_move: float = 1.0
    history: int = 10
    armijo: float = 1e-4
    retries: ClassVar[int] = RETRIES
    needs_jacobian: ClassVar[bool] = False

    def init(self, variable: Tensor) -> OptimizerState:
        """A memory of no pairs; it grows by one a step up to `history`."""
        batch, dim = variable.shape
        memory = variable.new_zeros(batch, 0, dim)
        return {
            "base": variable,
            "base_loss": variable.new_full((batch,), math.inf),
            "base_gradient": torch.zeros_like(variable),
            "direction": torch.zeros_like(variable),
            "scale": variable.new_ones(batch),
            "moves": memory,
            "changes": memory.clone(),
            "curvature": variable.new_zeros(batch, 0),
        }

    def update(self, state: OptimizerState, at: Point, step: int) -> tuple[Tensor, OptimizerState]:
        first = torch.isinf(state["base_loss"])
        expected = self.armijo * state["scale"] * (state["direction"] * state["base_gradient"]).sum(dim=1)
        accepted = (at.loss <= state["base_loss"] + expected) | first
        new = {**state, **self._remember(state, at, accepted & ~first)}
        new["base"] = _where(accepted, at.variable, state["base"])
        new["base_loss"] = torch.where(accepted, at.loss, state["base_loss"])
        new["base_gradient"] = _where(accepted, at.gradient, state["base_gradient"])
        new["direction"] = _where(accepted, _two_loops(new), state["direction"])
        unknown = new["curvature"].sum(dim=1) == 0
        length = self.first_move / new["direction"].norm(dim=1).clamp_min(1e-12)
        full = torch.where(unknown, length, torch.full_like(length, self.lr))
        new["scale"] = torch.where(accepted, full, state["scale"] * 0.5)
        return new["base"] + new["scale"][:, None] * new["direction"], new

    def _remember(self, state: OptimizerState, at: Point, keep: Tensor) -> OptimizerState:
        """Append (move, change of gradient) where accepted and where the curvature along the move is positive."""
        move, change = at.variable - state["base"], at.gradient - state["base_gradient"]
        product = (move * change).sum(dim=1)
        keep = keep & (product > 1e-10 * change.square().sum(dim=1))
        pair = {"moves": move, "changes": change, "curvature": 1.0 / product.clamp_min(1e-30)}
        return {name: _where(keep, *self._grown(state[name], entry[:, None])) for name, entry in pair.items()}

    def _grown(self, memory: Tensor, entry: Tensor) -> tuple[Tensor, Tensor]:
        """The newest slots of a memory (B, n, ...) with the entry (B, 1, ...) as its last, and as many without it."""
        slots = min(memory.shape[1] + 1, self.history)
        without = torch.cat([torch.zeros_like(entry), memory], dim=1) if memory.shape[1] < slots else memory
        return torch.cat([memory, entry], dim=1)[:, -slots:], without[:, -slots:]


def _two_loops(state: OptimizerState) -> Tensor:
    """The two-loop recursion: the direction (B, d). Slots that hold no pair have curvature 0 and so do nothing."""
    q = state["base_gradient"]
    if not state["moves"].shape[1]:
        return -q
    moves, changes, rho = (state[name].unbind(dim=1) for name in ("moves", "changes", "curvature"))
    rho = tuple(each[:, None] for each in rho)
    alphas = []
    for move, change, each in zip(reversed(moves), reversed(changes), reversed(rho), strict=True):
        alphas.append(each * (move * q).sum(dim=1, keepdim=True))
        q = q - alphas[-1] * change
    last = changes[-1].square().sum(dim=1, keepdim=True)
    q = q * torch.where(rho[-1] > 0, 1.0 / (rho[-1] * last).clamp_min(1e-30), torch.ones_like(last))
    for move, change, each, alpha in zip(moves, changes, rho, reversed(alphas), strict=True):
        q = q + move * (alpha - each * (change * q).sum(dim=1, keepdim=True))
    return -q


def _where(condition: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    """torch.where with a per-sample condition (B,)."""
    return torch.where(condition.reshape(-1, *[1] * (yes.dim() - 1)), yes, no)


class OptimizerSettings(BaseModel):
    """One lane's optimiser.

    `lr` is how far a step goes: the learning rate; for L-BFGS the length of a full step; for Levenberg-Marquardt the inverse
    of its first damping, 1 being the usual one. `first_move` is the length of L-BFGS's first move, which `lr` does not scale,
    `history` the number of pairs that it remembers. The other optimisers have neither.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: OptimizerName = "adam"
    lr: float = Field(0.1, gt=0.0, le=1000.0, allow_inf_nan=False)
    first_move: float = Field(1.0, gt=0.0, le=1000.0, allow_inf_nan=False)
    history: int = Field(10, ge=1, le=MAX_HISTORY)

    def build(self, steps: int) -> Optimizer:
        """The optimiser of a run of that many steps."""
        if self.name == "gd":
            return GradientDescent(self.lr)
        if self.name == "adam-ramps":
            return RampedAdam(self.lr, steps=steps)
        if self.name == "levenberg-marquardt":
            return LevenbergMarquardt(1e-2 / self.lr)
        return LBFGS(self.lr, self.first_move, self.history) if self.name == "lbfgs" else Adam(self.lr)


def chosen(
    advised: OptimizerSettings, dim: int, where: str, name: OptimizerName | None = None, **given: float | None
) -> OptimizerSettings:
    """The advised optimiser, or the named one at its usual rate; what is `given` and not None replaces its settings.

    L-BFGS gets `LONG_HISTORY` where x has few numbers (`dim`) and neither the advice nor the choice says otherwise.
    `where` is the lane that a complaint names.

    Raises:
        UserError: no such optimiser, a value out of range, or one that the optimiser does not have.
    """
    if name is not None and name not in DEFAULT_RATES:
        raise UserError(f"There is no optimiser {name!r}; there are: {', '.join(DEFAULT_RATES)}.")
    fields: dict[str, Any] = (
        advised.model_dump(exclude_unset=True) if name is None else {"name": name, "lr": DEFAULT_RATES[name]}
    )
    changes = {key: value for key, value in given.items() if value is not None}
    lbfgs = fields.get("name") == "lbfgs"
    foreign = [key for key in LBFGS_ONLY if key in changes and not lbfgs]
    if foreign:
        words = " and ".join(key.replace("_", " ") for key in foreign)
        raise UserError(f"Only L-BFGS has a {words}; {where} is searched by {fields.get('name', advised.name)}.")
    if lbfgs and dim <= FEW:
        fields.setdefault("history", LONG_HISTORY)
    try:
        return OptimizerSettings.model_validate({**fields, **changes})
    except ValidationError as error:
        raise UserError(first_problem(error, lambda place: f"{where} {in_words(place)}")) from error
