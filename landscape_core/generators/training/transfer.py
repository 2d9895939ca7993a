"""Beginning with a published domain's networks, so that few pictures of another domain are enough."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from landscape_core.generators.networks.image_model import ImageModel, PictureEncoder, image_model_from, picture_encoder_from
from landscape_core.generators.training.gan import GanConfig
from landscape_core.storage import zoo


@dataclass(frozen=True)
class Start:
    """A published domain's networks, with which another one begins."""

    name: str
    sha256: str
    licence: str
    model: ImageModel
    encoder: PictureEncoder
    architecture: dict[str, Any]

    @staticmethod
    def of(domain: str, assets: Path = zoo.ASSETS) -> Start:
        """Load `domain/generator` and `domain/encoder`.

        Raises:
            UserError: there is no such domain, or its files were altered.
        """
        card, tensors = zoo.load(f"{domain}/generator", assets)
        encoder_card, encoder_tensors = zoo.load(f"{domain}/encoder", assets)
        generator, latent = card.architecture["generator"], encoder_card.architecture["latent"]
        shape = {
            "style_dim": generator["style_dim"],
            "n_mapping": generator["n_mapping"],
            "channels": tuple(generator["channels"]),
            "critic_widths": tuple(latent["widths"]),
        }
        return Start(
            card.name, card.sha256, card.licence, image_model_from(tensors, card.architecture),
            picture_encoder_from(encoder_tensors, encoder_card.architecture), shape,
        )  # fmt: skip

    def adapt(self, config: GanConfig) -> GanConfig:
        """The settings with the widths of the networks training begins with."""
        return replace(config, **self.architecture)
