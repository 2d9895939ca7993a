"""`reproduce features-denoise`, `-anomaly` and `-style`: what the second paper uses a robust autoencoder for."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor

from landscape_core.autoencoders.commands.measuring import (
    Budget,
    Number,
    Stages,
    begun,
    drawn,
    learner,
    of_training,
    pairs_of,
)
from landscape_core.autoencoders.domain import CIFAR10
from landscape_core.autoencoders.experiments import anomalies, reconstruction, styles
from landscape_core.autoencoders.experiments.quality_claims import bars
from landscape_core.autoencoders.training.decoder import DecoderConfig
from landscape_core.console import Stopping, Ticker, apply_threads
from landscape_core.errors import UserError
from landscape_core.experiments.results import finish
from landscape_core.features.cifar10 import load_cifar10
from landscape_core.features.lpips import load_lpips
from landscape_core.images.pixels import to_unit
from landscape_core.images.reading import centre_box, crop_square, load_picture
from landscape_core.options import Data, Out, Seed, Threads, Work, numbers
from landscape_core.storage import zoo

CONTENTS = ("airplane", "cat", "chelsea", "ship")  # of the examples: none shows a person
STYLES = ("still-life", "ship-at-dusk", "cartoon", "truck-in-dust")
STRONGEST = 0.2  # largest deviation of the noise that decoders with skips learn to remove


def denoise(
    data: Data = Path("data"), number: Number = 100, stages: Stages = "4",
    levels: Annotated[str, typer.Option(help="Standard deviations of the noise in 255ths, with commas between.")] = "15,25,50",
    images: Annotated[int, typer.Option(help="Budget of decoders with skips: pictures seen; 0: without them.", min=0)] = 40_000,
    work: Work = Path("runs/features-denoise"), out: Out = Path("results"), seed: Seed = 0, threads: Threads = 0,
) -> None:  # fmt: skip
    """Pictures under noise through the decoders as they are, and through ones with skips that learn to remove noise, against
    total variation tuned on training pictures."""
    apply_threads(threads)
    pairs, deviations = pairs_of(stages), [level / 255 for level in numbers(levels, "--levels")]
    result = begun(
        "features-denoise", number, seed, [one for pair in pairs.values() for one in pair], levels=levels, images=images
    )
    models = {shared: (pair[0].model, pair[1].model) for shared, pair in pairs.items()}
    if images:
        config = DecoderConfig(images=images, noise=STRONGEST, skips=True, adversarial=0.0, seed=seed)
        seen = load_cifar10(data / CIFAR10, "train")[0]
        with Stopping() as stop:
            learn = learner(stop, work)
            for shared, (robust, standard) in pairs.items():
                models[f"{shared} with skips, trained for noise"] = (
                    learn(f"robust-{shared}".replace(" ", "-"), robust.model.encoder, seen, config),
                    learn(f"plain-{shared}".replace(" ", "-"), standard.model.encoder, seen, config),
                )
    pictures, train = drawn(data, number, seed), of_training(data, 20, seed)
    with Ticker() as tick:
        reconstruction.run_denoise(models, pictures, train, deviations, load_lpips(), result, tick)
    finish(result, out, bars)


def anomaly(
    data: Data = Path("data"),
    number: Annotated[int, typer.Option("--targets", help="Test pictures of every class.", min=2)] = 20,
    stage: Annotated[str, typer.Option(help="Stage of the networks that is inverted.")] = "4",
    images: Budget = anomalies.AnomalySettings.decoder.images,
    steps: Annotated[int, typer.Option(help="Steps of the search of a code.", min=1)] = anomalies.AnomalySettings.steps,
    work: Work = Path("runs/features-anomaly"), out: Out = Path("results"), seed: Seed = 0, threads: Threads = 0,
) -> None:  # fmt: skip
    """One class against the rest, by a decoder that learned that class alone: the area under the ROC curve, class by class."""
    apply_threads(threads)
    if "," in stage:
        raise UserError(f"--stage takes one stage; got {stage!r}.")
    (pair,) = pairs_of(stage).values()
    settings = anomalies.AnomalySettings(DecoderConfig(images=images, seed=seed), steps)
    result = begun("features-anomaly", 10 * number, seed, list(pair), **asdict(settings))
    train, test = (load_cifar10(data / CIFAR10, part, limit_per_class=n) for part, n in (("train", None), ("test", number)))
    inverters = dict(zip((anomalies.ROBUST, anomalies.STANDARD), pair, strict=True))
    with Stopping() as stop, Ticker() as tick:
        anomalies.run_anomaly(inverters, train, test, settings, learner(stop, work), result, tick)
    finish(result, out, anomalies.areas_by_class)


def style(
    stages: Stages = "4,3",
    side: Annotated[int, typer.Option(help="Side of the pictures in pixels, a multiple of 16.", min=32)] = 128,
    out: Out = Path("results"), seed: Seed = 0, threads: Threads = 0,
) -> None:  # fmt: skip
    """The project's own examples in each other's styles, stage by stage: pictures, and how near they come to the style."""
    apply_threads(threads)
    if side % 16:
        raise UserError(f"--side takes multiples of 16, not {side}.")
    pairs = pairs_of(stages)
    robust, standard = zip(*pairs.values(), strict=True)
    by_depth = {"robust": robust, "standard": standard}
    deepest = {who: sorted(each, key=lambda one: -one.model.encoder.depth) for who, each in by_depth.items()}
    result = begun("features-style", len(CONTENTS) * len(STYLES), seed, [*robust, *standard], side=side, stages=stages)
    result.n = {"examples, content and style": len(CONTENTS) * len(STYLES)}
    contents, wanted = _examples(CONTENTS, side), _examples(STYLES, side)
    with Ticker() as tick:
        _, found = styles.run_style(deepest, contents, wanted, load_lpips(), result, tick)
    finish(result, out, lambda _, path: styles.sheet(found, path))


def _examples(names: tuple[str, ...], side: int) -> Tensor:
    """Embedded examples (n, 3, side, side) in [-1, 1]."""
    pictures = [load_picture(zoo.ASSETS / "examples" / f"{name}.png").image for name in names]
    return to_unit(torch.stack([crop_square(each, centre_box(each), side) for each in pictures]))
