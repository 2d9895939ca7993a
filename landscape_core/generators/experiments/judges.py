"""Judges of pictures that were not optimised: is what has the lower loss also nearer to the eye?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from landscape_core.experiments.curves import Judge
from landscape_core.generators.task import image_objective
from landscape_core.search.objectives import FeatureDistance, Target, masked_mean
from landscape_core.search.race import Perceptual

PSNR = "PSNR"  # measured by the squared error, so that ratios compare it: a ratio r is -10 log10 r dB

OTHER: Mapping[Perceptual, tuple[str, Perceptual]] = {"lpips": ("robust features", "robust"), "robust": ("LPIPS", "lpips")}


def squared_error(output: Tensor, target: Target) -> Tensor:
    """Mean squared error (n,) of what is visible; pictures in [-1, 1]."""
    return masked_mean((output - target.value).square(), target.mask)


def decibels(error: float) -> float:
    """A squared error of pictures in [-1, 1] as PSNR."""
    return float(10.0 * torch.log10(torch.tensor(4.0 / max(error, 1e-12))))


def perceptual_judge(distance: FeatureDistance) -> Judge:
    """A perceptual distance (n,), hidden pixels being grey in both pictures."""

    def judge(output: Tensor, target: Target) -> Tensor:
        seen, wanted = (each if target.mask is None else each * target.mask for each in (output, target.value))
        return distance.distance(distance.features(seen), distance.features(wanted), target.mask)

    return judge


def judges_for(optimised: Perceptual, device: torch.device | str) -> Mapping[str, Judge]:
    """PSNR, and the perceptual distance that was not optimised."""
    name, other = OTHER[optimised]
    return {PSNR: squared_error, name: perceptual_judge(image_objective(other, device)[0].distance)}
