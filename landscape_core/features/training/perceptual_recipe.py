"""The distance on robust features, from pictures to its file: adversarial training, calibration, judgement, card."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from landscape_core.features.classifier import Classifier
from landscape_core.features.lpips import load_lpips
from landscape_core.features.perceptual import RobustDistance
from landscape_core.features.training.calibration import CalibrationConfig, agreement, calibrate
from landscape_core.features.training.classifier import ClassifierConfig, Threat, accuracy
from landscape_core.progress import Report
from landscape_core.storage import zoo

PGD = Threat(eps=0.5, steps=20, step_size=0.125)  # the attack that robust accuracy is measured with


def distance_on(network: Classifier, widths: tuple[int, ...]) -> RobustDistance:
    """A distance on a copy of a trained network, its weights still all one."""
    distance = RobustDistance(widths)
    distance.network.load_state_dict(copy.deepcopy(network).fold().state_dict())
    return distance


def calibrated_distance(
    network: Classifier, widths: tuple[int, ...], pictures: Tensor, config: CalibrationConfig, report: Report
) -> RobustDistance:
    """A distance on a trained network, matched to LPIPS on uint8 pictures (N, 3, H, W).

    Raises:
        UserError: LPIPS's packages or its embedded weights are missing.
    """
    distance = distance_on(network, widths)
    calibrate(distance, load_lpips(), pictures, config, report)
    return distance


def judge(
    distance: RobustDistance, images: Tensor, labels: Tensor, pictures: Tensor, *, seed: int = 7, pairs: int = 4800
) -> dict[str, Any]:
    """Metrics for the card, on unseen CIFAR-10 pictures (N, 3, 32, 32) and unseen pictures (N, 3, H, W), all uint8."""
    every_tenth = slice(None, None, 10)  # 20 steps of attack on all of them would take longer than calibrating
    config = CalibrationConfig(pairs=pairs, mixed=0.25, seed=seed)
    ranks = agreement(distance, load_lpips(), pictures, config)
    return {
        "clean_accuracy": accuracy(distance.network, images, labels),
        "robust_accuracy": accuracy(distance.network, images[every_tenth], labels[every_tenth], PGD),
        "robust_accuracy_attack": "PGD-20, L2 0.5, on every tenth test picture",
        "spearman_with_lpips": {name: round(value, 4) for name, value in ranks.items()},
    }


def publish(
    distance: RobustDistance,
    config: ClassifierConfig,
    *,
    name: str = "perceptual",
    trained_on: str,
    licence: str,
    command: str,
    budget: Mapping[str, Any],
    metrics: Mapping[str, Any],
    notes: str = "",
    assets: Path = zoo.ASSETS,
) -> zoo.Card:
    """Write weights and card below `assets`, in float32."""
    card = zoo.Card(
        name=name,
        kind="embedded perceptual distance",
        architecture={"widths": list(config.widths), "windows": list(distance.texture.windows)},
        trained_on=trained_on,
        licence=licence,
        command=command,
        budget=dict(budget),
        metrics=dict(metrics),
        sha256="",
        seed=config.seed,
        notes=notes,
    )
    return zoo.save(card, distance.state_dict(), assets, dtype=torch.float32)
