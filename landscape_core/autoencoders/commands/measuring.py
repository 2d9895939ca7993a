"""What the tables' commands share: a result to fill, CIFAR-10's pictures, and decoders that are trained on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor

from landscape_core.autoencoders.domain import CIFAR10
from landscape_core.autoencoders.models import FOLDER, Inverter, load_inverter
from landscape_core.autoencoders.networks import Autoencoder, FeatureEncoder
from landscape_core.autoencoders.training.decoder import DecoderConfig, Learn, train_decoder
from landscape_core.console import Stopping, command_line
from landscape_core.experiments.results import Result
from landscape_core.features.cifar10 import Cifar10Test, load_cifar10
from landscape_core.images.pixels import to_unit

Number = Annotated[int, typer.Option("--targets", help="Test pictures.", min=2)]
Stages = Annotated[str, typer.Option(help="Stages of the networks whose decoders are compared, with commas between.")]
Budget = Annotated[int, typer.Option("--images", help="Budget of every decoder trained on the way: pictures seen.", min=1)]
TRAINED = "features of a CIFAR-10 classifier, where the paper inverts AlexNet, VGG and ResNet on ImageNet and CIFAR-10"


def pairs_of(stages: str) -> dict[str, tuple[Inverter, Inverter]]:
    """The robust and the standard autoencoder of every stage.

    Raises:
        UserError: one of them is not there.
    """
    asked = [stage.strip() for stage in stages.split(",")]
    return {
        f"stage {stage}": (load_inverter(f"{FOLDER}/robust-stage{stage}"), load_inverter(f"{FOLDER}/plain-stage{stage}"))
        for stage in asked
    }


def begun(name: str, n: int, seed: int, inverters: list[Inverter], **settings: Any) -> Result:
    """An empty result on n test pictures, with the models that it will be of."""
    hashes = {key: value for each in inverters for key, value in each.hashes.items()}
    threats = {each.name: each.threat for each in inverters}
    about = {"trained_against": threats, "features": TRAINED}
    return Result(name, command_line(), seed, hashes, {CIFAR10: n}, {**settings, **about})


def drawn(data: Path, n: int, seed: int) -> Tensor:
    """n pictures (n, 3, 32, 32) in [-1, 1] of CIFAR-10's test."""
    test = Cifar10Test(data / CIFAR10)
    return to_unit(test.pictures(test.draw(n, seed)))


def of_training(data: Path, n: int, seed: int) -> Tensor:
    """n training pictures (n, 3, 32, 32) in [-1, 1], to choose settings by."""
    images = load_cifar10(data / CIFAR10, "train", limit_per_class=max(n // 5, 1))[0]
    return to_unit(images[torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))[:n]])


def learner(stop: Stopping, work: Path) -> Learn:
    """Trains each decoder below a folder, or goes on with it; leaves the command where that was asked."""

    def learn(name: str, encoder: FeatureEncoder, images: Tensor, config: DecoderConfig) -> Autoencoder:
        trainer = train_decoder(encoder, images, config, work / name, stop.bar(name))
        stop.leave_if_asked(f"everything so far is in {work}.")
        return trainer.model

    return learn
