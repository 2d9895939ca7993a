"""What is said and shown of a defence: perturbations magnified, a run in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from landscape_core.defence.objective import PIXEL
from landscape_core.images.pixels import to_bytes

FACTORS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_FILLED = 0.995  # the share of values that must still fit when a perturbation is magnified


@dataclass(frozen=True)
class Added:
    """A perturbation as people can see it: grey is nothing, `factor` says how often it was multiplied.

    picture uint8 (3, H, W) · l2 and linf its norms for pixels in [0, 1]."""

    picture: Tensor
    factor: int
    l2: float
    linf: float


def magnified(delta: Tensor) -> Added:
    """A perturbation (3, H, W) of a picture in [-1, 1], multiplied by the largest of FACTORS at which 99.5 % of its values
    still fit."""
    size = delta.abs().flatten()
    typical = float(size.quantile(_FILLED))
    fitting = [factor for factor in FACTORS if factor * typical <= 1.0]
    factor = max(fitting, default=FACTORS[0])
    return Added(to_bytes(delta * factor), factor, float(size.norm()) / PIXEL, float(size.max()) / PIXEL)


def race_sentence(clean: float, attacked: float, margins: Mapping[str, Sequence[float]]) -> str:
    """What the attack did and from which step on each lane's answer was right, by margins (above 0 is right) of the clean
    and the attacked picture, and of each lane per step."""
    if clean <= 0:
        begun = "The bare classifier is wrong on the clean picture already."
    else:
        begun = f"The attack {'did not fool' if attacked > 0 else 'fooled'} the bare classifier."
    return " ".join([begun, *(_lane(name, each) for name, each in margins.items() if each)])


def _lane(name: str, margins: Sequence[float]) -> str:
    right = [margin > 0 for margin in margins]
    count = len(right) - 1
    if all(right):
        return f"{name} is right at every step."
    if not any(right):
        return f"{name} is wrong at every step up to {count}."
    if not right[-1]:
        return f"{name} was right for a while but ends wrong."
    since = count - next((i for i, each in enumerate(reversed(right)) if not each), count)
    return f"{name} is right from step {since + 1} on."
