"""How near a reconstruction is to its picture, one number each: PSNR, SSIM, LPIPS."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from landscape_core.search.judges import psnr

Quality = Mapping[str, Tensor]  # "psnr", "ssim", "lpips" -> (B,)


def ssim(found: Tensor, pictures: Tensor) -> Tensor:
    """Structural similarity (B,) of pictures (B, 3, H, W) in [-1, 1], H and W at least 11; higher is better.

    Wang et al. 2004, their Gaussian window and constants, by scikit-image; the mean over the three colours.
    """
    pairs = zip(found.clamp(-1.0, 1.0).cpu().numpy(), pictures.cpu().numpy(), strict=True)
    values = [
        structural_similarity(
            a, b, data_range=2.0, channel_axis=0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        for a, b in pairs
    ]
    return torch.tensor(values, dtype=torch.float32)


@torch.no_grad()
def quality(found: Tensor, pictures: Tensor, lpips: Callable[[Tensor, Tensor], Tensor], *, batch: int = 50) -> Quality:
    """All three, (B,) each, of reconstructions and pictures (B, 3, S, S) in [-1, 1], S at least 32; `lpips` is the distance."""
    found = found.clamp(-1.0, 1.0)
    parts = zip(found.split(batch), pictures.split(batch), strict=True)
    return {
        "psnr": psnr(found, pictures),
        "ssim": ssim(found, pictures),
        "lpips": torch.cat([lpips(a, b) for a, b in parts]),
    }
