"""Projected discriminators (Sauer et al. 2021): small critics on the maps of frozen networks.

Fixed random convolutions mix each map's channels and then neighbouring scales, so that no critic can lean on a few channels.
Two more critics see the pixels themselves: frozen networks hardly notice patterns of single pixels, and without these critics
hair and shadows come out dithered.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from landscape_core.generators.networks.backbones import Backbone

_LEAK = 0.2
HALVINGS = (3, 2, 1, 0)  # of a backbone's maps, finest first, before a critic gives its logits


class RandomProjection(nn.Module):
    """Maps, finest first -> as many maps of `width` channels, each holding what the coarser ones saw. Never trained."""

    def __init__(self, channels: Sequence[int], width: int) -> None:
        super().__init__()
        self.across_channels = nn.ModuleList(nn.Conv2d(c, width, 1) for c in channels)
        self.across_scales = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in channels[:-1])
        for conv in self.modules():
            if isinstance(conv, nn.Conv2d) and conv.bias is not None:
                nn.init.kaiming_normal_(conv.weight, nonlinearity="linear")
                nn.init.zeros_(conv.bias)
        self.requires_grad_(False)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        mixed = [conv(x) for conv, x in zip(self.across_channels, maps, strict=True)]
        for i in range(len(mixed) - 2, -1, -1):
            above = F.interpolate(mixed[i + 1], size=mixed[i].shape[2:], mode="bilinear", align_corners=False)
            mixed[i] = self.across_scales[i](mixed[i] + above) * 0.5**0.5
        return mixed


def _head(n_in: int, width: int, halvings: int) -> nn.Sequential:
    """Spectrally normalised convolutions that halve the map, then one logit a place."""
    layers: list[nn.Module] = []
    for _ in range(halvings):
        layers += [spectral_norm(nn.Conv2d(n_in, width, 4, stride=2, padding=1)), nn.LeakyReLU(_LEAK)]
        n_in = width
    layers += [spectral_norm(nn.Conv2d(n_in, width, 3, padding=1)), nn.LeakyReLU(_LEAK)]
    return nn.Sequential(*layers, spectral_norm(nn.Conv2d(width, 1, 3, padding=1)))


class ProjectedCritic(nn.Module):
    """Pictures (B, 3, R, R) in [-1, 1] -> logits (B, 4 · backbones + 2), one a critic. The backbones are frozen and no part of
    the module: checkpoints do without them."""

    def __init__(self, backbones: Sequence[Backbone], *, width: int = 48) -> None:
        super().__init__()
        self.backbones = tuple(backbones)
        self.projections = nn.ModuleList(RandomProjection(each.channels, width) for each in backbones)
        self.heads = nn.ModuleList(nn.ModuleList(_head(width, width, n) for n in HALVINGS) for _ in backbones)
        self.unshuffled = _head(12, width, 3)
        self.pixels = _head(3, max(width // 2, 1), 2)

    def forward(self, pictures: Tensor) -> Tensor:
        places = []
        for backbone, project, heads in zip(self.backbones, self.projections, self.heads, strict=True):
            projected = project(backbone(pictures))
            places += [head(x) for head, x in zip(heads, projected, strict=True)]  # type: ignore[call-overload]
        places += [self.unshuffled(F.pixel_unshuffle(pictures, 2)), self.pixels(pictures)]
        return torch.stack([logits.flatten(1).mean(dim=1) for logits in places], dim=1)

    def trained(self) -> list[nn.Parameter]:
        """What critics learn: all but the projections."""
        return [p for part in (self.heads, self.unshuffled, self.pixels) for p in part.parameters()]
