"""`train classifier` and `train perceptual`."""

from __future__ import annotations

import platform
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
import typer

from landscape_core.console import Stopping, apply_threads, command_line, hardware
from landscape_core.errors import UserError
from landscape_core.features.cifar10 import load_cifar10
from landscape_core.features.classifier import Network
from landscape_core.features.perceptual import CALIBRATED_SIDE
from landscape_core.features.training.calibration import CalibrationConfig
from landscape_core.features.training.classifier import ClassifierConfig, train_classifier
from landscape_core.features.training.classifier_recipe import CLASSIFIER_PRESETS, measured, publish_classifier
from landscape_core.features.training.perceptual_recipe import calibrated_distance, judge, publish
from landscape_core.images.datasets import ImageSource, load_images
from landscape_core.options import Assets, Cifar, Licence, Seed, Threads, Work, checked_name, parse_box
from landscape_core.storage import zoo
from landscape_core.storage.tensors import read_tensors
from landscape_core.training.checkpoint import NAME


def classifier(
    cifar: Cifar,
    preset: Annotated[str, typer.Option(help=f"One of: {', '.join(CLASSIFIER_PRESETS)}.")] = "ro",
    epochs: Annotated[int | None, typer.Option(help="Passes over the pictures; the preset's where absent.", min=1)] = None,
    eps: Annotated[
        float | None,
        typer.Option(help="Radius of the attack in 255ths; the preset's where absent, 0 for none.", min=0, max=255),
    ] = None,
    network: Annotated[Network, typer.Option(help="Kind of network.")] = "resnet",
    name: Annotated[
        str | None, typer.Option(help="Name below the assets folder; defence/PRESET where absent.", callback=checked_name)
    ] = None,
    licence: Licence = "unknown",
    work: Work = Path("runs/classifier"),
    assets: Assets = zoo.ASSETS,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Train against attacks and measure on test. Ctrl-C stops and keeps; the same command goes on."""
    apply_threads(threads)
    if preset not in CLASSIFIER_PRESETS:
        raise UserError(f"There is no preset {preset!r}; there are: {', '.join(CLASSIFIER_PRESETS)}.")
    config = CLASSIFIER_PRESETS[preset]
    threat = config.threat if eps is None else replace(config.threat, eps=eps / 255)
    config = replace(config, threat=threat, network=network, epochs=epochs or config.epochs, seed=seed)
    folder = work / (name or preset)
    data = load_cifar10(cifar, "train")
    with Stopping() as stop:
        trained = train_classifier(*data, config, folder, stop.bar("training"))
    stop.leave_if_asked(f"everything so far is in {folder}.")
    seconds = round(read_tensors(folder / NAME)[1]["seconds"])
    card = publish_classifier(
        trained, config, name=name or f"defence/{preset}", trained_on=f"{cifar.name} train", licence=licence,
        command=command_line(), budget={"seconds": seconds, "epochs": config.epochs, "hardware": hardware("cpu")},
        metrics=measured(trained, *load_cifar10(cifar, "test")), assets=assets,
    )  # fmt: skip
    typer.echo(f"Wrote {card.name} below {assets}: {card.metrics}")


def _pictures(sources: list[Path], boxes: list[str], split: str, limit: int) -> torch.Tensor:
    """Pictures (N, 3, H, W) of all sources; one box for each where any is given, "" for none."""
    if boxes and len(boxes) != len(sources):
        raise UserError(f'--box must be given as often as --data ({len(sources)} times) or never; "" cuts no box.')
    cut = [parse_box(box or None) for box in boxes] or [None] * len(sources)
    places = (ImageSource(path, split, CALIBRATED_SIDE, box) for path, box in zip(sources, cut, strict=True))
    parts = (load_images(place, limit=limit) for place in places)
    return torch.cat(list(parts))


def perceptual(
    cifar: Cifar,
    data: Annotated[list[Path], typer.Option(help="Pictures to match LPIPS on, with train/ and val/; may be repeated.")],
    box: Annotated[list[str] | None, typer.Option(help="left,top,right,bottom for each --data, in order.")] = None,
    limit: Annotated[int, typer.Option(help="Pictures taken of each --data and split.", min=2)] = 6000,
    epochs: Annotated[int, typer.Option(help="Passes over CIFAR-10.", min=1)] = ClassifierConfig().epochs,
    batch: Annotated[int, typer.Option(help="Pictures per update.", min=2)] = ClassifierConfig().batch,
    eps: Annotated[float, typer.Option(help="L2 radius of the attack, pixels in [0, 1]; 0 trains the non-robust twin.")] = 0.5,
    pairs: Annotated[int, typer.Option(help="Distorted pairs to calibrate on.", min=48)] = CalibrationConfig().pairs,
    name: Annotated[str, typer.Option(help="Name below the assets folder.", callback=checked_name)] = "perceptual",
    licence: Licence = "unknown",
    work: Work = Path("runs/perceptual"),
    assets: Assets = zoo.ASSETS,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Train the network against attacks, match it to LPIPS, judge it. Ctrl-C stops and keeps; the same command goes on."""
    apply_threads(threads)
    defaults = ClassifierConfig()
    config = replace(defaults, threat=replace(defaults.threat, eps=eps), epochs=epochs, batch=batch, seed=seed)
    pictures, unseen = (_pictures(data, box or [], split, limit) for split in ("train", "val"))
    started = time.perf_counter()
    cifar_pictures, folder = load_cifar10(cifar, "train"), work / name
    with Stopping() as stop:
        network = train_classifier(*cifar_pictures, config, folder, stop.bar("training"))
        stop.leave_if_asked(f"everything so far is in {folder}.")
        fit = CalibrationConfig(pairs=pairs, seed=seed)
        distance = calibrated_distance(network, config.widths, pictures, fit, stop.bar("calibration"))
    stop.leave_if_asked(f"the network is in {folder}, its weights in the distance are not fitted yet.")
    budget = {"seconds": round(time.perf_counter() - started), "hardware": f"cpu, {platform.machine()}"}
    card = publish(
        distance, config, name=name, trained_on=f"{cifar.name} train; {', '.join(path.name for path in data)} train",
        licence=licence, command=command_line(), budget=budget, assets=assets,
        metrics=judge(distance, *load_cifar10(cifar, "test"), unseen, pairs=max(pairs // 2, 48)),
    )  # fmt: skip
    typer.echo(f"Wrote {card.name} below {assets}.")
