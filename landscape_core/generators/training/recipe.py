"""From a folder of pictures to a generator and its encoder: autoencoder, StyleGAN2 in its latents, then both sharpened."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.generators.networks.autoencoder import ImageDecoder, ImageEncoder
from landscape_core.generators.networks.image_model import ImageModel, PictureEncoder
from landscape_core.generators.networks.stylegan import StyleGAN2
from landscape_core.generators.training.architecture import Architecture
from landscape_core.generators.training.autoencoder import AutoencoderConfig, AutoencoderTrainer
from landscape_core.generators.training.gan import GanConfig, GanTrainer
from landscape_core.generators.training.quality import Draw, Judge, Monitor, embedded_features
from landscape_core.generators.training.sharpen import SharpenConfig, SharpenTrainer
from landscape_core.generators.training.stage import Stage
from landscape_core.generators.training.transfer import Start, measure_norm
from landscape_core.images.pixels import to_unit
from landscape_core.progress import Report
from landscape_core.search.spaces import Prior
from landscape_core.training.identity import described
from landscape_core.training.loop import train

ReportFor = Callable[[str], Report]


@dataclass(frozen=True)
class ImageRecipe:
    """The networks and the three stages' settings.

    `laptop` takes some two and a half hours on one CPU core; `accelerator`, at 128 pixels, eight minutes of an H200; `transfer`
    goes on from a published domain with the few pictures of another; `smoke` shows in seconds that everything runs.
    """

    architecture: Architecture = field(default_factory=Architecture)
    autoencoder: AutoencoderConfig = field(default_factory=AutoencoderConfig)
    gan: GanConfig = field(default_factory=GanConfig)
    sharpen: SharpenConfig = field(default_factory=SharpenConfig)

    @property
    def side(self) -> int:
        """Of the pictures it is for, in pixels."""
        return self.architecture.side

    def seeded(self, seed: int) -> ImageRecipe:
        """Every stage with that seed."""
        return ImageRecipe(
            self.architecture,
            replace(self.autoencoder, seed=seed),
            replace(self.gan, seed=seed),
            replace(self.sharpen, seed=seed),
        )

    def within(self, seconds: float, *, last_stage: bool = False) -> ImageRecipe:
        """The stages with this budget of time in place of theirs, shared out as SHARES says; or the last one with all of it."""
        first, second, last = (0.0, 0.0, 1.0) if last_stage else SHARES
        return ImageRecipe(
            self.architecture,
            replace(self.autoencoder, images=None, seconds=seconds * first),
            replace(self.gan, images=None, seconds=seconds * second),
            replace(self.sharpen, images=None, seconds=seconds * last),
        )


SHARES = (0.1, 0.1, 0.8)  # of the time, by stage

RECIPES = {
    "laptop": ImageRecipe(
        Architecture(), AutoencoderConfig(images=152_000), GanConfig(images=760_000), SharpenConfig(images=140_000)
    ),
    "accelerator": ImageRecipe(
        Architecture(channels=(256, 256, 128), image_widths=(32, 48, 80), encoder_widths=(96, 128, 192)),
        AutoencoderConfig(images=None, seconds=45, batch=64, lr=1.5e-3, warmup=100),
        GanConfig(images=None, seconds=50, batch=128, lr=2.5e-3),
        SharpenConfig(
            images=None, seconds=385, batch=64, lr=5e-4, style_lr=2e-3, critic_width=64, squeeze_scale=1.0, efficientnet=True,
            refresh_codes=40_000,
        ),
    ),
    "transfer": ImageRecipe(
        Architecture(),
        AutoencoderConfig(images=40_000, lr=3e-4),
        GanConfig(images=240_000, critic_first=9_600, instance_noise=0.15),
        SharpenConfig(images=92_000),
    ),
    "smoke": ImageRecipe(
        Architecture(style_dim=32, channels=(16, 16), latent_channels=4, image_widths=(8, 8, 16), encoder_widths=(16, 16)),
        AutoencoderConfig(images=64, batch=16),
        GanConfig(images=64, batch=16),
        SharpenConfig(images=64, batch=16, critic_first=16, critic_width=4),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class TrainedImages:
    """What the recipe ends with, the seconds each stage took and the pictures it saw."""

    model: ImageModel
    encoder: PictureEncoder
    prior: Prior
    seconds: dict[str, float]
    images: dict[str, int]
    metrics: dict[str, Any]


@torch.no_grad()
def encode_all(encoder: ImageEncoder, images: Tensor, *, batch: int = 256) -> Tensor:
    """uint8 (N, 3, R, R) -> latents (2N, C, R/8, R/8) of every picture and its mirror image, on the encoder's device."""
    device = next(encoder.parameters()).device
    both = (images, images.flip(3))
    return torch.cat([encoder(to_unit(part.to(device))) for side in both for part in side.split(batch)])


@dataclass(frozen=True)
class Training:
    """One training of a recipe's stages on uint8 pictures (N, 3, R, R); each resumes from its own checkpoint below `out`.

    `report_for` gives each stage its report. `start` gives all networks but the critics their first weights. Sheets of samples
    appear in `out/gan` and `out/sharpen`, `looks` of them a stage, and with pictures of `val` their distance from those.
    """

    images: Tensor
    recipe: ImageRecipe
    out: Path
    report_for: ReportFor
    domain: str = "unnamed"
    device: str = "cpu"
    start: Start | None = None
    val: Tensor | None = None
    looks: int = 8

    def run(self) -> TrainedImages | None:
        """All stages; None where one was stopped: what there is waits in its checkpoint.

        Raises:
            UserError: a checkpoint in `out` belongs to another training, or there are more processes than can share a batch.
        """
        recipe, start, facts = self.recipe, self.start, self._facts()
        AutoencoderTrainer.check_shares(recipe.autoencoder)
        GanTrainer.check_shares(recipe.gan)
        SharpenTrainer.check_shares(recipe.sharpen)
        networks = recipe.architecture.autoencoder(recipe.autoencoder.seed)
        if start is not None:
            decoder = start.model.decoder
            assert isinstance(decoder, ImageDecoder)  # a published generator is embedded by none, and so cannot be begun with
            networks = copy.deepcopy(start.encoder.image), copy.deepcopy(decoder)
        first = AutoencoderTrainer(
            self.images, networks, recipe.autoencoder, self.out / "autoencoder", device=self.device, identity=facts
        )
        if not train(first, self.report_for("autoencoder"), shared=True):
            return None
        encoder, decoder = first.finish()
        gan = self._gan(encoder, {**facts, "autoencoder": recipe.autoencoder})
        monitor = self._monitor(lambda seed: gan.drawing(decoder, seed), "gan")
        if not train(gan, self.report_for("generator"), watch=monitor, shared=True):
            return None
        generator, latent_encoder = gan.finish()
        model, whole = ImageModel(generator, decoder), PictureEncoder(encoder, latent_encoder)
        facts |= {"autoencoder": recipe.autoencoder, "gan": recipe.gan}
        return self._sharpen(model, whole, facts, {"autoencoder": first, "generator": gan})

    def run_last(self) -> TrainedImages | None:
        """The last stage alone, from the networks of `start`; for another domain's pictures their latents are scaled anew.

        Raises:
            UserError: there is no `start`, or a checkpoint in `out` belongs to another training.
        """
        start = self.start
        if start is None:
            raise UserError("The last stage alone goes on from a published domain: name it with --from, e.g. --from faces.")
        encoder = copy.deepcopy(start.encoder)
        if start.name != f"{self.domain}/generator":
            measure_norm(encoder.image, self.images)
        return self._sharpen(start.model, encoder, self._facts(), {})

    def _facts(self) -> dict[str, Any]:
        """What tells this training from others, in every stage."""
        start = None if self.start is None else self.start.sha256
        return dict(
            described({"domain": self.domain, "data": self.images, "architecture": self.recipe.architecture, "start": start})
        )

    def _gan(self, encoder: ImageEncoder, facts: dict[str, Any]) -> GanTrainer:
        architecture, config, start = self.recipe.architecture, self.recipe.gan, self.start
        generator, latent = architecture.generator(config.seed)
        if start is not None:
            assert isinstance(start.model.generator, StyleGAN2)  # only such are trained here
            generator, latent = copy.deepcopy(start.model.generator), copy.deepcopy(start.encoder.latent)
        return GanTrainer(
            encode_all(encoder, self.images), (generator, latent, architecture.critic(config.seed)), config, self.out / "gan",
            device=self.device, identity=facts,
        )  # fmt: skip

    def _monitor(self, drawing: Callable[[int], Draw], folder: str) -> Monitor:
        judge = None if self.val is None else Judge.of(embedded_features(self.device), self.val, self.images)
        return Monitor(drawing, self.out / folder, looks=self.looks, judge=judge)

    def _sharpen(
        self, model: ImageModel, encoder: PictureEncoder, facts: dict[str, Any], before: dict[str, Stage]
    ) -> TrainedImages | None:
        sharp = SharpenTrainer(
            self.images, model, encoder, self.recipe.sharpen, self.out / "sharpen", device=self.device, identity=facts
        )
        monitor = self._monitor(sharp.drawing, "sharpen")
        if not train(sharp, self.report_for("sharpening"), watch=monitor, shared=True):
            return None
        model, encoder, prior = sharp.finish()
        for net in (model, encoder):
            net.cpu().requires_grad_(False)
        stages: dict[str, Stage] = {**before, "sharpening": sharp}
        return TrainedImages(
            model, encoder, prior, {name: stage.seconds for name, stage in stages.items()},
            {name: stage.seen for name, stage in stages.items()}, monitor.latest,
        )  # fmt: skip
