"""The judges of pictures that experiments ask: PSNR, and the perceptual distance that was not optimised."""

from __future__ import annotations

import torch

from landscape_core.generators.task import image_objective
from landscape_core.search.judges import PSNR, Judge, features_judge, robust_judge
from landscape_core.search.race import Perceptual


def judges_for(optimised: Perceptual, device: torch.device | str) -> list[Judge]:
    """Of a search by that distance."""
    if optimised == "lpips":
        return [PSNR, robust_judge(image_objective("robust", device)[0].distance)]
    return [
        PSNR,
        features_judge(image_objective("lpips", device)[0].distance, "LPIPS", "The published distance; lower is better."),
    ]
