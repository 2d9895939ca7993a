"""Objectives L(ŷ, y): one loss per sample, lower is better. What is hidden is part of the target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.search.observation import WHOLE, Observation

LossFunction = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Target:
    """What was observed, y = M(F(x)) behind a mask: `value` (B, ...) shaped like M's output, and `mask` of the same rank that
    broadcasts to it, a mask of one sample to all of them: 1 where observed, 0 where hidden. None means all is observed.

    `truth` is what F's output (B, ...) should be, where that is known: for judges and for people, never for a loss.
    """

    value: Tensor
    mask: Tensor | None = None
    observation: Observation = WHOLE
    truth: Tensor | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a mask that does not broadcast to the value."""
        if self.mask is None:
            return
        pairs = zip(self.mask.shape, self.value.shape, strict=False)
        if self.mask.dim() != self.value.dim() or any(ours not in (1, theirs) for ours, theirs in pairs):
            raise ValueError(
                f"a mask {tuple(self.mask.shape)} does not broadcast to what was observed, {tuple(self.value.shape)}"
            )
        if len(self.mask) != len(self.value):  # or a part of the batch would be left without its mask
            object.__setattr__(self, "mask", self.mask.expand(len(self.value), *self.mask.shape[1:]))

    def __len__(self) -> int:
        return len(self.value)

    def repeat(self, n: int) -> Target:
        """The whole batch n times over, block after block."""
        return self if n == 1 else self._each(lambda part: torch.cat([part] * n))

    def to(self, device: torch.device | str) -> Target:
        """The same target on another device."""
        return self._each(lambda part: part.to(device))

    def select(self, index: Tensor | slice) -> Target:
        """The samples at `index`."""
        return self._each(lambda part: part[index])

    def _each(self, change: Callable[[Tensor], Tensor]) -> Target:
        mask, truth = (None if part is None else change(part) for part in (self.mask, self.truth))
        return replace(self, value=change(self.value), mask=mask, truth=truth)


def nothing(x: Tensor) -> Tensor:
    """No term for F's inputs (B, d): zeros (B,)."""
    return x.new_zeros(len(x))


class Objective(Protocol):
    """Turns a target into a loss function, doing once what does not depend on the output."""

    def bind(self, target: Target) -> LossFunction:
        """A function of outputs ŷ (B, ...) that returns losses (B,)."""
        ...


@runtime_checkable
class LeastSquares(Protocol):
    """An objective that is a sum of squares, which Gauss-Newton methods can use."""

    def residuals(self, target: Target) -> Callable[[Tensor], Tensor]:
        """A function of outputs ŷ (B, ...) that returns residuals r (B, m) with L(ŷ, y) = Σ r²: what the loss weighs or
        averages by is inside r, without a factor ½."""
        ...


class FeatureDistance(Protocol):
    """A perceptual distance that can compute a picture's features apart from comparing them."""

    def features(self, image: Tensor) -> tuple[Tensor, ...]: ...

    def distance(self, a: tuple[Tensor, ...], b: tuple[Tensor, ...], mask: Tensor | None = None) -> Tensor: ...


def masked_mean(error: Tensor, mask: Tensor | None) -> Tensor:
    """Mean per sample over what is observed: error (B, ...) -> (B,)."""
    if mask is None:
        return error.flatten(1).mean(dim=1)
    weight = mask.expand_as(error)
    return (error * weight).flatten(1).sum(dim=1) / weight.flatten(1).sum(dim=1).clamp_min(1.0)


class SquaredError:
    """Mean squared error over the observed entries (Eq. 6, per entry); another penalty where the observation has one."""

    def bind(self, target: Target) -> LossFunction:
        seen = target.observation
        return lambda output: masked_mean(seen.error(seen(output) - target.value), target.mask)

    def residuals(self, target: Target) -> Callable[[Tensor], Tensor]:
        """r = (M(ŷ) - y) √(w / Σw) with the mask as w: (B, m), m the entries of one observation, hidden ones being 0.

        Raises:
            UserError: the observation's penalty is no square.
        """
        if target.observation.penalty != "squared":
            raise UserError(f"With {target.observation.penalty} errors the loss is no sum of squares; choose L-BFGS or Adam.")
        mask = torch.ones(1) if target.mask is None else target.mask
        weight = mask.to(target.value).expand_as(target.value).flatten(1)  # (B, m)
        root = (weight / weight.sum(dim=1, keepdim=True).clamp_min(1.0)).sqrt()
        return lambda output: (target.observation(output) - target.value).flatten(1) * root


class PerceptualObjective:
    """Eq. 5: perceptual distance + squared error, on pictures (B, 3, H, W) in [-1, 1].

    Hidden pixels are set to grey in both pictures before features are taken, so that nothing in them can
    reach the loss, and both terms average over the visible part only. Of an observation that is no picture the error
    alone counts.
    """

    def __init__(self, distance: FeatureDistance, *, pixel_weight: float = 1.0) -> None:
        self.distance = distance
        self.pixel_weight = pixel_weight

    def bind(self, target: Target) -> LossFunction:
        mask, seen = target.mask, target.observation
        observed = target.value if mask is None else target.value * mask
        wanted: tuple[Tensor, ...] = ()
        if seen.pictorial:
            with torch.no_grad():
                wanted = self.distance.features(observed)

        def loss(output: Tensor) -> Tensor:
            output = seen(output)
            visible = output if mask is None else output * mask
            error = self.pixel_weight * masked_mean(seen.error(visible - observed), mask)
            return self.distance.distance(self.distance.features(visible), wanted, mask) + error if seen.pictorial else error

        return loss
