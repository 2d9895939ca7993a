"""The classifiers to be defended (section 4.3): presets, what is measured of them, and their files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from landscape_core.features.classifier import Classifier
from landscape_core.features.training.classifier import ClassifierConfig, Threat, accuracy
from landscape_core.storage import zoo

_WIDTHS = (64, 96, 160, 256)  # the widest that a laptop core trains against attacks in about a quarter of an hour
_RO = ClassifierConfig(threat=Threat("linf", 8 / 255, steps=2, step_size=0.75), widths=_WIDTHS, epochs=12, holdout=1000)
# One of a row of robustness levels, whose features are inverted: narrow and short, one step of attack (Wong et al. 2020).
_LEVEL = ClassifierConfig(threat=Threat("linf", 4 / 255, steps=1, step_size=1.25), widths=(24, 36, 54, 84), epochs=2)
CLASSIFIER_PRESETS: Mapping[str, ClassifierConfig] = {
    "ro": _RO,
    "mart": replace(_RO, loss="mart", epochs=9),  # its updates see the clean pictures too
    "level": _LEVEL,
    "smoke": replace(_RO, widths=(8, 12, 16), epochs=1, batch=10, holdout=4, bf16=False),
}
# Steps are parts of the radius: 1/4 of 8/255 is 2/255, 1/4 of 256/255 the paper's 64/255.
LINF = Threat("linf", 8 / 255, steps=50, step_size=0.25)
L2 = Threat("l2", 256 / 255, steps=50, step_size=0.25)


_TRAINED = {False: "adversarially trained", True: "plainly trained"}


def described(threat: Threat) -> str:
    """A threat in words, the norm first: "L∞ 4/255", "L2 0.5", "none"."""
    if threat.eps == 0 or threat.steps == 0:
        return "none"
    return f"L∞ {255 * threat.eps:g}/255" if threat.norm == "linf" else f"L2 {threat.eps:g}"


def measured(model: nn.Module, images: Tensor, labels: Tensor) -> dict[str, Any]:
    """Metrics for the card on unseen uint8 pictures (N, 3, 32, 32): all of them clean, every tenth attacked."""
    every_tenth = slice(None, None, 10)
    attacked = {
        name: accuracy(model, images[every_tenth], labels[every_tenth], threat) for name, threat in (("linf", LINF), ("l2", L2))
    }
    return {
        "clean_accuracy": accuracy(model, images, labels),
        "robust_accuracy_linf": attacked["linf"],
        "robust_accuracy_l2": attacked["l2"],
        "robust_accuracy_attack": "PGD-50, L-infinity 8/255 and L2 256/255, on every tenth test picture",
    }


def publish_classifier(
    model: Classifier,
    config: ClassifierConfig,
    *,
    name: str,
    trained_on: str,
    licence: str,
    command: str,
    budget: Mapping[str, Any],
    metrics: Mapping[str, Any],
    assets: Path = zoo.ASSETS,
) -> zoo.Card:
    """Write the network with its normalisations folded into its convolutions, and its card."""
    against = described(config.threat)
    card = zoo.Card(
        name=name,
        kind=f"{_TRAINED[against == 'none']} classifier, picture 32x32 -> 10 logits",
        architecture={**config.architecture(), "threat": against},
        trained_on=trained_on,
        licence=licence,
        command=command,
        budget=dict(budget),
        metrics=dict(metrics),
        sha256="",
        seed=config.seed,
        notes=f"Settings: {asdict(config)}.",
    )
    return zoo.save(card, model.fold().state_dict(), assets)
