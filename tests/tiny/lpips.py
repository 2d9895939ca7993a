"""What stands in for LPIPS, for pictures too small or tests too quick for it."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MeanDistance(nn.Module):
    """Where only the distance is asked for."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return (a - b).abs().mean(dim=(1, 2, 3))


class StandIn(nn.Module):
    """Where the maps are asked for: seven, with SqueezeNet's channels, of random convolutions."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            channels = (64, 128, 256, 384, 384, 512, 512)
            self.convs = nn.ModuleList(nn.Conv2d(3, width, 1) for width in channels).requires_grad_(False)

    def maps(self, pictures: Tensor) -> list[Tensor]:
        sizes = (16, 8, 4, 2, 2, 2, 2)
        pooled = (nn.functional.adaptive_avg_pool2d(pictures, size) for size in sizes)
        return [conv(x).relu() for conv, x in zip(self.convs, pooled, strict=True)]

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return (a - b).abs().mean(dim=(1, 2, 3))
