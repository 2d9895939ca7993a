"""Views of a picture for contrastive learning: crop, flip, colour jitter, grey. Differentiable, and fixed by a seed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class ViewSettings:
    """How far a view may go. `crop` is the smallest share of the side that is kept; `jitter` the largest relative change
    of brightness, contrast and saturation; `grey` the chance of losing all colour."""

    crop: float = 0.6
    jitter: float = 0.3
    grey: float = 0.2


@dataclass(frozen=True)
class Views:
    """V views: bilinear resampling `rows` and `columns` (V, side, side), factors of brightness, contrast, saturation (V,)."""

    rows: Tensor
    columns: Tensor
    brightness: Tensor
    contrast: Tensor
    saturation: Tensor

    def __len__(self) -> int:
        return len(self.brightness)

    def __call__(self, pictures: Tensor) -> Tensor:
        """Every view of every picture: (B, 3, side, side) in [-1, 1] -> (V, B, 3, side, side), not clipped."""
        return self._apply(pictures[None])

    def one_each(self, pictures: Tensor) -> Tensor:
        """View i of picture i alone, V pictures: (V, 3, side, side) -> the same."""
        return self._apply(pictures[:, None])[:, 0]

    def _apply(self, pictures: Tensor) -> Tensor:
        """(V or 1, B, 3, side, side) -> (V, B, 3, side, side)."""
        x = self.rows[:, None, None] @ pictures @ self.columns.mT[:, None, None]
        factors = (t[:, None, None, None, None] for t in (self.brightness, self.contrast, self.saturation))
        brightness, contrast, saturation = factors
        luma = (x * x.new_tensor(_LUMA)[:, None, None]).sum(dim=2, keepdim=True)
        mean = luma.mean(dim=(3, 4), keepdim=True)
        x = luma + saturation * (x - luma)
        return (mean + contrast * (x - mean) + 1.0) * brightness - 1.0


def _resampling(start: Tensor, length: Tensor, side: int) -> Tensor:
    """(V, side, side): row i holds the bilinear weights of the input pixels at output pixel i of a window (pixels)."""
    centres = (torch.arange(side) + 0.5) / side  # (side,) of the window
    position = (start[:, None] + centres * length[:, None] - 0.5).clamp(0, side - 1)  # (V, side)
    return (1.0 - (position[:, :, None] - torch.arange(side)).abs()).clamp_min(0.0)


def sample_views(n: int, settings: ViewSettings, generator: torch.Generator, *, side: int = 32) -> Views:
    """n random views."""

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, generator=generator)

    length = uniform(settings.crop, 1.0) * side
    rows = _resampling(torch.rand(n, generator=generator) * (side - length), length, side)
    columns = _resampling(torch.rand(n, generator=generator) * (side - length), length, side)
    flipped = torch.rand(n, generator=generator) < 0.5
    columns = torch.where(flipped[:, None, None], columns.flip(1), columns)
    jitter = [uniform(1.0 - settings.jitter, 1.0 + settings.jitter) for _ in range(3)]
    jitter[2] = torch.where(torch.rand(n, generator=generator) < settings.grey, 0.0, jitter[2])
    return Views(rows, columns, *jitter)


def identity_view(side: int = 32) -> Views:
    """The picture itself, as one view."""
    same = torch.eye(side)[None]
    return Views(same, same, torch.ones(1), torch.ones(1), torch.ones(1))


def joined(*parts: Views) -> Views:
    """All views of several, in order."""
    names = ("rows", "columns", "brightness", "contrast", "saturation")
    return Views(*(torch.cat([getattr(part, name) for part in parts]) for name in names))
