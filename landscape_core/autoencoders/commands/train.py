"""`train features-decoder` and `train features-mapping`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor

from landscape_core.autoencoders.experiments.descent import DescentSettings, losses_by_space, rates_by_space
from landscape_core.autoencoders.models import FOLDER, load_classifier
from landscape_core.autoencoders.networks import FeatureEncoder
from landscape_core.autoencoders.task import CODES, load_features_task
from landscape_core.autoencoders.training.decoder import DecoderConfig, train_decoder
from landscape_core.autoencoders.training.recipe import publish_decoder
from landscape_core.autoencoders.training.theta import RESIDUAL, Whiten, features_mapping_trainer, publish_features_mapping
from landscape_core.console import Stopping, apply_threads, command_line, hardware, only_main
from landscape_core.errors import UserError
from landscape_core.experiments.comparing import note_on_card, written
from landscape_core.features.cifar10 import CIFAR10_CLASSES, SIDE, load_cifar10
from landscape_core.images.datasets import ImageSource, load_images
from landscape_core.images.pixels import to_unit
from landscape_core.options import Assets, Buffers, Licence, Pictures, Seed, Threads, Work, checked_name
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.storage import zoo
from landscape_core.training.alternating import train_mapping

TUNED, COMPARED = 4, 16  # training pictures on which rates are chosen, and on which a new Θ is compared with X
COMPARISON = DescentSettings(steps=50, start="mean")
UNSEEN = 500  # pictures that a decoder is measured on


def cifar_pictures(path: Path) -> tuple[Tensor, Tensor]:
    """uint8 pictures (N, 3, 32, 32) of CIFAR-10's train, and of its test the first of every class, `UNSEEN` in all."""
    return load_cifar10(path, "train")[0], load_cifar10(path, "test", limit_per_class=UNSEEN // len(CIFAR10_CLASSES))[0]


def pictures_of(path: Path, side: int) -> tuple[Tensor, Tensor]:
    """uint8 pictures of train and of val below a folder or zip, at that side."""
    return load_images(ImageSource(path, "train", side)), load_images(ImageSource(path, "val", side), limit=UNSEEN)


def features_decoder(
    data: Pictures,
    encoder: Annotated[str, typer.Option(help="The frozen classifier: a model that `train perceptual` or `classifier` made.")],
    name: Annotated[str, typer.Option(help="Name of the model, below features/ of the assets.", callback=checked_name)],
    depth: Annotated[int, typer.Option(help="Stage of the classifier whose map is inverted, from 1.", min=1)] = 4,
    side: Annotated[int | None, typer.Option(help="Side of the pictures; absent, --data is CIFAR-10 (train/, test/).")] = None,
    images: Annotated[int, typer.Option(help="Budget: pictures seen.", min=1)] = DecoderConfig.images,
    batch: Annotated[int, typer.Option(help="Pictures per update.", min=2)] = DecoderConfig.batch,
    pixel: Annotated[float, typer.Option(help="Weight of the pixel loss; 0 switches it off.", min=0)] = DecoderConfig.pixel,
    feature: Annotated[float, typer.Option(help="Weight of the feature loss.", min=0)] = DecoderConfig.feature,
    adversarial: Annotated[float, typer.Option(help="Weight of the adversarial loss.", min=0)] = DecoderConfig.adversarial,
    noise: Annotated[float, typer.Option(help="Learn to denoise: largest deviation, pixels in [0, 1].", min=0, max=1)] = 0.0,
    skips: Annotated[bool, typer.Option("--skips", help="Also hand the earlier stages' maps to the decoder.")] = False,
    licence: Licence = "unknown",
    work: Work = Path("runs/features-decoder"),
    assets: Assets = zoo.ASSETS,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Train a mirror decoder for a frozen classifier's features. Ctrl-C stops and keeps; the same command goes on."""
    apply_threads(threads)
    if pixel == feature == 0:
        raise UserError("A decoder needs the pixel loss or the feature loss: without both nothing says which picture it is.")
    encoder_card, network, _ = load_classifier(encoder, assets)
    if depth > len(network.widths):
        raise UserError(f"{encoder} has the stages 1 to {len(network.widths)}; there is no {depth}.")
    if side is not None and side % 2**depth:
        raise UserError(f"The side of the pictures must be a multiple of {2**depth} for stage {depth}, not {side}.")
    seen, unseen = cifar_pictures(data) if side is None else pictures_of(data, side)
    config = DecoderConfig(
        images=images, batch=batch, pixel=pixel, feature=feature, adversarial=adversarial, noise=noise, skips=skips, seed=seed
    )
    folder = work / name
    with Stopping() as stop:
        trainer = train_decoder(FeatureEncoder(network, depth), seen, config, folder, stop.bar("pictures"))
    stop.leave_if_asked(f"everything so far is in {folder}.")
    only_main()
    card = publish_decoder(
        trainer, unseen, encoder_card, name=f"{FOLDER}/{name}", trained_on=f"{data.name} train at {side or SIDE}",
        licence=licence, command=command_line(), hardware=hardware("cpu"), assets=assets,
    )  # fmt: skip
    typer.echo(f"Wrote {card.name} below {assets}: {card.metrics}")


def features_mapping(
    data: Pictures,
    task: Annotated[str, typer.Option(help=f"A task on features, over pixels, or with {CODES} at its end over codes.")],
    whiten: Annotated[
        Whiten,
        typer.Option(
            help="What shapes the whitener that a Θ over codes begins with: the loss's curvature, or the codes' prior too."
        ),
    ] = "curvature",
    buffers: Buffers = None,
    work: Work = Path("runs/features-mapping"),
    assets: Assets = zoo.ASSETS,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Learn Θ for inverting features (Algorithm 1), on CIFAR-10's train. Ctrl-C stops and keeps all finished buffers."""
    apply_threads(threads)
    folder = work / task
    images = load_cifar10(data, "train", limit_per_class=1000)[0]
    trainer, config = features_mapping_trainer(task, images, folder, whiten=whiten, buffers=buffers, seed=seed, assets=assets)
    with Stopping() as stop:
        train_mapping(trainer, stop.bar("buffers"))
    stop.leave_if_asked(f"{trainer.progress.buffer} buffers are kept in {folder}.")
    only_main()
    card = publish_features_mapping(
        trainer, config, task, trained_on=f"{data.name} train, 1,000 pictures of a class", command=command_line(),
        whiten=whiten, assets=assets,
    )  # fmt: skip
    typer.echo(f"Wrote {card.name} below {assets}; Θ and X by Adam on training pictures are being compared.")
    tried = to_unit(images[torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))[: TUNED + COMPARED]])
    loaded = load_features_task(task, assets)
    rates = rates_by_space(loaded, tried[:TUNED], COMPARISON)
    losses = losses_by_space(loaded, rates, tried[TUNED:], COMPARISON)
    advised = OptimizerSettings(name="adam", lr=rates[RESIDUAL])
    zoo.add_metrics(card.name, {"advised": advised.model_dump(exclude_unset=True)}, assets)
    note_on_card(card.name, losses, command_line(), assets)
    typer.echo(written(losses))
