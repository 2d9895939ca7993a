"""The contrastive head: a frozen classifier's feature maps -> embeddings on a sphere (Mao et al. 2021)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def map_channels(widths: Sequence[int]) -> list[int]:
    """Channels of the maps that `RobustClassifier.features` returns: the stem's, then two of every block."""
    return [widths[0], *(width for width in widths[1:] for _ in range(2))]


class ContrastiveHead(nn.Module):
    """Means of every map, each normalised, then two layers; `bank` (K, dim) are embeddings of training pictures.

    All scales are seen, since an attack bends the last maps most and the early ones least: a view that disagrees
    across scales is what gives the attack away.
    """

    def __init__(self, channels: Sequence[int], hidden: int = 256, dim: int = 64, bank: int = 512) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(count) for count in channels)
        self.hidden = nn.Linear(sum(channels), hidden)
        self.out = nn.Linear(hidden, dim)
        self.register_buffer("bank", torch.zeros(bank, dim))

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps (B, C, h, w) of every scale -> unit vectors (B, dim)."""
        pooled = [norm(each.mean(dim=(2, 3))) for norm, each in zip(self.norms, maps, strict=True)]
        return F.normalize(self.out(F.silu(self.hidden(torch.cat(pooled, dim=1)))), dim=1)
