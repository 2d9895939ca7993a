"""From a folder of pictures to a generator and its encoder: autoencoder, StyleGAN2 in its latents, then both sharpened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from landscape_core.generators.networks.autoencoder import ImageEncoder
from landscape_core.generators.networks.image_model import ImageModel, PictureEncoder
from landscape_core.generators.networks.stylegan import without_mapping
from landscape_core.generators.training.autoencoder import AutoencoderConfig, train_autoencoder
from landscape_core.generators.training.gan import GanConfig, GanTrainer
from landscape_core.generators.training.quality import Draw, Judge, Monitor, embedded_features
from landscape_core.generators.training.sharpen import SharpenConfig, SharpenTrainer
from landscape_core.generators.training.transfer import Start
from landscape_core.images.pixels import to_unit
from landscape_core.progress import Report
from landscape_core.search.spaces import Prior
from landscape_core.storage import zoo
from landscape_core.training.loop import Trainer, train

ReportFor = Callable[[str], Report]


@dataclass(frozen=True)
class ImageRecipe:
    """The three stages' settings. `laptop` takes some two and a half hours on one CPU core; `accelerator` is wider and far
    longer; `transfer` goes on from a published domain with the few pictures of another."""

    autoencoder: AutoencoderConfig = field(default_factory=AutoencoderConfig)
    gan: GanConfig = field(default_factory=GanConfig)
    sharpen: SharpenConfig = field(default_factory=SharpenConfig)


RECIPES = {
    "laptop": ImageRecipe(AutoencoderConfig(images=152_000), GanConfig(images=760_000), SharpenConfig(images=140_000)),
    "accelerator": ImageRecipe(
        AutoencoderConfig(images=2_000_000, batch=128),
        GanConfig(images=10_000_000, batch=128, channels=(256, 256), critic_widths=(192, 256), n_mapping=8),
        SharpenConfig(images=3_000_000, batch=64, critic_width=64, critic_scale=2.0),
    ),
    "transfer": ImageRecipe(
        AutoencoderConfig(images=40_000, lr=3e-4),
        GanConfig(images=240_000, critic_first=9_600, instance_noise=0.15),
        SharpenConfig(images=92_000),
    ),
    "smoke": ImageRecipe(
        AutoencoderConfig(images=64, batch=16),
        GanConfig(images=64, batch=16, style_dim=32, channels=(16, 16), critic_widths=(16, 16), n_mapping=2),
        SharpenConfig(images=64, batch=16, critic_first=16, critic_width=4),
    ),
}


@dataclass(frozen=True)
class TrainedImages:
    """What the recipe ends with, and the seconds each stage took."""

    model: ImageModel
    encoder: PictureEncoder
    prior: Prior
    seconds: dict[str, float]
    metrics: dict[str, Any]


@torch.no_grad()
def encode_all(encoder: ImageEncoder, images: Tensor, *, batch: int = 256) -> Tensor:
    """uint8 (N, 3, 64, 64) -> latents (2N, C, 8, 8) of every picture and its mirror image."""
    device = next(encoder.parameters()).device
    both = (images, images.flip(3))
    return torch.cat([encoder(to_unit(part).to(device)).cpu() for side in both for part in side.split(batch)])


@dataclass(frozen=True)
class Watched:
    """Pictures of `val`, uint8 (N, 3, 64, 64), that the generator is compared with every `every` pictures it trains on."""

    val: Tensor
    every: int | None = None

    def monitor(self, drawing: Callable[[int], Draw], images: Tensor, total: int, folder: Path, device: str) -> Monitor:
        """Seldom enough by default to take 2-3 % of the time of any stage of `total` pictures."""
        judge = Judge.of(embedded_features(device), self.val, images)
        return Monitor(drawing, judge, folder, every=self.every or max(total // 40, min(total // 8, 60_000)))


def train_images(
    images: Tensor,
    recipe: ImageRecipe,
    out: Path,
    report_for: ReportFor,
    *,
    device: str = "cpu",
    start: Start | None = None,
    watched: Watched | None = None,
) -> TrainedImages | None:
    """The stages on uint8 pictures (N, 3, 64, 64); each resumes from its own checkpoint below `out`.

    `start` gives all networks but the critics their first weights; `watched` logs samples and their distance from
    `val` into `out/gan` and `out/sharpen`. None where a stage was stopped: what there is waits in its checkpoint.
    """
    first = train_autoencoder(
        images, recipe.autoencoder, out / "autoencoder", report_for("autoencoder"), device=device,
        start=None if start is None else (start.encoder.image, start.model.decoder),
    )  # fmt: skip
    if not first.finished:
        return None
    gan = GanTrainer(
        encode_all(first.encoder, images), recipe.gan, out / "gan", device=device,
        start=None if start is None else (start.model.generator, start.encoder.latent),
    )  # fmt: skip
    decoder = first.decoder

    def watch(trainer: Trainer, drawing: Callable[[int], Draw], folder: str) -> Monitor | None:
        return None if watched is None else watched.monitor(drawing, images, trainer.total, out / folder, device)

    if not train(gan, report_for("generator"), watch=watch(gan, lambda seed: gan.drawing(decoder, seed), "gan")):
        return None
    generator, latent_encoder = gan.finish()
    model, encoder = ImageModel(without_mapping(generator), decoder), PictureEncoder(first.encoder, latent_encoder)
    sharp = SharpenTrainer(images, model, encoder, recipe.sharpen, out / "sharpen", device=device)
    monitor = watch(sharp, sharp.drawing, "sharpen")
    if not train(sharp, report_for("sharpening"), watch=monitor):
        return None
    model, encoder, prior = sharp.finish()
    for net in (model, encoder):
        net.cpu().requires_grad_(False)
    seconds = {"autoencoder": first.seconds, "generator": gan.seconds, "sharpening": sharp.seconds}
    return TrainedImages(model, encoder, prior, seconds, {} if monitor is None else monitor.latest)


def publish(
    trained: TrainedImages, recipe: ImageRecipe, domain: str, *, trained_on: str, licence: str, command: str, hardware: str,
    start: Start | None = None, assets: Path = zoo.ASSETS,
) -> None:  # fmt: skip
    """Write `domain/generator` and `domain/encoder` with their cards; with `start`, these name what training began with."""
    gan = recipe.gan
    latent_channels = trained.encoder.latent.body.stem.weight.shape[1]
    generator = {
        "style_dim": gan.style_dim,
        "n_mapping": 0,
        "channels": gan.channels,
        "out_channels": latent_channels,
    }
    latent = {"in_channels": latent_channels, "widths": gan.critic_widths, "style_dim": gan.style_dim}
    budget = {
        "seconds": {stage: round(value) for stage, value in trained.seconds.items()},
        "images": {
            "autoencoder": recipe.autoencoder.images,
            "generator": gan.images,
            "sharpening": recipe.sharpen.images,
        },
        "hardware": hardware,
    }
    origin = "" if start is None else f" Began with the weights of {start.name} {start.sha256[:12]}."
    shared = {
        "trained_on": trained_on,
        "licence": licence if start is None else f"{licence}; of the weights it began with: {start.licence}",
        "command": command,
        "budget": budget,
        "sha256": "",
        "seed": gan.seed,
    }
    zoo.save(
        zoo.Card(
            name=f"{domain}/generator",
            kind="StyleGAN2 in the latents of an autoencoder, F: w (512) -> picture 64x64",
            architecture={"generator": generator, "decoder": {}},
            metrics=trained.metrics,
            notes=f"Settings: {asdict(recipe)}. Draw pictures from `prior`, the Gaussian of the encoder's codes.{origin}",
            **shared,
        ),
        {
            **{f"model.{key}": value for key, value in trained.model.state_dict().items()},
            "prior.mean": trained.prior.mean,
            "prior.factor": trained.prior.factor,
        },
        assets,
    )
    zoo.save(
        zoo.Card(
            name=f"{domain}/encoder",
            kind="feed-forward encoder, picture 64x64 -> w (512)",
            architecture={"image": {}, "latent": latent},
            metrics={},
            notes=f"Trained together with the generator on real and generated pictures.{origin}",
            **shared,
        ),
        trained.encoder.state_dict(),
        assets,
    )
