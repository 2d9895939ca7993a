"""Differentiable augmentation (Zhao et al. 2020): critics that see every picture changed cannot learn a small set by heart."""

from __future__ import annotations

import torch
from torch import Tensor


def augment(pictures: Tensor, random: torch.Generator, *, shift: float = 0.125) -> Tensor:
    """Pictures (B, 3, H, W), each with its own brightness, saturation, contrast and shift (zeros come in); differentiable."""

    def uniform(low: float, high: float) -> Tensor:
        draw = torch.rand(len(pictures), 1, 1, 1, generator=random).to(pictures.device)
        return low + (high - low) * draw

    x = pictures + uniform(-0.5, 0.5)
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * uniform(0.0, 2.0)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    x = mean + (x - mean) * uniform(0.5, 1.5)
    return _shifted(x, random, round(shift * x.shape[-1]))


def _shifted(x: Tensor, random: torch.Generator, most: int) -> Tensor:
    side = x.shape[-1]
    rows, columns = torch.randint(0, 2 * most + 1, (2, len(x), 1), generator=random).to(x.device)
    place = torch.arange(side, device=x.device)
    padded = torch.nn.functional.pad(x, (most, most, most, most)).permute(0, 2, 3, 1)
    index = torch.arange(len(x), device=x.device)[:, None, None]
    return padded[index, (rows + place)[:, :, None], (columns + place)[:, None, :]].permute(0, 3, 1, 2)
