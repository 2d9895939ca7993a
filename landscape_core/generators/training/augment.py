"""DiffAugment (Zhao et al. 2020): what critics see is changed at random, differentiably, so that few pictures last longer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from landscape_core.generators.training.shares import Shares


def augment(pictures: Tensor, random: torch.Generator, shares: Shares, *, shift: float = 0.125) -> Tensor:
    """Pictures (B, 3, H, W), each with its own brightness, saturation, contrast and shift (zeros come in); differentiable.

    `random` lives on the pictures' device, and draws for the whole batch of which these are this process's.
    """

    def uniform(low: float, high: float) -> Tensor:
        draw = torch.rand(shares.n, 1, 1, 1, generator=random, device=pictures.device)
        return shares.of(low + (high - low) * draw)

    x = pictures + uniform(-0.5, 0.5)
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * uniform(0.0, 2.0)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    x = mean + (x - mean) * uniform(0.5, 1.5)
    most = round(shift * x.shape[-1])
    down, right = torch.randint(0, 2 * most + 1, (2, shares.n, 1), generator=random, device=x.device)
    return _shifted(x, shares.of(down), shares.of(right), most)


def _shifted(x: Tensor, down: Tensor, right: Tensor, most: int) -> Tensor:
    """Each picture moved by up to `most` pixels along both axes, by one gather for each; from (B, 1) of 0 ... 2 `most`."""
    _, channels, height, width = x.shape
    rows = (down + torch.arange(height, device=x.device))[:, None, :, None]  # (B, 1, H, 1)
    columns = (right + torch.arange(width, device=x.device))[:, None, None, :]
    padded = F.pad(x, (most, most, most, most))
    moved = padded.gather(2, rows.expand(-1, channels, -1, width + 2 * most))
    moved = moved.gather(3, columns.expand(-1, channels, height, -1))
    return moved.contiguous(memory_format=torch.channels_last)
