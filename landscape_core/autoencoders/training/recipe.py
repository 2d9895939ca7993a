"""What a decoder's training leaves behind: the file, with what was measured of it on pictures it never saw."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from landscape_core.autoencoders.anomaly import reconstruction_error
from landscape_core.autoencoders.metrics import quality
from landscape_core.autoencoders.models import ERRORS, KIND, reconstructed
from landscape_core.autoencoders.networks import Autoencoder
from landscape_core.autoencoders.training.decoder import DecoderTrainer
from landscape_core.features.lpips import load_lpips
from landscape_core.images.pixels import to_unit
from landscape_core.search.spaces import Prior
from landscape_core.storage import zoo

_CODES = 4000  # training pictures whose codes make the Gaussian
PERCENTILES = 101
AXES = 128  # principal axes of the codes that are kept


@torch.no_grad()
def codes_prior(model: Autoencoder, images: Tensor) -> Prior:
    """The Gaussian of the flattened codes of uint8 pictures (N, 3, S, S), with its longest axes alone."""
    some = to_unit(images[:: max(len(images) // _CODES, 1)][:_CODES])
    whole = Prior.of(torch.cat([model.encoder(part).flatten(1) for part in some.split(200)]))
    return Prior(whole.mean, whole.factor[:, :AXES].contiguous())


def measured(model: Autoencoder, images: Tensor) -> dict[str, Any]:
    """Means for the card on unseen uint8 pictures (N, 3, S, S), and percentiles of their errors, to place a picture among.

    Raises:
        UserError: LPIPS's packages or its embedded weights are missing.
    """
    pictures = to_unit(images)
    found = quality(reconstructed(model, pictures), pictures, load_lpips())
    means = {name: round(float(values.mean()), 4) for name, values in found.items()}
    errors = reconstruction_error(model, pictures).quantile(torch.linspace(0.0, 1.0, PERCENTILES))
    return {"pictures": len(pictures), **means, ERRORS: [float(f"{value:.4g}") for value in errors.tolist()]}


def publish_decoder(
    trainer: DecoderTrainer, unseen: Tensor, encoder: zoo.Card, *, name: str, trained_on: str, licence: str, command: str,
    hardware: str, assets: Path = zoo.ASSETS,
) -> zoo.Card:  # fmt: skip
    """Write a decoder and its card; the metrics are those of the rounded weights."""
    model = copy.deepcopy(trainer.model).half().float().eval()
    model.encoder = trainer.model.encoder
    config, side, depth = trainer.config, trainer.images.shape[-1], trainer.model.encoder.depth
    prior = codes_prior(model, trainer.images)
    card = zoo.Card(
        name=name,
        kind=f"{KIND}, features of {encoder.name} at stage {depth} -> picture",
        architecture={
            "encoder": encoder.name, "encoder_sha256": encoder.sha256, "depth": depth, "skips": config.skips,
            "side": side, "spread": trainer.model.spread,
        },
        trained_on=trained_on,
        licence=licence,
        command=command,
        budget=_budget(trainer, hardware),
        metrics={"unseen": measured(model, unseen)},
        sha256="",
        seed=config.seed,
        notes=f"Settings: {asdict(config)}. Trained for {encoder.name} {encoder.sha256[:12]}, which stays as it is.",
    )  # fmt: skip
    decoder = {f"decoder.{key}": value for key, value in model.decoder.state_dict().items()}
    return zoo.save(card, {**decoder, "codes.mean": prior.mean, "codes.factor": prior.factor}, assets)


def _budget(trainer: DecoderTrainer, hardware: str) -> Mapping[str, Any]:
    epochs, updates = round(trainer.seen / len(trainer.images), 2), math.ceil(trainer.seen / trainer.config.batch)
    spent = {"seconds": round(trainer.seconds), "updates": updates, "images": trainer.seen, "epochs": epochs}
    return {**spent, "hardware": hardware}
