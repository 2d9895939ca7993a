"""What one picture becomes through autoencoders: given back, freed of noise, in another's style, placed among known ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from landscape_core.autoencoders.anomaly import place, reconstruction_error
from landscape_core.autoencoders.metrics import Quality, quality
from landscape_core.autoencoders.models import Inverter
from landscape_core.autoencoders.style import stylised

Lpips = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Shown:
    """A picture (3, S, S) in [-1, 1], what it is, and how near it is to the one that was chosen, where that is asked."""

    title: str
    picture: Tensor
    quality: Quality | None = None


def noisy(pictures: Tensor, deviation: float, seed: int) -> Tensor:
    """Pictures (B, 3, S, S) in [-1, 1] under Gaussian noise of a standard deviation of pixels in [0, 1], clipped."""
    noise = torch.randn(pictures.shape, generator=torch.Generator().manual_seed(seed))
    return (pictures + 2.0 * deviation * noise).clamp(-1.0, 1.0)


def given_back(inverters: Mapping[str, Inverter], picture: Tensor, lpips: Lpips) -> list[Shown]:
    """What each decoder, by its words, gives back of a picture (1, 3, S, S) in one pass."""
    return [_shown(words, each.model(picture), picture, lpips) for words, each in inverters.items()]


def denoised(inverters: Mapping[str, Inverter], picture: Tensor, deviation: float, seed: int, lpips: Lpips) -> list[Shown]:
    """The picture under noise, and what each decoder gives back of that."""
    under = noisy(picture, deviation, seed)
    back = [_shown(words, each.model(under), picture, lpips) for words, each in inverters.items()]
    return [_shown("Under noise", under, picture, lpips), *back]


def styled(inverters: Sequence[Inverter], picture: Tensor, style: Tensor, strength: float) -> list[Shown]:
    """The style's picture, and the chosen one in that style through decoders of several stages, the deepest first."""
    deepest_first = sorted(inverters, key=lambda each: -each.model.encoder.depth)
    found = stylised([each.model for each in deepest_first], picture, style, strength)
    return [Shown("Style", style[0]), Shown("In that style", found[0].clamp(-1.0, 1.0))]


def placed(inverter: Inverter, picture: Tensor) -> tuple[float, float]:
    """A picture's (1, 3, S, S) error of reconstruction, and the share of known pictures whose error is lower."""
    error = float(reconstruction_error(inverter.model, picture)[0])
    return error, place(error, inverter.known_errors)


def _shown(title: str, found: Tensor, picture: Tensor, lpips: Lpips) -> Shown:
    return Shown(title, found[0].clamp(-1.0, 1.0), quality(found, picture, lpips))
