"""What each of the decoder's losses is for: decoders of equal budget, trained with some of them switched off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from landscape_core.autoencoders.experiments.quality_claims import quality_claims, record
from landscape_core.autoencoders.metrics import quality
from landscape_core.autoencoders.models import reconstructed
from landscape_core.autoencoders.networks import FeatureEncoder
from landscape_core.autoencoders.showcase import Lpips
from landscape_core.autoencoders.training.decoder import DecoderConfig, Learn
from landscape_core.experiments.results import Result
from landscape_core.progress import Tick

ALL = "all three losses"
KEPT: Mapping[str, tuple[str, ...]] = {
    "pixel loss alone": ("pixel",),
    "feature loss alone": ("feature",),
    "pixel and feature loss": ("pixel", "feature"),
    ALL: ("pixel", "feature", "adversarial"),
}


def run_ablation(
    encoder: FeatureEncoder, images: Tensor, pictures: Tensor, lpips: Lpips, config: DecoderConfig, learn: Learn,
    result: Result, tick: Tick,
) -> Result:  # fmt: skip
    """`features-ablation`: decoders learn uint8 `images` (N, 3, S, S) and are measured on `pictures` (n, 3, S, S)."""
    found = {}
    for done, (label, kept) in enumerate(KEPT.items(), 1):
        model = learn(label.replace(" ", "-"), encoder, images, only(config, kept))
        found[label] = quality(reconstructed(model, pictures), pictures, lpips)
        record(result, label, found[label])
        tick("losses", done, len(KEPT))
    for label in KEPT:
        if label != ALL:
            result.claims += quality_claims(f"{ALL} against {label}", found[ALL], found[label], None)
    return result


def only(config: DecoderConfig, kept: tuple[str, ...]) -> DecoderConfig:
    """The settings with all losses but the kept ones switched off."""
    pixel, feature, adversarial = (
        weight if name in kept else 0.0
        for name, weight in (("pixel", config.pixel), ("feature", config.feature), ("adversarial", config.adversarial))
    )
    return replace(config, pixel=pixel, feature=feature, adversarial=adversarial)
