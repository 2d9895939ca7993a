"""Texture energies: how much detail of each orientation and size a picture has around a place, but not exactly where.

Adversarial training makes a network deaf to fine detail, and every map of it sees a small shift. LPIPS hears noise and
blur and forgives a shift. Pooled magnitudes of a Haar pyramid (after Portilla & Simoncelli 2000) supply just that.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

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
