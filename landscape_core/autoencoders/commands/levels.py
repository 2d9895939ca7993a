"""`reproduce features-ablation` and `-sweet-spot`: decoders that are trained on the way, all by the same budget."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from landscape_core.autoencoders.commands.measuring import Budget, Number, begun, drawn, learner
from landscape_core.autoencoders.domain import CIFAR10
from landscape_core.autoencoders.experiments import ablation as losses
from landscape_core.autoencoders.experiments import sweet_spot as radii
from landscape_core.autoencoders.experiments.quality_claims import bars
from landscape_core.autoencoders.models import PERCEPTUAL, load_classifier
from landscape_core.autoencoders.networks import FeatureEncoder
from landscape_core.autoencoders.training.decoder import DecoderConfig
from landscape_core.console import Stopping, Ticker, apply_threads
from landscape_core.errors import UserError
from landscape_core.experiments.results import finish
from landscape_core.features.cifar10 import CIFAR10_CLASSES, load_cifar10
from landscape_core.features.classifier import Classifier, Network
from landscape_core.features.lpips import load_lpips
from landscape_core.features.training.classifier import ClassifierConfig, train_classifier
from landscape_core.features.training.classifier_recipe import CLASSIFIER_PRESETS
from landscape_core.options import Data, Out, Seed, Threads, Work, numbers


def ablation(
    data: Data = Path("data"), number: Number = 100,
    encoder: Annotated[str, typer.Option(help="The frozen classifier.")] = PERCEPTUAL,
    depth: Annotated[int, typer.Option(help="Its stage that is inverted, from 1.", min=1)] = 4,
    images: Budget = 40_000, work: Work = Path("runs/features-ablation"), out: Out = Path("results"), seed: Seed = 0,
    threads: Threads = 0,
) -> None:  # fmt: skip
    """What each of the decoder's losses is for: pixel, feature and adversarial loss, some of them switched off."""
    apply_threads(threads)
    card, network, threat = load_classifier(encoder)
    if depth > len(network.widths):
        raise UserError(f"{encoder} has the stages 1 to {len(network.widths)}; there is no {depth}.")
    config = DecoderConfig(images=images, seed=seed)
    settings = {name: value for name, value in asdict(config).items() if name != "seed"}
    about = f"{encoder}, trained against {threat}"
    result = begun("features-ablation", number, seed, [], encoder=about, depth=depth, **settings)
    result.models = {card.name: card.sha256}
    seen, pictures = load_cifar10(data / CIFAR10, "train")[0], drawn(data, number, seed)
    with Stopping() as stop, Ticker() as tick:
        learn = learner(stop, work)
        losses.run_ablation(FeatureEncoder(network, depth), seen, pictures, load_lpips(), config, learn, result, tick)
    finish(result, out, bars)


def sweet_spot(
    data: Data = Path("data"),
    number: Annotated[int, typer.Option("--targets", help="Test pictures, as many of every class.", min=10)] = 200,
    levels: Annotated[str, typer.Option(help="L∞ radii in 255ths, smallest first, with commas between.")] = "0,1,2,4,8,16",
    network: Annotated[Network, typer.Option(help="Kind of network.")] = "resnet",
    epochs: Annotated[int, typer.Option(help="Adversarial training of every network: passes over the pictures.", min=1)] = 2,
    depth: Annotated[int, typer.Option(help="Stage that is inverted, from 1.", min=1, max=4)] = 4,
    images: Budget = 40_000, work: Work = Path("runs/features-sweet-spot"), out: Out = Path("results"), seed: Seed = 0,
    threads: Threads = 0,
) -> None:  # fmt: skip
    """Quality over robustness: networks trained against ever larger attacks, and a decoder of the same budget for each."""
    apply_threads(threads)
    eps = _levels(levels)
    classifier = replace(CLASSIFIER_PRESETS["level"], epochs=epochs, network=network, seed=seed)
    settings = radii.Level(classifier, DecoderConfig(images=images, seed=seed), depth)
    per_class = max(number // len(CIFAR10_CLASSES), 1)
    name = "features-sweet-spot" if network == "resnet" else f"features-sweet-spot-{network}"
    result = begun(name, per_class * len(CIFAR10_CLASSES), seed, [], levels=eps, **asdict(settings))
    folder = work if network == "resnet" else work / network
    seen, test = load_cifar10(data / CIFAR10, "train"), load_cifar10(data / CIFAR10, "test", limit_per_class=per_class)
    with Stopping() as stop, Ticker() as tick:

        def classify(name: str, config: ClassifierConfig) -> Classifier:
            trained = train_classifier(*seen, config, folder / name, stop.bar(name))
            stop.leave_if_asked(f"everything so far is in {folder}.")
            return trained

        learn = learner(stop, folder)
        radii.run_sweet_spot(eps, settings, seen[0], test, load_lpips(), classify, learn, result, tick)
    finish(result, out, lambda result, path: radii.curves(result, eps, path))


def _levels(text: str) -> list[float]:
    """Raises UserError unless there are at least two radii from 0 to 255, in order."""
    levels = numbers(text, "--levels")
    if len(levels) < 2 or levels != sorted(set(levels)) or not 0 <= levels[0] <= levels[-1] <= 255:
        raise UserError(f"--levels takes two or more radii from 0 to 255, the smallest first; got {text!r}.")
    return levels
