"""Convolutional autoencoder: 64x64 pictures <-> 8x8x16 latents, in which a small generator is quick to train."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """x + conv(silu(conv(silu(x)))), starting close to the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        with torch.no_grad():
            self.conv2.weight.mul_(0.1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.silu(self.conv1(F.silu(x))))


class ImageEncoder(nn.Module):
    """Picture (B, 3, 64, 64) in [-1, 1] -> latents (B, C, 8, 8), every channel of mean 0 and variance 1."""

    def __init__(self, widths: tuple[int, int, int] = (48, 64, 96), latent_channels: int = 16) -> None:
        super().__init__()
        at32, at16, at8 = widths
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(12, at32, 3, padding=1),
            ResidualBlock(at32),
            nn.PixelUnshuffle(2),
            nn.Conv2d(4 * at32, at16, 3, padding=1),
            ResidualBlock(at16),
            nn.PixelUnshuffle(2),
            nn.Conv2d(4 * at16, at8, 3, padding=1),
            ResidualBlock(at8),
            nn.SiLU(),
            nn.Conv2d(at8, latent_channels, 3, padding=1),
        )
        self.norm = nn.BatchNorm2d(latent_channels, affine=False)

    def forward(self, image: Tensor) -> Tensor:
        return self.norm(self.body(image))


class ImageDecoder(nn.Module):
    """Latents (B, C, 8, 8) -> picture (B, 3, 64, 64), about [-1, 1] (not clipped: gradients pass)."""

    def __init__(self, widths: tuple[int, int, int] = (48, 64, 96), latent_channels: int = 16) -> None:
        super().__init__()
        at32, at16, at8 = widths
        self.body = nn.Sequential(
            nn.Conv2d(latent_channels, at8, 3, padding=1),
            ResidualBlock(at8),
            ResidualBlock(at8),
            nn.Conv2d(at8, 4 * at16, 3, padding=1),
            nn.PixelShuffle(2),
            ResidualBlock(at16),
            ResidualBlock(at16),
            nn.Conv2d(at16, 4 * at32, 3, padding=1),
            nn.PixelShuffle(2),
            ResidualBlock(at32),
            nn.SiLU(),
            nn.Conv2d(at32, 12, 3, padding=1),
            nn.PixelShuffle(2),
        )

    def forward(self, latents: Tensor) -> Tensor:
        return self.body(latents)
