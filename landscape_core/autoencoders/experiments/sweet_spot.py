"""The sweet spot of robustness: how well features are inverted of networks trained against ever larger attacks.

Every network has the same architecture and budget and differs in the radius alone; so has every decoder. The best level is
chosen on training pictures, and what is claimed of it is measured on others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.autoencoders.experiments.quality_claims import UNITS, quality_claims, record
from landscape_core.autoencoders.metrics import quality
from landscape_core.autoencoders.models import reconstructed
from landscape_core.autoencoders.networks import FeatureEncoder
from landscape_core.autoencoders.showcase import Lpips
from landscape_core.autoencoders.training.decoder import DecoderConfig, Learn
from landscape_core.experiments.results import Result
from landscape_core.features.classifier import Classifier
from landscape_core.features.training.classifier import ClassifierConfig, accuracy
from landscape_core.images.pixels import to_unit
from landscape_core.progress import Tick

PAPER = "first improves, then declines"
CHOOSING = 200  # training pictures
Classify = Callable[[str, ClassifierConfig], Classifier]  # trains a classifier of a name, or goes on with it
Labelled = tuple[Tensor, Tensor]  # uint8 pictures (N, 3, 32, 32) and labels (N,)


@dataclass(frozen=True)
class Level:
    """Networks trained against L∞ attacks of `eps` / 255, 0 for none, and the stage whose features are inverted."""

    classifier: ClassifierConfig
    decoder: DecoderConfig
    depth: int

    def against(self, eps: float) -> ClassifierConfig:
        """The classifier's settings at that radius."""
        return replace(self.classifier, threat=replace(self.classifier.threat, norm="linf", eps=eps / 255))


def run_sweet_spot(
    levels: Sequence[float], settings: Level, images: Tensor, test: Labelled, lpips: Lpips, classify: Classify, learn: Learn,
    result: Result, tick: Tick,
) -> Result:  # fmt: skip
    """`features-sweet-spot`: `images` are uint8 training pictures (N, 3, 32, 32); every level is measured on `test`."""
    pictures, choosing, found, scores = to_unit(test[0]), to_unit(images[:: max(len(images) // CHOOSING, 1)]), {}, {}
    for done, eps in enumerate(levels, 1):
        network = classify(f"classifier-{eps:g}", settings.against(eps))
        result.series[f"clean accuracy | {_named(eps)}"] = [accuracy(network, *test)]
        encoder = FeatureEncoder(network.fold(), settings.depth)
        model = learn(f"decoder-{eps:g}", encoder, images, settings.decoder)
        scores[eps] = float(quality(reconstructed(model, choosing), choosing, lpips)["psnr"].mean())
        found[eps] = quality(reconstructed(model, pictures), pictures, lpips)
        record(result, _named(eps), found[eps])
        tick("levels", done, len(levels))
    best = max(scores, key=lambda eps: scores[eps])
    result.settings = {**result.settings, "psnr_on_training_pictures": {_named(eps): score for eps, score in scores.items()}}
    for eps in (levels[0], levels[-1]):
        if eps != best:
            about = f"{_named(best)}, the best on training pictures{_at_an_end(best, levels)}, against {_named(eps)}"
            result.claims += quality_claims(about, found[best], found[eps], PAPER)
    return result


def _at_an_end(best: float, levels: Sequence[float]) -> str:
    """What a claim says of a best level that has others on one side only; of two levels nothing could rise and fall."""
    if len(levels) == 2 or best not in (levels[0], levels[-1]):
        return ""
    return " and the last of the row" if best == levels[-1] else " and the first of the row"


def _named(eps: float) -> str:
    return f"L∞ {eps:g}/255"


def curves(result: Result, levels: Sequence[float], path: Path) -> None:
    """Each measure's mean over the levels."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.4 * len(UNITS), 3.0), layout="constrained")
    for axis, (name, words) in zip(figure.subplots(1, len(UNITS)), UNITS.items(), strict=True):
        values = [torch.tensor(result.series[f"{name} | {_named(eps)}"]) for eps in levels]
        errors = [1.96 * float(each.std()) / len(each) ** 0.5 for each in values]
        axis.errorbar(range(len(levels)), [float(each.mean()) for each in values], errors, marker="o", capsize=3)
        axis.set_xticks(range(len(levels)), [f"{eps:g}" for eps in levels])
        axis.set_xlabel("L∞ radius in 255ths")
        axis.set_title(words, fontsize=10)
    figure.savefig(path, dpi=110)
