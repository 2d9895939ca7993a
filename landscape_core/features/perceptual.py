"""Perceptual distances between pictures, and the one on adversarially robust features; LPIPS itself is in `lpips.py`.

All compare the maps of a frozen network, normalised over channels (Zhang et al. 2018, equation 1):
sum over taps of the spatial mean of sum_c w_c (a_c - b_c)^2.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from landscape_core.errors import UserError
from landscape_core.features.classifier import RobustClassifier

_EPS = 1e-10  # inside the square root, so that the normalisation is smooth at a map of zeros
CALIBRATED_SIDE = 64
Features = tuple[Tensor, ...]


class FeatureDistance(nn.Module, ABC):
    """What the distances share. Pictures are (B, 3, H, W) in [-1, 1]; a distance is (B,), one per sample."""

    @abstractmethod
    def maps(self, image: Tensor) -> Sequence[Tensor]:
        """Picture -> feature maps (B, C, h, w) of every layer, before normalisation."""

    @abstractmethod
    def weights(self) -> Sequence[Tensor]:
        """Non-negative weights (C,) of every tap."""

    def features(self, image: Tensor) -> Features:
        """Picture -> maps (B, C, h, w) of unit length over channels; compute a target's once and keep them."""
        return tuple(x * torch.rsqrt(x.square().sum(dim=1, keepdim=True) + _EPS) for x in self.maps(image))

    def distance(self, features_a: Features, features_b: Features, mask: Tensor | None = None) -> Tensor:
        """Distance (B,) between what `features` returned for two pictures.

        `mask` (B, 1, H, W) or (1, 1, H, W) in {0, 1} marks visible pixels and weighs the spatial means, averaged over
        the area of each map's cells. Hide pixels in both pictures before `features`: a cell near a hidden region
        still sees across its border, as far as its receptive field reaches.
        """
        pooled = pooled_differences(features_a, features_b, mask)
        return sum((d @ w for d, w in zip(pooled, self.weights(), strict=True)), pooled[0].new_zeros(()))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Distance (B,) between two batches of pictures."""
        return self.distance(self.features(a), self.features(b))


def pooled_differences(features_a: Features, features_b: Features, mask: Tensor | None = None) -> list[Tensor]:
    """Spatial means (B, C) of the squared differences of every tap, over the visible pixels only."""
    pooled = []
    for a, b in zip(features_a, features_b, strict=True):
        difference = (a - b).square()  # (B, C, h, w)
        if mask is None:
            pooled.append(difference.mean(dim=(2, 3)))
        else:
            visible = F.adaptive_avg_pool2d(mask.to(a), (a.shape[2], a.shape[3]))
            area = visible.sum(dim=(2, 3)).clamp_min(1e-6)
            pooled.append((difference * visible).sum(dim=(2, 3)) / area)
    return pooled


class RobustDistance(FeatureDistance):
    """The second paper's: maps of an adversarially robust CIFAR-10 network and texture energies, weighted to match LPIPS.

    `windows` are those of `TextureEnergies`; an empty tuple leaves the network's maps alone. Pictures need a side of at
    least 32; from 128 on they are averaged down to between 64 and 128, near what the distance was calibrated on.
    """

    def __init__(self, widths: Sequence[int] = (32, 48, 72, 112), windows: Sequence[int] = (8, 8, 4)) -> None:
        super().__init__()
        self.network = RobustClassifier(widths).fold().requires_grad_(False)
        self.texture = TextureEnergies(tuple(windows))
        channels = [widths[0], *(width for width in widths[1:] for _ in range(2))]
        self.n_network_taps = len(channels)
        channels += [TextureEnergies.CHANNELS] * len(windows)
        for index, count in enumerate(channels):
            self.register_buffer(f"weight{index}", torch.ones(count))

    @classmethod
    def from_state(cls, tensors: Mapping[str, Tensor], config: Mapping[str, Any]) -> RobustDistance:
        """Build from a weights file: `config` holds the arguments of the constructor.

        Raises:
            UserError: the tensors do not belong to such a network.
        """
        distance = cls(**config)
        try:
            distance.load_state_dict(dict(tensors))
        except RuntimeError as error:
            raise UserError(
                f"These are not the weights of a distance on robust features with {dict(config)}: {error}"
            ) from error
        return distance.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def maps(self, image: Tensor) -> Sequence[Tensor]:
        small = F.avg_pool2d(image, max(image.shape[-1] // CALIBRATED_SIDE, 1))
        return [*self.network.features(small), *self.texture(small)]

    def weights(self) -> Sequence[Tensor]:
        return [self.get_buffer(f"weight{index}") for index in range(self.n_network_taps + len(self.texture.windows))]

    def train(self, mode: bool = True) -> RobustDistance:
        """Stays in eval mode: its network is frozen and folded."""
        return super().train(False)


_OPPONENT = ((0.3, 0.6, 0.1), (0.5, -0.5, 0.0), (0.25, 0.25, -0.5))  # luminance, red-green, yellow-blue
_HAAR = ((1, 1, 1, 1), (1, -1, 1, -1), (1, 1, -1, -1), (1, -1, -1, 1))  # mean, then three orientations of detail
_VARIANCE_FLOOR = 5e-5  # about one grey level squared; keeps the square root smooth where a picture is flat
_CONSTANT = 0.1  # an extra channel: once normalised, energies far below it count for little


class TextureEnergies(nn.Module):
    """Picture (B, 3, H, W) in [-1, 1] -> one map (B, 10, h, w) per level of a Haar pyramid, fine to coarse.

    Channels: root mean square of 3 colours x 3 orientations over windows of `windows[level]` cells, and a constant.
    """

    CHANNELS = 10

    def __init__(self, windows: tuple[int, ...] = (8, 8, 4)) -> None:
        super().__init__()
        self.windows = windows
        self.register_buffer("colours", torch.tensor(_OPPONENT)[:, :, None, None], persistent=False)
        filters = torch.tensor(_HAAR).float().reshape(4, 1, 2, 2) / 4
        self.register_buffer("filters", filters.repeat(3, 1, 1, 1), persistent=False)  # (12, 1, 2, 2), grouped by colour

    def forward(self, image: Tensor) -> list[Tensor]:
        x = F.conv2d(image, self.get_buffer("colours"))
        maps = []
        for window in self.windows:
            bands = F.conv2d(x, self.get_buffer("filters"), stride=2, groups=3).unflatten(1, (3, 4))  # (B, 3, 4, h, w)
            x, detail = bands[:, :, 0], bands[:, :, 1:].flatten(1, 2)
            energy = torch.sqrt(F.avg_pool2d(detail.square(), window) + _VARIANCE_FLOOR)
            maps.append(torch.cat([energy, torch.full_like(energy[:, :1], _CONSTANT)], dim=1))
        return maps
