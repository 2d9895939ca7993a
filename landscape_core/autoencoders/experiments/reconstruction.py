"""Robust against standard features, inverted in one pass: at the decoders' own side, at larger ones, and under noise."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import torch
from skimage.restoration import denoise_tv_chambolle
from torch import Tensor

from landscape_core.autoencoders.experiments.quality_claims import quality_claims, record
from landscape_core.autoencoders.metrics import quality
from landscape_core.autoencoders.models import Inverter, reconstructed
from landscape_core.autoencoders.networks import Autoencoder
from landscape_core.autoencoders.showcase import Lpips, noisy
from landscape_core.experiments.results import Claim, Result
from landscape_core.progress import Tick
from landscape_core.search.judges import psnr

AIM_MS = 15.0  # a picture of 64 pixels on one core
TIMED = 64
PAPER = "significantly better (AlexNet, VGG and ResNet; ImageNet and CIFAR-10)"
TV_WEIGHTS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
Pairs = Mapping[str, tuple[Inverter, Inverter]]  # what they share, e.g. "stage 4" -> robust, standard


def run_table(pairs: Pairs, pictures: Tensor, lpips: Lpips, result: Result, tick: Tick) -> Result:
    """`features-table`: the robust network's decoder against its twin's, by the stage that both invert."""
    for done, (shared, pair) in enumerate(pairs.items(), 1):
        ours, theirs = (quality(reconstructed(each.model, pictures), pictures, lpips) for each in pair)
        record(result, f"robust, {shared}", ours)
        record(result, f"standard, {shared}", theirs)
        result.claims += quality_claims(f"{shared}: robust against standard", ours, theirs, PAPER)
        spent = timed(pair[0])
        result.claims.append(
            Claim(f"{shared}: milliseconds of one core for a picture of {TIMED} pixels", None, spent, AIM_MS, "lower")
        )
        tick("reconstructing", done, len(pairs))
    return result


@torch.no_grad()
def timed(inverter: Inverter, *, side: int = TIMED, repeats: int = 30) -> float:
    """The median milliseconds of process time of one pass, encoder and decoder, on one picture: what other work on the machine
    takes is not counted."""
    picture, spent = torch.zeros(1, 3, side, side), []
    for _ in range(repeats):
        began = time.process_time()
        inverter.model(picture)
        spent.append(1000.0 * (time.process_time() - began))
    return sorted(spent)[repeats // 2]


def run_resolution(pairs: Pairs, sets: Mapping[int, Tensor], lpips: Lpips, result: Result, tick: Tick) -> Result:
    """`features-resolution`: the same decoders on pictures of other sides than they were trained on, by side in pixels."""
    for done, (side, pictures) in enumerate(sets.items(), 1):
        for shared, pair in pairs.items():
            ours, theirs = (quality(reconstructed(each.model, pictures, batch=10), pictures, lpips) for each in pair)
            record(result, f"robust, {shared}, {side} px", ours)
            record(result, f"standard, {shared}, {side} px", theirs)
            about = f"{shared}, {side} px: robust against standard"
            result.claims += quality_claims(about, ours, theirs, "robust generalises")
        tick("sides", done, len(sets))
    return result


def run_denoise(
    models: Mapping[str, tuple[Autoencoder, Autoencoder]], pictures: Tensor, train: Tensor, deviations: Sequence[float],
    lpips: Lpips, result: Result, tick: Tick,
) -> Result:  # fmt: skip
    """`features-denoise`: pictures under Gaussian noise, given back by decoders, and by total variation, whose weight is chosen
    on training pictures by PSNR. `deviations` are of pixels in [0, 1]; `models` are pairs, the robust one first."""
    weights = {}
    for done, deviation in enumerate(deviations, 1):
        weights[f"{deviation:g}"] = weight = _best_weight(train, deviation, result.seed)
        under, label = noisy(pictures, deviation, result.seed + 1), f"noise {255 * deviation:.0f}/255"
        tv = quality(total_variation(under, weight), pictures, lpips)
        record(result, f"the noisy picture, {label}", quality(under, pictures, lpips))
        record(result, f"total variation, {label}", tv)
        for shared, pair in models.items():
            ours, theirs = (quality(reconstructed(each, under), pictures, lpips) for each in pair)
            record(result, f"robust, {shared}, {label}", ours)
            record(result, f"standard, {shared}, {label}", theirs)
            about = f"{shared}, {label}: robust against"
            result.claims += quality_claims(f"{about} standard", ours, theirs, "improved over standard autoencoders")
            result.claims += quality_claims(f"{about} total variation", ours, tv, None)
        tick("levels of noise", done, len(deviations))
    result.settings = {**result.settings, "tv_weights_chosen": weights}
    return result


def total_variation(pictures: Tensor, weight: float) -> Tensor:
    """Chambolle's denoising of pictures (B, 3, H, W) in [-1, 1], by scikit-image; `weight` is for pixels in [0, 1]."""
    found = [denoise_tv_chambolle(each.numpy() / 2 + 0.5, weight=weight, channel_axis=0) for each in pictures]
    return torch.stack([torch.from_numpy(each) for each in found]).float() * 2 - 1


def _best_weight(train: Tensor, deviation: float, seed: int) -> float:
    under = noisy(train, deviation, seed)
    score: Callable[[float], float] = lambda weight: float(psnr(total_variation(under, weight), train).mean())  # noqa: E731
    return max(TV_WEIGHTS, key=score)
