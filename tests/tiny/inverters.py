"""Autoencoders on tiny random classifiers, as files below a folder of assets, in the form that training writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import torch
from torch import Tensor

from landscape_core.autoencoders.models import load_classifier
from landscape_core.autoencoders.networks import FeatureEncoder
from landscape_core.autoencoders.training import recipe
from landscape_core.autoencoders.training.decoder import DecoderConfig, train_decoder
from landscape_core.features.classifier import Network, classifier_of
from landscape_core.features.training.classifier_recipe import CLASSIFIER_PRESETS, publish_classifier
from landscape_core.progress import silent
from landscape_core.storage import zoo
from tests.tiny.defended import picture_bytes
from tests.tiny.lpips import MeanDistance, StandIn

WIDTHS = (8, 12, 16)
CONFIG = DecoderConfig(images=48, batch=8, lr=0.01, bf16=False)


class Distance(StandIn):
    """LPIPS's interface on random maps."""

    def features(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.maps(image))

    def distance(self, a: tuple[Tensor, ...], b: tuple[Tensor, ...], mask: Tensor | None = None) -> Tensor:
        pairs = zip(a, b, strict=True)
        return torch.stack([(x - y).square().mean(dim=(1, 2, 3)) for x, y in pairs]).sum(dim=0)


def publish_inverters(folder: Path) -> Path:
    """Two stages of one network, and what they call the standard one, below a folder of assets."""
    for name, depth in (("robust-stage3", 3), ("robust-stage2", 2), ("plain-stage3", 3)):
        config = replace(CONFIG, seed=len(name), images=160)
        publish_inverter(folder / "a", folder / name, f"features/{name}", depth=depth, config=config)
    return folder / "a"


def publish_encoder(assets: Path, name: str = "features/encoder", network: Network = "resnet") -> zoo.Card:
    """A random classifier with its card."""
    config = replace(CLASSIFIER_PRESETS["smoke"], widths=WIDTHS, network=network)
    return publish_classifier(
        classifier_of(config.architecture()), config, name=name, trained_on="nothing", licence="CC0", command="none", budget={},
        metrics={}, assets=assets,
    )  # fmt: skip


def publish_inverter(
    assets: Path, folder: Path, name: str = "features/robust-stage3", *, depth: int = 3, images: Tensor | None = None,
    config: DecoderConfig = CONFIG,
) -> zoo.Card:  # fmt: skip
    """A decoder trained for a moment, below `assets`, with its encoder."""
    if not (assets / "features" / "encoder").exists():
        publish_encoder(assets)
    card, network, _ = load_classifier("features/encoder", assets)
    pictures = picture_bytes(24) if images is None else images
    trainer = train_decoder(FeatureEncoder(network, depth), pictures, config, folder, silent)
    with patch.object(recipe, "load_lpips", MeanDistance):
        return recipe.publish_decoder(
            trainer, picture_bytes(4, 9), card, name=name, trained_on="nothing", licence="CC0", command="none", hardware="none",
            assets=assets,
        )  # fmt: skip
