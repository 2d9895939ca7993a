"""Distortions of pictures, of graded strength: what a perceptual distance is calibrated and judged on.

Every distortion maps pictures (B, 3, H, W) in [-1, 1] and strengths (B,) in (0, 1] to pictures of the same shape
and range. `FITTING` are for fitting weights, `HELD_OUT` for judging them: no kind is in both.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from landscape_core.images.pixels import to_bytes, to_image, to_unit

Distortion = Callable[[Tensor, Tensor, torch.Generator], Tensor]


def _per_sample(values: Tensor) -> Tensor:
    return values[:, None, None, None]


def _signs(strength: Tensor, random: torch.Generator) -> Tensor:
    return torch.randint(0, 2, strength.shape, generator=random).float() * 2 - 1


def _filter_each(x: Tensor, kernels: Tensor) -> Tensor:
    """Filter every picture with its own kernel (B, k, k), k odd, edges mirrored."""
    batch, channels, height, width = x.shape
    pad = kernels.shape[-1] // 2
    padded = F.pad(x, (pad,) * 4, mode="reflect").reshape(1, batch * channels, height + 2 * pad, width + 2 * pad)
    weight = kernels[:, None].repeat_interleave(channels, dim=0)
    return F.conv2d(padded, weight, groups=batch * channels).reshape(x.shape)


def blur(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    sigma = 0.3 + 3.0 * strength
    squared = torch.arange(-7, 8).float().square()
    line = torch.softmax(-squared / (2 * sigma[:, None].square()), dim=1)
    return _filter_each(x, line[:, :, None] * line[:, None, :])


def noise(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    return x + 0.6 * _per_sample(strength) * torch.randn(x.shape, generator=random)


def coarse_noise(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    grain = torch.randn((len(x), 3, x.shape[2] // 4, x.shape[3] // 4), generator=random)
    return x + 0.7 * _per_sample(strength) * F.interpolate(grain, x.shape[2:], mode="bicubic")


def brightness(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    return x + _per_sample(0.8 * strength * _signs(strength, random))


def contrast(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (x - mean) * _per_sample(torch.exp(1.5 * strength * _signs(strength, random)))


def saturation(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    grey = x.mean(dim=1, keepdim=True)
    return grey + (x - grey) * _per_sample(1 + strength * (1.5 * _signs(strength, random) + 0.5))


def jpeg(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    decoded = []
    for picture, quality in zip(to_bytes(x), (60 * (1 - strength) ** 2 + 2).int().tolist(), strict=True):
        buffer = io.BytesIO()
        to_image(picture).save(buffer, "jpeg", quality=quality)
        decoded.append(torch.from_numpy(np.array(Image.open(buffer))).permute(2, 0, 1))
    return to_unit(torch.stack(decoded))


def downsample(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    size = x.shape[-1]
    sides = (size * (0.85 - 0.75 * strength)).int().clamp_min(4).tolist()
    small = (F.interpolate(p[None], (s, s), mode="bilinear", antialias=True) for p, s in zip(x, sides, strict=True))
    return torch.cat([F.interpolate(p, (size, size), mode="bicubic") for p in small])


def _move(x: Tensor, matrix: Tensor, displacement: Tensor | float = 0.0) -> Tensor:
    """Resample with an affine map (B, 2, 3) and a displacement (B, H, W, 2), in units of half a side."""
    grid = F.affine_grid(matrix, list(x.shape), align_corners=False) + displacement
    return F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)


def _affine(angle: Tensor, zoom: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    return torch.stack([torch.stack([cos, -sin, dx], dim=1), torch.stack([sin, cos, dy], dim=1)], dim=1)


def shift(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    angle = 2 * math.pi * torch.rand(strength.shape, generator=random)
    zero = torch.zeros_like(strength)
    return _move(x, _affine(zero, zero + 1, 0.25 * strength * torch.cos(angle), 0.25 * strength * torch.sin(angle)))


def warp(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    field = F.interpolate(torch.randn((len(x), 2, 5, 5), generator=random), x.shape[2:], mode="bicubic")
    zero = torch.zeros_like(strength)
    return _move(x, _affine(zero, zero + 1, zero, zero), 0.15 * _per_sample(strength) * field.permute(0, 2, 3, 1))


def _box(x: Tensor, side: Tensor, random: torch.Generator) -> Tensor:
    """Masks (B, 1, H, W): 1 inside a square of `side` (B,), relative to the picture, at a random place."""
    corner = torch.rand((2, len(x)), generator=random) * (1 - side)
    axis = (torch.arange(x.shape[-1]) + 0.5) / x.shape[-1]
    rows, columns = ((axis >= c[:, None]) & (axis < (c + side)[:, None]) for c in corner)
    return (rows[:, None, :, None] & columns[:, None, None, :]).float()


def occlusion(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    colour = torch.rand((len(x), 3, 1, 1), generator=random) * 2 - 1
    return torch.lerp(x, colour.expand_as(x), _box(x, 0.1 + 0.6 * strength, random))


def blend(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    """Towards another picture of the batch, all the way at strength 1."""
    return torch.lerp(x, x.roll(1, dims=0), _per_sample(strength))


def gamma(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    exponent = torch.exp(1.2 * strength * _signs(strength, random))
    return ((x + 1) / 2).clamp(1e-4, 1.0) ** _per_sample(exponent) * 2 - 1


def hue(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    """Turn colours about the grey axis (Rodrigues)."""
    angle = _per_sample(math.pi * strength * _signs(strength, random))
    grey = x.mean(dim=1, keepdim=True)
    turned = (x.roll(1, dims=1) - x.roll(-1, dims=1)) / math.sqrt(3.0)
    return grey + (x - grey) * torch.cos(angle) + turned * torch.sin(angle)


def mosaic(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    size = x.shape[-1]
    sides = [size // cell for cell in (2 + 8 * strength).int().tolist()]
    small = (F.interpolate(p[None], (s, s), mode="area") for p, s in zip(x, sides, strict=True))
    return torch.cat([F.interpolate(p, (size, size), mode="nearest") for p in small])


def salt_and_pepper(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    hit = torch.rand((len(x), 1, *x.shape[2:]), generator=random) < 0.3 * _per_sample(strength)
    return torch.where(hit, torch.randint(0, 2, hit.shape, generator=random).float() * 2 - 1, x)


def rotation(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    zero = torch.zeros_like(strength)
    return _move(x, _affine(0.6 * strength * _signs(strength, random), zero + 1, zero, zero))


def zoom(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    zero = torch.zeros_like(strength)
    return _move(x, _affine(zero, torch.exp(0.4 * strength * _signs(strength, random)), zero, zero))


def posterise(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    levels = _per_sample((10 * (1 - strength)).round() + 1)
    return ((x + 1) / 2 * levels).round() / levels * 2 - 1


def motion_blur(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    line = ((torch.arange(-7, 8).abs() / 7)[None] <= strength[:, None]).float()
    kernels = torch.diag_embed(line / line.sum(dim=1, keepdim=True))  # (B, 15, 15)
    mirrored = torch.rand(strength.shape, generator=random) < 0.5
    return _filter_each(x, torch.where(mirrored[:, None, None], kernels.flip(2), kernels))


def patch_swap(x: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    """A square taken from another picture of the batch."""
    return torch.lerp(x, x.roll(1, dims=0), _box(x, 0.15 + 0.6 * strength, random))


_FITTING = (blur, noise, coarse_noise, brightness, contrast, saturation, jpeg, downsample, shift, warp, occlusion, blend)
_HELD_OUT = (gamma, hue, mosaic, salt_and_pepper, rotation, zoom, posterise, motion_blur, patch_swap)
FITTING: dict[str, Distortion] = {function.__name__: function for function in _FITTING}
HELD_OUT: dict[str, Distortion] = {function.__name__: function for function in _HELD_OUT}


def distort(x: Tensor, kinds: list[Distortion], random: torch.Generator) -> Tensor:
    """Apply the kinds one after the other, each of a random strength per sample; stays in [-1, 1]."""
    for kind in kinds:
        strength = torch.rand(len(x), generator=random).clamp_min(0.02)
        x = kind(x, strength, random).clamp(-1.0, 1.0)
    return x
