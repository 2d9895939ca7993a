"""Fitting the channel weights of the embedded distance to LPIPS on distorted pictures, and judging the fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from landscape_core.features.perceptual import FeatureDistance, RobustDistance, pooled_differences
from landscape_core.features.training.distortions import FITTING, HELD_OUT, Distortion, distort
from landscape_core.images.pixels import to_unit
from landscape_core.progress import Report

_FLOOR = 0.01  # distances below it are all "almost the same picture": their ratios do not matter


@dataclass(frozen=True)
class CalibrationConfig:
    """`pairs` of a picture and a distorted copy; `mixed` of the batches get two or three distortions in a row.

    `floor` of the distance is shared evenly among all maps of the network and never fitted away: LPIPS alone would
    leave directions in which a picture can change unnoticed, and descent from noise would end in them.
    """

    pairs: int = 9_600
    batch: int = 48
    mixed: float = 0.5
    steps: int = 1000
    lr: float = 0.05
    floor: float = 0.15
    shrink: float = 1e-3
    seed: int = 0


def distorted_pairs(
    images: Tensor, kinds: Mapping[str, Distortion], config: CalibrationConfig
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Batches (name of the kind or "mixture", pictures, distorted pictures) from uint8 pictures (N, 3, H, W)."""
    random = torch.Generator().manual_seed(config.seed)
    names = list(kinds)
    for i in range(max(config.pairs // config.batch, 1)):
        x = to_unit(images[torch.randint(len(images), (config.batch,), generator=random)])
        chosen = [names[i % len(names)]]
        if torch.rand((), generator=random) < config.mixed:
            extra = torch.randint(len(names), (int(torch.randint(1, 3, (), generator=random)),), generator=random)
            chosen += [names[k] for k in extra.tolist()]
        label = chosen[0] if len(chosen) == 1 else "mixture"
        yield label, x, distort(x, [kinds[name] for name in chosen], random)


@torch.no_grad()
def _measure(
    distance: RobustDistance, reference: FeatureDistance, images: Tensor, config: CalibrationConfig, report: Report
) -> tuple[Tensor, Tensor]:
    """Unweighted differences of all channels (N, C) and the reference's distances (N,)."""
    rows, targets = [], []
    for _, x, y in distorted_pairs(images, FITTING, config):
        rows.append(torch.cat(pooled_differences(distance.features(x), distance.features(y)), dim=1))
        targets.append(reference(x, y))
        if report(len(rows) * config.batch, config.pairs, {"lpips": targets[-1].mean().item()}):
            break
    return torch.cat(rows), torch.cat(targets)


def fit_weights(differences: Tensor, targets: Tensor, lowest: Tensor, config: CalibrationConfig) -> Tensor:
    """Weights (C,) > `lowest` that minimise the mean squared logarithmic error of differences (N, C) @ weights to targets (N,).

    The logarithm counts relative errors, so that near and far pairs weigh alike; `shrink` holds the weights'
    logarithms near their mean, so that no channel is trusted alone.
    """
    logits = (targets.mean() / differences.sum(dim=1).mean()).log().repeat(differences.shape[1]).requires_grad_()
    optimizer = torch.optim.Adam([logits], lr=config.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    aim = (targets + _FLOOR).log()
    for _ in range(config.steps):
        error = (differences @ (lowest + logits.exp()) + _FLOOR).log() - aim
        loss = error.square().mean() + config.shrink * logits.var()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
    return lowest + logits.detach().exp()


def even_weights(distance: RobustDistance, differences: Tensor, targets: Tensor) -> Tensor:
    """Weights (C,), equal within a tap, by which every tap of the network alone gives the same mean; none for texture."""
    per_tap = []
    for tap, d in enumerate(differences.split([len(w) for w in distance.weights()], dim=1)):
        level = targets.mean() / distance.n_network_taps / d.sum(dim=1).mean() if tap < distance.n_network_taps else 0.0
        per_tap.append(torch.ones(d.shape[1]) * level)
    return torch.cat(per_tap)


def calibrate(
    distance: RobustDistance, reference: FeatureDistance, images: Tensor, config: CalibrationConfig, report: Report
) -> None:
    """Set the distance's weights, in place, so that it matches the reference on uint8 pictures (N, 3, H, W)."""
    differences, targets = _measure(distance, reference, images, config, report)
    lowest = config.floor * even_weights(distance, differences, targets)
    fitted = fit_weights(differences, targets, lowest, config).split([len(w) for w in distance.weights()])
    for weight, value in zip(distance.weights(), fitted, strict=True):
        weight.copy_(value)


@torch.no_grad()
def agreement(
    distance: FeatureDistance,
    reference: FeatureDistance,
    images: Tensor,
    config: CalibrationConfig,
    kinds: Mapping[str, Distortion] = HELD_OUT,
) -> dict[str, float]:
    """Spearman's rank correlation of two distances on distorted pictures: overall, per kind, and for mixtures.

    "relative_error" is the median of |distance / reference - 1|. Use pictures, and `kinds`, that no weight was fitted on.
    """
    ours: dict[str, list[Tensor]] = {}
    theirs: dict[str, list[Tensor]] = {}
    for name, x, y in distorted_pairs(images, kinds, config):
        ours.setdefault(name, []).append(distance(x, y))
        theirs.setdefault(name, []).append(reference(x, y))
    a = {name: torch.cat(values) for name, values in ours.items()}
    b = {name: torch.cat(values) for name, values in theirs.items()}
    all_a, all_b = torch.cat(list(a.values())), torch.cat(list(b.values()))
    result = {"overall": spearman(all_a, all_b)}
    result.update({name: spearman(a[name], b[name]) for name in sorted(a)})
    result["relative_error"] = (all_a / all_b.clamp_min(_FLOOR) - 1).abs().median().item()
    return result


def spearman(a: Tensor, b: Tensor) -> float:
    """Rank correlation of two vectors (N,)."""
    from scipy.stats import spearmanr

    return float(spearmanr(a.numpy(), b.numpy()).statistic)
