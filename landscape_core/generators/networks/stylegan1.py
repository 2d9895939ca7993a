"""StyleGAN's first synthesis network: convolutions whose outputs are normalised, then scaled and shifted by a style (AdaIN).

Karras et al., "A Style-Based Generator Architecture for Generative Adversarial Networks", CVPR 2019. Weights are plain: what a
published file scales at run time is folded in when it is read (`published1.py`), and noise is left out, as it is in F.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from landscape_core.generators.networks.stylegan import LowPass, MappingNetwork

_LEAK = 0.2


def triangle_kernel() -> Tensor:
    """The (3, 3) low-pass filter [1, 2, 1], summing to 1."""
    taps = torch.tensor([1.0, 2.0, 1.0])
    return torch.outer(taps, taps) / 16.0


class AdaIN(nn.Module):
    """Maps (B, C, H, W) normalised each by its own mean and variance, then scaled and shifted by a style (Eq. 1)."""

    def __init__(self, channels: int, style_dim: int) -> None:
        super().__init__()
        self.style = nn.Linear(style_dim, 2 * channels)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        scale, shift = self.style(w)[:, :, None, None].chunk(2, dim=1)
        return scale * F.instance_norm(x) + shift


class Level(nn.Module):
    """Two styled layers at one resolution: the first upsamples and filters, or at 4x4 is a learned constant."""

    def __init__(self, n_in: int, n_out: int, style_dim: int) -> None:
        super().__init__()
        if n_in:
            self.up = nn.ConvTranspose2d(n_in, n_out, 4, stride=2, padding=1)
            self.blur = LowPass((1, 1), gain=1.0, kernel=triangle_kernel())
        else:
            self.const = nn.Parameter(torch.randn(1, n_out, 4, 4))
        self.adain1 = AdaIN(n_out, style_dim)
        self.conv = nn.Conv2d(n_out, n_out, 3, padding=1)
        self.adain2 = AdaIN(n_out, style_dim)

    def forward(self, x: Tensor | None, first: Tensor, second: Tensor) -> Tensor:
        """Maps of the level before (B, n_in, H/2, W/2), None at 4x4, and a w (B, D) for each layer -> (B, n_out, H, W)."""
        x = self.const.expand(len(first), -1, -1, -1) if x is None else self.blur(self.up(x))
        x = self.adain1(F.leaky_relu(x, _LEAK), first)
        return self.adain2(F.leaky_relu(self.conv(x), _LEAK), second)


class Synthesis(nn.Module):
    """w (B, D) or w+ (B, n_styles, D) -> picture (B, 3, R, R); `channels` gives the width at 4, 8, 16, ... pixels."""

    def __init__(self, style_dim: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.resolution = 4 * 2 ** (len(channels) - 1)
        self.n_styles = 2 * len(channels)
        self.levels = nn.ModuleList(Level(n_in, n_out, style_dim) for n_in, n_out in itertools.pairwise((0, *channels)))
        self.to_rgb = nn.Conv2d(channels[-1], 3, 1)

    def forward(self, w: Tensor) -> Tensor:
        if w.dim() == 2:
            w = w[:, None].expand(-1, self.n_styles, -1)
        x: Tensor | None = None
        for index, level in enumerate(self.levels):
            x = level(x, w[:, 2 * index], w[:, 2 * index + 1])
        picture: Tensor = self.to_rgb(x)
        return picture


class StyleGAN1(nn.Module):
    """Synthesis alone, with the mean of W (`w_mean`); its inputs have another prior than a mapping network's."""

    def __init__(self, style_dim: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.mapping = MappingNetwork(style_dim, 0)
        self.synthesis = Synthesis(style_dim, channels)
        self.register_buffer("w_mean", torch.zeros(style_dim))
