"""Convolutional autoencoder: pictures <-> latents of an eighth of their side, in which a small generator is quick to train."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from landscape_core.training.norm import SharedNorm


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
    """Picture (B, 3, H, W) in [-1, 1] -> latents (B, C, H/8, W/8), every channel of mean 0 and variance 1."""

    def __init__(self, widths: tuple[int, int, int] = (48, 64, 96), latent_channels: int = 16) -> None:
        super().__init__()
        at2, at4, at8 = widths
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(12, at2, 3, padding=1),
            ResidualBlock(at2),
            nn.PixelUnshuffle(2),
            nn.Conv2d(4 * at2, at4, 3, padding=1),
            ResidualBlock(at4),
            nn.PixelUnshuffle(2),
            nn.Conv2d(4 * at4, at8, 3, padding=1),
            ResidualBlock(at8),
            nn.SiLU(),
            nn.Conv2d(at8, latent_channels, 3, padding=1),
        )
        self.norm = SharedNorm(latent_channels, affine=False)

    def forward(self, image: Tensor) -> Tensor:
        return self.norm(self.body(image))


class ImageDecoder(nn.Module):
    """Latents (B, C, h, w) -> picture (B, 3, 8h, 8w), about [-1, 1] (not clipped: gradients pass)."""

    SCALE = 8

    def __init__(self, widths: tuple[int, int, int] = (48, 64, 96), latent_channels: int = 16) -> None:
        super().__init__()
        at2, at4, at8 = widths
        self.body = nn.Sequential(
            nn.Conv2d(latent_channels, at8, 3, padding=1),
            ResidualBlock(at8),
            ResidualBlock(at8),
            nn.Conv2d(at8, 4 * at4, 3, padding=1),
            nn.PixelShuffle(2),
            ResidualBlock(at4),
            ResidualBlock(at4),
            nn.Conv2d(at4, 4 * at2, 3, padding=1),
            nn.PixelShuffle(2),
            ResidualBlock(at2),
            nn.SiLU(),
            nn.Conv2d(at2, 12, 3, padding=1),
            nn.PixelShuffle(2),
        )

    def forward(self, latents: Tensor) -> Tensor:
        return self.body(latents)
