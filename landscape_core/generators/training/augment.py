"""DiffAugment (Zhao et al. 2020): what critics see is changed at random, differentiably, so that few pictures last longer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def augment(pictures: Tensor, random: torch.Generator, *, shift: float = 0.125) -> Tensor:
    """Pictures (B, 3, H, W), each with its own brightness, saturation, contrast and shift (zeros come in); differentiable.

    `random` lives on the pictures' device.
    """

    def uniform(low: float, high: float) -> Tensor:
        draw = torch.rand(len(pictures), 1, 1, 1, generator=random, device=pictures.device)
        return low + (high - low) * draw

    x = pictures + uniform(-0.5, 0.5)
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * uniform(0.0, 2.0)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    x = mean + (x - mean) * uniform(0.5, 1.5)
    return _shifted(x, random, round(shift * x.shape[-1]))


def _shifted(x: Tensor, random: torch.Generator, most: int) -> Tensor:
    """Each picture moved by up to `most` pixels along both axes, by one gather for each."""
    batch, channels, height, width = x.shape
    starts = torch.randint(0, 2 * most + 1, (2, batch, 1), generator=random, device=x.device)
    rows = (starts[0] + torch.arange(height, device=x.device))[:, None, :, None]  # (B, 1, H, 1)
    columns = (starts[1] + torch.arange(width, device=x.device))[:, None, None, :]
    padded = F.pad(x, (most, most, most, most))
    moved = padded.gather(2, rows.expand(-1, channels, -1, width + 2 * most))
    moved = moved.gather(3, columns.expand(-1, channels, height, -1))
    return moved.contiguous(memory_format=torch.channels_last)
