"""The second paper's autoencoder: stages of a frozen classifier as encoder, their mirror image as decoder, and a critic."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from landscape_core.features.classifier import Classifier, ConvNorm
from landscape_core.training.norm import SharedNorm


class FeatureEncoder(nn.Module):
    """The first `depth` stages of a frozen classifier: pictures (B, 3, H, W) in [-1, 1] -> codes (B, C, H/2^depth, W/2^depth).

    Fully convolutional, so that pictures of every side that 2^depth divides can be encoded.
    """

    def __init__(self, network: Classifier, depth: int) -> None:
        super().__init__()
        if not 1 <= depth <= len(network.widths):
            raise ValueError(f"this network has the stages 1 to {len(network.widths)}, not {depth}")
        self.network = network.eval().requires_grad_(False)
        self.depth = depth

    def forward(self, pictures: Tensor) -> Tensor:
        return self.network.stages(pictures)[self.depth - 1]

    def train(self, mode: bool = True) -> FeatureEncoder:
        """Stays in eval mode: it is frozen."""
        return super().train(False)


class UpNorm(nn.Module):
    """The mirror of a convolution of stride 2: a transposed one, with batch normalisation."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(n_in, n_out, 4, stride=2, padding=1, bias=False)
        self.norm = SharedNorm(n_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class UpBlock(nn.Module):
    """The mirror of a residual stage: doubles the resolution."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.conv2 = ConvNorm(n_in, n_in, 3)
        self.conv1 = UpNorm(n_in, n_out)
        self.shortcut = ConvNorm(n_in, n_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.conv1(F.silu(self.conv2(x)))
        return F.silu(inner + F.interpolate(self.shortcut(x), scale_factor=2.0, mode="nearest"))


class MirrorDecoder(nn.Module):
    """Codes (B, C, h, w) -> pictures (B, 3, 2^depth h, 2^depth w) in [-1, 1]: the encoder's stages transposed, last first.

    `widths` are the channels of the encoder's stages up to the one that is inverted. With `skips` the earlier stages' maps
    are added before each of the decoder's, through a convolution of 1x1: for restoring pictures, since a code alone then no
    longer tells the picture.
    """

    def __init__(self, widths: Sequence[int], *, skips: bool = False) -> None:
        super().__init__()
        mirrored = list(reversed(widths))
        self.blocks = nn.ModuleList(UpBlock(a, b) for a, b in pairwise(mirrored))
        self.skips = nn.ModuleList(ConvNorm(width, width, 1) for width in mirrored[1:]) if skips else None
        self.stem = UpNorm(widths[0], widths[0] // 2)
        self.colours = nn.Conv2d(widths[0] // 2, 3, 3, padding=1)

    def forward(self, code: Tensor, earlier: Sequence[Tensor] = ()) -> Tensor:
        """`earlier` are the maps of the stages before the code's, first to last; only a decoder with skips takes them."""
        x = code
        for i, block in enumerate(self.blocks):
            x = block(x)
            if self.skips is not None:
                x = x + self.skips[i](earlier[-1 - i])
        return torch.tanh(self.colours(F.silu(self.stem(x))))


class Critic(nn.Module):
    """Pictures (B, 3, H, W) in [-1, 1] -> realness (B, h, w) of their patches, spectrally normalised (Miyato et al. 2018)."""

    def __init__(self, widths: Sequence[int] = (32, 64, 96)) -> None:
        super().__init__()
        pairs = pairwise((3, *widths))
        self.convs = nn.ModuleList(spectral_norm(nn.Conv2d(a, b, 4, stride=2, padding=1)) for a, b in pairs)
        self.out = spectral_norm(nn.Conv2d(widths[-1], 1, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        x = pictures
        for conv in self.convs:
            x = F.leaky_relu(conv(x), 0.2)
        return self.out(x)[:, 0]


class Autoencoder(nn.Module):
    """Encoder and decoder: pictures (B, 3, H, W) in [-1, 1] -> pictures. `spread` is the variance of the codes' entries over
    training pictures, the unit of every distance between codes."""

    def __init__(self, encoder: FeatureEncoder, decoder: MirrorDecoder, spread: float) -> None:
        super().__init__()
        self.encoder, self.decoder, self.spread = encoder, decoder, spread

    def forward(self, pictures: Tensor) -> Tensor:
        *earlier, code = self.encoder.network.stages(pictures)[: self.encoder.depth]
        return self.decoder(code, earlier)

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """Mean squared difference (B,) of codes (B, C, h, w), in units of their variance."""
        return (a - b).square().flatten(1).mean(dim=1) / self.spread
