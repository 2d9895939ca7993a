"""Beginning with a published domain's networks: to go on with them, or so that few pictures of another domain are enough."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from landscape_core import processes
from landscape_core.generators.networks.autoencoder import ImageEncoder
from landscape_core.generators.networks.image_model import ImageModel, PictureEncoder, image_model_from, picture_encoder_from
from landscape_core.generators.training.architecture import Architecture
from landscape_core.images.pixels import to_unit
from landscape_core.storage import zoo


@dataclass(frozen=True)
class Start:
    """A published domain's networks, with which a training begins."""

    name: str
    sha256: str
    licence: str
    model: ImageModel
    encoder: PictureEncoder
    architecture: Architecture

    @staticmethod
    def of(domain: str, assets: Path = zoo.ASSETS) -> Start:
        """Load `domain/generator` and `domain/encoder`.

        Raises:
            UserError: there is no such domain, or its files were altered.
        """
        card, tensors = zoo.load(f"{domain}/generator", assets)
        encoder_card, encoder_tensors = zoo.load(f"{domain}/encoder", assets)
        return Start(
            card.name, card.sha256, card.licence, image_model_from(tensors, card.architecture),
            picture_encoder_from(encoder_tensors, encoder_card.architecture),
            Architecture.from_cards(card.architecture, encoder_card.architecture),
        )  # fmt: skip


@torch.no_grad()
def measure_norm(encoder: ImageEncoder, images: Tensor, *, batch: int = 128, most: int = 5_000) -> None:
    """Measure anew, on uint8 pictures (N, 3, R, R), what gives each channel of the latents mean 0 and variance 1."""
    device = next(encoder.parameters()).device
    encoder.norm.reset_running_stats()
    momentum, encoder.norm.momentum = encoder.norm.momentum, None  # every batch counts alike
    encoder.train()
    picked = images[torch.linspace(0, len(images) - 1, min(most, len(images))).long()]
    for part in picked.split(batch):
        encoder(to_unit(processes.share(part).to(device)))
    encoder.norm.momentum = momentum
    encoder.eval()
