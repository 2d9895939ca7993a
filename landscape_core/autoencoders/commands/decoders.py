"""`reproduce features-table`, `-resolution` and `-inversion`: the second paper's claims on the embedded decoders."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from landscape_core.autoencoders.commands.measuring import Number, Stages, begun, drawn, of_training, pairs_of
from landscape_core.autoencoders.experiments import descent, reconstruction
from landscape_core.autoencoders.experiments.quality_claims import bars
from landscape_core.autoencoders.models import FOLDER, load_inverter
from landscape_core.autoencoders.task import CODES, load_features_task
from landscape_core.console import Ticker, apply_threads
from landscape_core.errors import UserError
from landscape_core.experiments.results import finish
from landscape_core.features.lpips import load_lpips
from landscape_core.images.sets import CATS, targets
from landscape_core.options import Data, Out, Seed, Threads


def table(
    data: Data = Path("data"), number: Number = 200, stages: Stages = "4,3", out: Out = Path("results"), seed: Seed = 0,
    threads: Threads = 0,
) -> None:  # fmt: skip
    """PSNR, SSIM and LPIPS of what decoders give back: the robust network's features against its standard twin's."""
    apply_threads(threads)
    pairs = pairs_of(stages)
    result = begun("features-table", number, seed, [one for pair in pairs.values() for one in pair])
    with Ticker() as tick:
        reconstruction.run_table(pairs, drawn(data, number, seed), load_lpips(), result, tick)
    finish(result, out, bars)


def resolution(
    data: Data = Path("data"), number: Number = 50, stages: Stages = "4",
    sides: Annotated[str, typer.Option(help="Sides in pixels, with commas between.")] = "64,128",
    out: Out = Path("results"), seed: Seed = 0, threads: Threads = 0,
) -> None:  # fmt: skip
    """The decoders on pictures (cats) of sides that they were not trained on, without retraining."""
    apply_threads(threads)
    if not all(side.strip().isdigit() and int(side) >= 32 and int(side) % 16 == 0 for side in sides.split(",")):
        raise UserError(f"--sides takes multiples of 16 from 32 on, with commas between; got {sides!r}.")
    pairs = pairs_of(stages)
    sets = {int(side): targets(CATS.source(data, "val", int(side)), number, seed) for side in sides.split(",")}
    result = begun("features-resolution", number, seed, [one for pair in pairs.values() for one in pair], trained_at=32)
    result.n = {f"{CATS.file} at {side}": number for side in sets}
    with Ticker() as tick:
        reconstruction.run_resolution(pairs, sets, load_lpips(), result, tick)
    finish(result, out, bars)


USUAL = "robust-stage4"


def inversion(
    data: Data = Path("data"), number: Number = 20,
    model: Annotated[str, typer.Option(help="The autoencoder, below features/; another than the usual one has a table of its "
                                       "own.")] = USUAL,
    steps: Annotated[int, typer.Option(help="Steps of descent.", min=1)] = descent.DescentSettings.steps,
    out: Out = Path("results"), seed: Seed = 0, threads: Threads = 0,
) -> None:  # fmt: skip
    """The decoder's one pass against descent on the same features over pixels and codes, in X and in Z."""
    apply_threads(threads)
    name = f"{FOLDER}/{model}"
    inverter = load_inverter(name)
    tasks = {"pixels": load_features_task(name), "codes": load_features_task(name + CODES)}
    settings = descent.DescentSettings(targets=number, steps=steps, seed=seed)
    asked = {name: value for name, value in asdict(settings).items() if name != "seed"}
    table = "features-inversion" if model == USUAL else f"features-inversion-{model}"
    result = begun(table, number, seed, [inverter], **asked)
    result.models = {**result.models, **{key: value for task in tasks.values() for key, value in task.hashes.items()}}
    pictures, train = drawn(data, number, seed), of_training(data, settings.tune_targets, seed)
    with Ticker() as tick:
        descent.run_descent(inverter, tasks, pictures, train, load_lpips(), settings, result, tick)
    finish(result, out, bars)
