"""`reproduce features`: what descent from noise gets back from robust features and from plain ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer

from landscape_core.autoencoders.experiments import inversion
from landscape_core.console import Ticker, apply_threads, command_line
from landscape_core.errors import UserError
from landscape_core.experiments.results import finish
from landscape_core.features.lpips import load_lpips
from landscape_core.features.perceptual import CALIBRATED_SIDE, RobustDistance
from landscape_core.features.training.calibration import CalibrationConfig, agreement
from landscape_core.images.datasets import ImageSource, load_images
from landscape_core.images.pixels import to_unit
from landscape_core.images.sets import CATS, FACES, targets
from landscape_core.options import Data, Out, Seed, Threads
from landscape_core.storage import zoo


def load_network(name: str, assets: Path = zoo.ASSETS) -> tuple[RobustDistance, str]:
    """A perceptual network and the hash of its file.

    Raises:
        UserError: it is not there; the sentence says how to train it.
    """
    if not (assets / name / zoo.CARD).exists():
        raise UserError(
            f"There is no model {name!r} below {assets}; train it with: python -m landscape_core train perceptual "
            f"--name {name} --cifar cifar10.zip --data PICTURES (and --eps 0 for the network without attacks)."
        )
    card, tensors = zoo.load(name, assets)
    return RobustDistance.from_state(tensors, card.architecture).eval(), card.sha256


def features(
    data: Data = Path("data"),
    number: Annotated[int, typer.Option("--targets", help="Pictures of val per data set.", min=2)] = 20,
    steps: Annotated[int, typer.Option(help="Steps of descent on pixels.", min=1)] = 300,
    robust: Annotated[str, typer.Option(help="The adversarially trained network's model.")] = "perceptual",
    plain: Annotated[str, typer.Option(help="Its twin, trained without attacks.")] = "perceptual-plain",
    assets: Annotated[Path, typer.Option(help="Folder of models that holds both.")] = zoo.ASSETS,
    pairs: Annotated[int, typer.Option(help="Distorted pairs for the rank correlation with LPIPS.", min=48)] = 2400,
    out: Out = Path("results"),
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Second paper: pictures from their features, robust against plain, judged by PSNR and LPIPS."""
    apply_threads(threads)
    networks, hashes = {}, {}
    for role, name in ((inversion.ROBUST, robust), (inversion.PLAIN, plain)):
        networks[role], hashes[name] = load_network(name, assets)
    reference = load_lpips()
    sets = {
        "faces": targets(FACES.source(data, "val", CALIBRATED_SIDE), number, seed),
        "cats": targets(CATS.source(data, "val", CALIBRATED_SIDE), number, seed),
    }
    settings = inversion.FeatureSettings(targets=number, steps=steps, seed=seed)
    train = targets(FACES.source(data, "train", CALIBRATED_SIDE), settings.tune_targets, seed)
    unseen = torch.cat([load_images(each.source(data, "val", CALIBRATED_SIDE)) for each in (FACES, CATS)])
    config = CalibrationConfig(pairs=pairs, mixed=0.25, seed=7)
    ranks = {role: agreement(each, reference, unseen, config)["overall"] for role, each in networks.items()}
    with Ticker() as tick:
        result = inversion.run_features(networks, hashes, reference, train, sets, ranks, settings, command_line(), tick)
    drawn = to_unit(load_images(ImageSource(zoo.ASSETS / "examples", None, CALIBRATED_SIDE)))[:8]  # ours: nobody's face
    finish(result, out, lambda result, path: inversion.sheet(networks, drawn, result, settings, path))
