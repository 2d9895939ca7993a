"""`reproduce features-table`, `-resolution`, `-denoise` and `-inversion`: the second paper's claims on the decoders."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor

from landscape_core.autoencoders.domain import CIFAR10
from landscape_core.autoencoders.experiments import descent, reconstruction
from landscape_core.autoencoders.experiments.quality_claims import bars
from landscape_core.autoencoders.models import FOLDER, Inverter, load_inverter
from landscape_core.autoencoders.task import CODES, load_features_task
from landscape_core.console import Data, Out, Seed, Threads, Ticker, apply_threads, command_line
from landscape_core.errors import UserError
from landscape_core.experiments.results import Result, finish
from landscape_core.features.cifar10 import Cifar10Test, load_cifar10
from landscape_core.features.lpips import load_lpips
from landscape_core.images.pixels import to_unit
from landscape_core.images.sets import CATS, targets

Number = Annotated[int, typer.Option("--targets", help="Test pictures.", min=2)]
Stages = Annotated[str, typer.Option(help="Stages of the networks whose decoders are compared, with commas between.")]
TRAINED = "features of a CIFAR-10 classifier, where the paper inverts AlexNet, VGG and ResNet on ImageNet and CIFAR-10"


def _pairs(stages: str) -> dict[str, tuple[Inverter, Inverter]]:
    """The robust and the standard autoencoder of every stage.

    Raises:
        UserError: one of them is not there.
    """
    asked = [stage.strip() for stage in stages.split(",")]
    return {
        f"stage {stage}": (load_inverter(f"{FOLDER}/robust-stage{stage}"), load_inverter(f"{FOLDER}/plain-stage{stage}"))
        for stage in asked
    }


def _result(name: str, n: int, seed: int, inverters: list[Inverter], **settings: Any) -> Result:
    hashes = {key: value for each in inverters for key, value in each.hashes.items()}
    threats = {each.name: each.threat for each in inverters}
    about = {"trained_against": threats, "features": TRAINED}
    return Result(name, command_line(), seed, hashes, {CIFAR10: n}, {**settings, **about})


def _drawn(data: Path, n: int, seed: int) -> Tensor:
    """n pictures of CIFAR-10's test."""
    test = Cifar10Test(data / CIFAR10)
    return to_unit(torch.stack([test.picture(*each) for each in test.draw(n, seed)]))


def _training(data: Path, n: int, seed: int) -> Tensor:
    """n training pictures, to choose settings by."""
    images = load_cifar10(data / CIFAR10, "train", limit_per_class=max(n // 5, 1))[0]
    return to_unit(images[torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))[:n]])


def table(
    data: Data = Path("data"), number: Number = 200, stages: Stages = "4", out: Out = Path("results"), seed: Seed = 0,
    threads: Threads = 0,
) -> None:  # fmt: skip
    """PSNR, SSIM and LPIPS of what decoders give back: the robust network's features against its standard twin's."""
    apply_threads(threads)
    pairs, ticker = _pairs(stages), Ticker()
    result = _result("features-table", number, seed, [one for pair in pairs.values() for one in pair])
    reconstruction.run_table(pairs, _drawn(data, number, seed), load_lpips(), result, ticker)
    ticker.close()
    finish(result, out, lambda path: bars(result, path))


def resolution(
    data: Data = Path("data"), number: Number = 50, stages: Stages = "4",
    sides: Annotated[str, typer.Option(help="Sides in pixels, with commas between.")] = "64,128",
    out: Out = Path("results"), seed: Seed = 0, threads: Threads = 0,
) -> None:  # fmt: skip
    """The decoders on pictures (cats) of sides that they were not trained on, without retraining."""
    apply_threads(threads)
    if not all(side.strip().isdigit() and int(side) >= 32 and int(side) % 16 == 0 for side in sides.split(",")):
        raise UserError(f"--sides takes multiples of 16 from 32 on, with commas between; got {sides!r}.")
    pairs, ticker = _pairs(stages), Ticker()
    sets = {int(side): targets(CATS.source(data, "val", int(side)), number, seed) for side in sides.split(",")}
    result = _result("features-resolution", number, seed, [one for pair in pairs.values() for one in pair], trained_at=32)
    result.n = {f"{CATS.file} at {side}": number for side in sets}
    reconstruction.run_resolution(pairs, sets, load_lpips(), result, ticker)
    ticker.close()
    finish(result, out, lambda path: bars(result, path))


def denoise(
    data: Data = Path("data"), number: Number = 100, stages: Stages = "4",
    levels: Annotated[str, typer.Option(help="Standard deviations of the noise in 255ths, with commas between.")] = "15,25,50",
    out: Out = Path("results"), seed: Seed = 0, threads: Threads = 0,
) -> None:  # fmt: skip
    """Pictures under noise through the decoders as they are, against total variation tuned on training pictures."""
    apply_threads(threads)
    pairs, ticker = _pairs(stages), Ticker()
    deviations = [float(level) / 255 for level in levels.split(",")]
    result = _result("features-denoise", number, seed, [one for pair in pairs.values() for one in pair], levels=levels)
    pictures, train = _drawn(data, number, seed), _training(data, 20, seed)
    reconstruction.run_denoise(pairs, pictures, train, deviations, load_lpips(), result, ticker)
    ticker.close()
    finish(result, out, lambda path: bars(result, path))


def inversion(
    data: Data = Path("data"), number: Number = 20,
    model: Annotated[str, typer.Option(help="The autoencoder, below features/.")] = "robust-stage4",
    steps: Annotated[int, typer.Option(help="Steps of descent.", min=1)] = descent.DescentSettings.steps,
    out: Out = Path("results"), seed: Seed = 0, threads: Threads = 0,
) -> None:  # fmt: skip
    """The decoder's one pass against descent on the same features over pixels and codes, in X and in Z."""
    apply_threads(threads)
    name, ticker = f"{FOLDER}/{model}", Ticker()
    inverter = load_inverter(name)
    tasks = {"pixels": load_features_task(name), "codes": load_features_task(name + CODES)}
    settings = descent.DescentSettings(targets=number, steps=steps, seed=seed)
    asked = {name: value for name, value in asdict(settings).items() if name != "seed"}
    result = _result("features-inversion", number, seed, [inverter], **asked)
    result.models = {**result.models, **{key: value for task in tasks.values() for key, value in task.hashes.items()}}
    pictures, train = _drawn(data, number, seed), _training(data, settings.tune_targets, seed)
    descent.run_descent(inverter, tasks, pictures, train, load_lpips(), settings, result, ticker)
    ticker.close()
    finish(result, out, lambda path: bars(result, path))
