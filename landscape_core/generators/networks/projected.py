"""Projected discriminators (Sauer et al. 2021): small critics on the maps of a frozen network.

Fixed random convolutions mix each map's channels and then neighbouring scales, so that no critic can lean on a few channels.
One more critic sees the pixels themselves: the frozen network hardly notices patterns of single pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

# Maps of SqueezeNet 1.1 that LPIPS names relu1 .. relu7: where to look, and how many channels each has.
TAPS = (0, 1, 2, 6)
CHANNELS = (64, 128, 256, 512)
_LEAK = 0.2


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
    """Pictures (B, 3, R, R) in [-1, 1] -> logits (B, 5), one a critic; `maps` are those of LPIPS's SqueezeNet, frozen.

    The pictures are enlarged `scale` times first: the network learned on larger ones.
    """

    def __init__(self, maps: Callable[[Tensor], Sequence[Tensor]], *, width: int = 48, scale: float = 1.5) -> None:
        super().__init__()
        self.maps = maps
        self.project = RandomProjection(CHANNELS, width)
        self.heads = nn.ModuleList(_head(width, width, halvings) for halvings in (3, 2, 1, 0))
        self.pixels = _head(12, width, 3)
        self.scale = scale

    def forward(self, pictures: Tensor) -> Tensor:
        large = F.interpolate(pictures, scale_factor=self.scale, mode="bilinear", align_corners=False)
        maps = self.maps(large)
        projected = self.project([maps[tap] for tap in TAPS])
        places = [head(x) for head, x in zip(self.heads, projected, strict=True)]
        places.append(self.pixels(F.pixel_unshuffle(pictures, 2)))
        return torch.stack([logits.flatten(1).mean(dim=1) for logits in places], dim=1)

    def trained(self) -> list[nn.Parameter]:
        """What a critic learns: all but the projection."""
        return [*self.heads.parameters(), *self.pixels.parameters()]
