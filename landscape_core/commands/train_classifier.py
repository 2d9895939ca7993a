"""`train classifier`: the CIFAR-10 classifiers to be defended."""

from __future__ import annotations

import platform
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
import typer

from landscape_core import zoo
from landscape_core.commands.common import Bar, Seed, Threads, apply_threads
from landscape_core.commands.reproduce import command_line
from landscape_core.errors import UserError
from landscape_core.tensors import read_tensors
from landscape_core.training.classifier import load_cifar10, train_classifier
from landscape_core.training.classifier_recipe import CLASSIFIER_PRESETS, measured, publish_classifier


def classifier(
    cifar: Annotated[Path, typer.Option(help="CIFAR-10: a folder or zip with train/ and test/, a folder per class in each.")],
    preset: Annotated[str, typer.Option(help=f"One of: {', '.join(CLASSIFIER_PRESETS)}.")] = "ro",
    epochs: Annotated[int | None, typer.Option(help="Passes over the pictures; the preset's where absent.", min=1)] = None,
    name: Annotated[str | None, typer.Option(help="Name below the assets folder; defence/PRESET where absent.")] = None,
    licence: Annotated[str, typer.Option(help="Licence of the data, for the card.")] = "unknown",
    work: Annotated[Path, typer.Option(help="Folder for checkpoints.")] = Path("runs/classifier"),
    assets: Annotated[Path, typer.Option(help="Where the finished model and its card go.")] = zoo.ASSETS,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Train against attacks and measure on test. Ctrl-C stops and keeps; the same command goes on."""
    apply_threads(threads)
    if preset not in CLASSIFIER_PRESETS:
        raise UserError(f"There is no preset {preset!r}; there are: {', '.join(CLASSIFIER_PRESETS)}.")
    config = CLASSIFIER_PRESETS[preset]
    config = replace(config, epochs=epochs or config.epochs, seed=seed)
    folder = work / preset
    with Bar("training") as bar:
        network = train_classifier(*load_cifar10(cifar, "train"), config, folder, bar)
    if bar.stopped:
        typer.echo(f"Stopped; everything so far is in {folder}. Run the same command to go on.")
        return
    seconds = round(read_tensors(folder / "checkpoint.safetensors")[1]["seconds"])
    hardware = f"cpu, {platform.machine()}, {torch.get_num_threads()} thread(s)"
    card = publish_classifier(
        network, config, name=name or f"defence/{preset}", trained_on=f"{cifar.name} train", licence=licence,
        command=command_line(), budget={"seconds": seconds, "epochs": config.epochs, "hardware": hardware},
        metrics=measured(network, *load_cifar10(cifar, "test")), assets=assets,
    )  # fmt: skip
    typer.echo(f"Wrote {card.name} below {assets}: {card.metrics}")
