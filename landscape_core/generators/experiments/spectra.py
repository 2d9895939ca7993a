"""Sets of pictures ever farther from what Θ learned on: Tables 4 and 5 of the paper (appendix D), with what stands in here."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from landscape_core.images.datasets import ImageSource
from landscape_core.images.sets import CATS, FACES, targets

SIGMAS = (0.0, 0.1, 0.2, 0.3, 0.4)  # of pictures in [0, 1], as Table 4 counts; ours are in [-1, 1], so twice that
CIFAR = "cifar10.zip"
SHIPS = "test/ship"
TURN, SHIFT, ZOOM = 30.0, 0.2, (0.7, 1.2)  # degrees, share of the side, factors: what takes the cats' alignment away


def noise_levels(pictures: Tensor, seed: int) -> dict[str, Tensor]:
    """Table 4: the same pictures (n, 3, H, W) in [-1, 1] at every level, the same noise scaled, clipped to the range."""
    noise = torch.randn(pictures.shape, generator=torch.Generator().manual_seed(seed))
    return {f"σ {sigma:g}": (pictures + 2 * sigma * noise).clamp(-1.0, 1.0) for sigma in SIGMAS}


def natural(data: Path, side: int, n: int, seed: int) -> dict[str, Tensor]:
    """Table 5: n faces, aligned cats, the same cats out of line, ships, noise. For LSUN's unaligned cats stand aligned ones
    turned and shifted at random, for ImageNet's container ships CIFAR-10's ships, enlarged from 32 pixels."""
    cats = targets(CATS.source(data, "val", side), n, seed)
    return {
        "faces": targets(FACES.source(data, "val", side), n, seed),
        "aligned cats": cats,
        "cats out of line": out_of_line(cats, seed),
        "ships": targets(ImageSource(data / CIFAR, SHIPS, side), n, seed),
        "noise": noise_pictures(n, side, seed),
    }


def noise_pictures(n: int, side: int, seed: int) -> Tensor:
    """n pictures (n, 3, side, side) in [-1, 1] of N(0.5, 0.5²) in [0, 1], clipped: Tables 5 and 6."""
    noise = torch.randn(n, 3, side, side, generator=torch.Generator().manual_seed(seed))
    return noise.clamp(-1.0, 1.0)


def out_of_line(pictures: Tensor, seed: int) -> Tensor:
    """Pictures (n, 3, H, W), each turned, shifted and zoomed at random; what comes in at the edge mirrors what is there."""
    n, random = len(pictures), torch.Generator().manual_seed(seed)

    def between(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, generator=random)

    angle, zoom = between(-TURN, TURN) * math.pi / 180, between(*ZOOM)
    cos, sin = angle.cos() / zoom, angle.sin() / zoom
    right, down = between(-2 * SHIFT, 2 * SHIFT), between(-2 * SHIFT, 2 * SHIFT)
    matrix = torch.stack([torch.stack([cos, -sin, right], dim=1), torch.stack([sin, cos, down], dim=1)], dim=1)  # (n, 2, 3)
    grid = functional.affine_grid(matrix, list(pictures.shape), align_corners=False)
    return functional.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)
