"""StyleGAN2 generator: mapping network, modulated convolutions, noise, RGB skips.

Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020. Resolution, widths
and the number of output channels are parameters, so the same network draws whole photos or the small
latents of an autoencoder. Parameter names follow the public PyTorch convention (`g_ema` state dicts)
where they can, so that `published.py` has little to rename.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_LEAK = 0.2
_GAIN = math.sqrt(2.0)  # keeps the variance of a leaky ReLU's output near that of its input


def binomial_kernel(gain: float = 1.0) -> Tensor:
    """The (4, 4) low-pass filter [1, 3, 3, 1] of StyleGAN2, summing to `gain`."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    kernel = torch.outer(taps, taps)
    return kernel * (gain / kernel.sum())


class LowPass(nn.Module):
    """Depth-wise filtering of x (B, C, H, W) by one kernel, after padding (before, after) on both axes with zeros.

    StyleGAN2's own kernel is applied as sums of shifted pictures, along one axis and then the other: the same numbers
    without the grouped convolution that any other kernel takes, which accelerators are slow at.
    """

    def __init__(self, pad: tuple[int, int], gain: float, kernel: Tensor | None = None) -> None:
        """StyleGAN2's kernel, summing to `gain`, or `gain` times a kernel (k, k) of one's own."""
        super().__init__()
        self.pad, self.gain = pad, gain
        self.register_buffer("kernel", kernel, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        before, after = self.pad
        x = F.pad(x, (before, after, before, after))
        kernel = self._buffers["kernel"]
        if kernel is None:
            return _one_three_three_one(_one_three_three_one(x, 2), 3) * (self.gain / 64.0)
        channels = x.shape[1]
        return F.conv2d(x, (self.gain * kernel).to(x.dtype).expand(channels, 1, *kernel.shape), groups=channels)


def _one_three_three_one(x: Tensor, dim: int) -> Tensor:
    """Sums of four neighbours along an axis, weighted 1, 3, 3, 1; the axis is three shorter."""
    n = x.shape[dim] - 3
    return x.narrow(dim, 0, n) + x.narrow(dim, 3, n) + 3.0 * (x.narrow(dim, 1, n) + x.narrow(dim, 2, n))


class EqualLinear(nn.Module):
    """Linear layer with a weight scaled at run time (equalised learning rate)."""

    def __init__(self, n_in: int, n_out: int, *, bias_init: float = 0.0, lr_mul: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in) / lr_mul)
        self.bias = nn.Parameter(torch.full((n_out,), bias_init))
        self.scale = lr_mul / math.sqrt(n_in)
        self.lr_mul = lr_mul

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, self.bias * self.lr_mul)


class MappingNetwork(nn.Module):
    """z (B, D) ~ N(0, I) -> w (B, D)."""

    def __init__(self, dim: int, n_layers: int, *, lr_mul: float = 0.01) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EqualLinear(dim, dim, lr_mul=lr_mul) for _ in range(n_layers))

    def forward(self, z: Tensor) -> Tensor:
        w = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)
        for layer in self.layers:
            w = F.leaky_relu(layer(w), _LEAK) * _GAIN
        return w


class ModulatedConv(nn.Module):
    """Convolution whose input channels are scaled per sample by a style, then renormalised.

    Scaling activations before and after one shared convolution equals scaling its weights per sample
    (section 2.2 of the paper) and avoids a grouped convolution, which is slow on a CPU.
    """

    def __init__(
        self, n_in: int, n_out: int, kernel: int, style_dim: int, *, demodulate: bool = True, upsample: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in, kernel, kernel))
        self.modulation = EqualLinear(style_dim, n_in, bias_init=1.0)
        self.scale = 1.0 / math.sqrt(n_in * kernel * kernel)
        self.demodulate = demodulate
        self.upsample = upsample
        self.pad = kernel // 2
        if upsample:
            self.blur = LowPass((1, 1), gain=4.0)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        style = self.modulation(w)  # (B, n_in)
        weight = self.weight * self.scale
        x = x * style[:, :, None, None]
        if self.upsample:
            x = self.blur(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2))
        else:
            x = F.conv2d(x, weight, padding=self.pad)
        if self.demodulate:
            power = style.square() @ weight.square().sum(dim=(2, 3)).T  # (B, n_out)
            x = x * torch.rsqrt(power + 1e-8)[:, :, None, None]
        return x


class StyledConv(nn.Module):
    """Modulated convolution, then noise, bias and leaky ReLU."""

    def __init__(self, n_in: int, n_out: int, style_dim: int, *, upsample: bool = False) -> None:
        super().__init__()
        self.conv = ModulatedConv(n_in, n_out, 3, style_dim, upsample=upsample)
        self.noise_strength = nn.Parameter(torch.zeros(1))
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        x = self.conv(x, w)
        if noise is not None:
            x = x + self.noise_strength * noise
        return F.leaky_relu(x + self.bias[:, None, None], _LEAK) * _GAIN


class ToRGB(nn.Module):
    """1x1 modulated convolution to the output channels, added to the upsampled output so far."""

    def __init__(self, n_in: int, n_out: int, style_dim: int) -> None:
        super().__init__()
        self.conv = ModulatedConv(n_in, n_out, 1, style_dim, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(n_out))
        self.low_pass = LowPass((2, 1), gain=4.0)

    def forward(self, x: Tensor, w: Tensor, skip: Tensor | None) -> Tensor:
        y = self.conv(x, w) + self.bias[:, None, None]
        return y if skip is None else y + self.upsample(skip)

    def upsample(self, x: Tensor) -> Tensor:
        """Zero-insertion then the low-pass filter: (B, C, H, W) -> (B, C, 2H, 2W)."""
        batch, channels, height, width = x.shape
        spread = x.new_zeros(batch, channels, height, 2, width, 2)
        spread[:, :, :, 0, :, 0] = x
        return self.low_pass(spread.reshape(batch, channels, 2 * height, 2 * width))


class SynthesisNetwork(nn.Module):
    """w (B, D) or w+ (B, n_styles, D) -> picture (B, out_channels, R, R).

    `channels` gives the width at 4, 8, 16, ... pixels, so its length fixes R = 4 * 2**(len - 1).
    """

    def __init__(self, style_dim: int, channels: Sequence[int], out_channels: int = 3) -> None:
        super().__init__()
        self.resolution = 4 * 2 ** (len(channels) - 1)
        self.n_styles = 2 * len(channels)
        self.const = nn.Parameter(torch.randn(1, channels[0], 4, 4))
        self.convs = nn.ModuleList([StyledConv(channels[0], channels[0], style_dim)])
        self.to_rgbs = nn.ModuleList([ToRGB(channels[0], out_channels, style_dim)])
        for n_in, n_out in itertools.pairwise(channels):
            self.convs.append(StyledConv(n_in, n_out, style_dim, upsample=True))
            self.convs.append(StyledConv(n_out, n_out, style_dim))
            self.to_rgbs.append(ToRGB(n_out, out_channels, style_dim))

    def noise_shapes(self) -> list[tuple[int, int, int, int]]:
        """One (1, 1, r, r) map per convolution, in order."""
        return [(1, 1, 2 ** ((i + 1) // 2 + 2), 2 ** ((i + 1) // 2 + 2)) for i in range(len(self.convs))]

    def forward(self, w: Tensor, noises: Sequence[Tensor] | None = None) -> Tensor:
        """Draw. `noises` are the maps added after each convolution; None adds none, which is what
        inversion uses: F must be a function of w alone."""
        if w.dim() == 2:
            w = w[:, None].expand(-1, self.n_styles, -1)
        maps: Sequence[Tensor | None] = noises if noises is not None else [None] * len(self.convs)
        x = self.convs[0](self.const.expand(w.shape[0], -1, -1, -1), w[:, 0], maps[0])
        rgb = self.to_rgbs[0](x, w[:, 1], None)
        for level, to_rgb in enumerate(list(self.to_rgbs)[1:], start=1):
            i = 2 * level - 1
            x = self.convs[i](x, w[:, i], maps[i])
            x = self.convs[i + 1](x, w[:, i + 1], maps[i + 1])
            rgb = to_rgb(x, w[:, i + 2], rgb)
        return rgb


class StyleGAN2(nn.Module):
    """Mapping and synthesis, with the mean of W (`w_mean`) that truncation and inversion start from."""

    def __init__(
        self,
        style_dim: int = 512,
        n_mapping: int = 8,
        channels: Sequence[int] = (256, 256, 256, 128, 64),
        out_channels: int = 3,
    ) -> None:
        super().__init__()
        self.mapping = MappingNetwork(style_dim, n_mapping)
        self.synthesis = SynthesisNetwork(style_dim, channels, out_channels)
        self.register_buffer("w_mean", torch.zeros(style_dim))

    def forward(self, z: Tensor, *, truncation: float = 1.0, noises: Sequence[Tensor] | None = None) -> Tensor:
        """z (B, D) -> picture (B, C, R, R); truncation 1 leaves w alone, 0 draws the mean."""
        w_mean = self.get_buffer("w_mean")
        w = w_mean + truncation * (self.mapping(z) - w_mean)
        return self.synthesis(w, noises)


def without_mapping(model: StyleGAN2) -> StyleGAN2:
    """The same synthesis, and mean of W, without the mapping network: for a generator whose inputs have another prior."""
    bare = copy.deepcopy(model)
    bare.mapping = MappingNetwork(model.get_buffer("w_mean").shape[0], 0)
    return bare
