"""StyleGAN2's residual discriminator, and the encoder that shares its body (feed-forward inversion baseline)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from landscape_core.generators.networks.stylegan import EqualLinear

_LEAK = 0.2
_GAIN = math.sqrt(2.0)
GROUP = 4  # neighbours in a batch whose spread is the feature of all of them


class EqualConv(nn.Module):
    """Convolution with an equalised learning rate, bias and scaled leaky ReLU."""

    def __init__(self, n_in: int, n_out: int, kernel: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(n_out))
        self.scale = 1.0 / math.sqrt(n_in * kernel * kernel)
        self.pad = kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(F.conv2d(x, self.weight * self.scale, self.bias, padding=self.pad), _LEAK) * _GAIN


class DownBlock(nn.Module):
    """Residual block that halves the resolution."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.conv1 = EqualConv(n_in, n_in, 3)
        self.conv2 = EqualConv(n_in, n_out, 3)
        self.skip = nn.Parameter(torch.randn(n_out, n_in, 1, 1))
        self.skip_scale = 1.0 / math.sqrt(n_in)

    def forward(self, x: Tensor) -> Tensor:
        y = F.avg_pool2d(self.conv2(self.conv1(x)), 2)
        skip = F.conv2d(F.avg_pool2d(x, 2), self.skip * self.skip_scale)
        return (y + skip) / _GAIN


class Body(nn.Module):
    """Picture (B, C, R, R) -> features (B, widths[-1], 4, 4); `widths` are those at R, R/2, ..., 4 pixels."""

    def __init__(self, in_channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.stem = EqualConv(in_channels, widths[0], 3)
        self.blocks = nn.Sequential(*(DownBlock(a, b) for a, b in itertools.pairwise(widths)))

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(self.stem(x))


class Discriminator(nn.Module):
    """Picture (B, C, R, R) -> realness logit (B,), with the minibatch standard deviation as a feature."""

    def __init__(self, in_channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        top = widths[-1]
        self.body = Body(in_channels, widths)
        self.conv = EqualConv(top + 1, top, 3)
        self.hidden = EqualLinear(top * 16, top)
        self.out = EqualLinear(top, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(x)
        groups = x.reshape(-1, GROUP, *x.shape[1:]) if x.shape[0] % GROUP == 0 else x[:, None]
        spread = torch.sqrt(groups.var(dim=1, unbiased=False) + 1e-8).mean(dim=(1, 2, 3))
        spread = spread.repeat_interleave(x.shape[0] // spread.shape[0])
        x = torch.cat([x, spread[:, None, None, None].expand(-1, 1, 4, 4)], dim=1)
        x = F.leaky_relu(self.hidden(self.conv(x).flatten(1)), _LEAK) * _GAIN
        return self.out(x)[:, 0]


class LatentEncoder(nn.Module):
    """Picture (B, C, R, R) -> w (B, D), one feed-forward guess."""

    def __init__(self, in_channels: int, widths: Sequence[int], style_dim: int) -> None:
        super().__init__()
        self.body = Body(in_channels, widths)
        self.hidden = EqualLinear(widths[-1] * 16, style_dim)
        self.out = EqualLinear(style_dim, style_dim)

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.hidden(self.body(x).flatten(1)), _LEAK) * _GAIN
        return self.out(x)
