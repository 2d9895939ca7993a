"""`train contrastive` and `train defence-mapping`: what defends an embedded classifier."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
import typer

from landscape_core.console import Stopping, apply_threads, command_line, only_main
from landscape_core.defence.attacks import ATTACKS
from landscape_core.defence.task import load_defence
from landscape_core.defence.training.head import (
    ContrastiveConfig,
    head_trainer,
    measure_head,
    publish_head,
    train_head,
    trained_objective,
)
from landscape_core.defence.training.theta import (
    PRESETS,
    TargetSettings,
    attacked_training,
    defence_mapping_trainer,
    publish_defence_mapping,
)
from landscape_core.features.cifar10 import load_cifar10
from landscape_core.images.pixels import to_unit
from landscape_core.options import Buffers, Cifar, Seed, Threads, Work
from landscape_core.storage import zoo
from landscape_core.training.alternating import train_mapping

Classifier = Annotated[str, typer.Option("--classifier", help="Embedded classifier: defence/NAME below the assets folder.")]
Assets = Annotated[Path, typer.Option(help="Where the classifier is and the finished model goes.")]
DATA = Path("data/cifar10.zip")


def contrastive(
    cifar: Cifar = DATA,
    classifier: Classifier = "ro",
    epochs: Annotated[int, typer.Option(help="Passes over the pictures.", min=1)] = ContrastiveConfig().epochs,
    batch: Annotated[int, typer.Option(help="Pairs per update.", min=2)] = ContrastiveConfig().batch,
    decay: Annotated[float, typer.Option(help="λ of Eq. 7: the price of a large reversal.", min=0.0)] = 1.0,
    judged: Annotated[int, typer.Option(help="Test pictures that the card's figures are measured on.", min=2)] = 500,
    work: Work = Path("runs/contrastive"),
    assets: Assets = zoo.ASSETS,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Train a contrastive head on a frozen classifier's features. Ctrl-C stops and keeps; the same command goes on."""
    apply_threads(threads)
    config = ContrastiveConfig(epochs=epochs, batch=batch, decay=decay, seed=seed)
    images, _ = load_cifar10(cifar, "train")
    trainer = head_trainer(classifier, images, config, work, assets)
    with Stopping() as stop:
        train_head(trainer, stop.bar("training"))
    stop.leave_if_asked(f"everything so far is in {trainer.checkpoint.path.parent}.")
    unseen, labels = load_cifar10(cifar, "test")
    picked = torch.randperm(len(unseen), generator=torch.Generator().manual_seed(seed))[:judged]
    attack = ATTACKS["l2"].model_copy(update={"steps": 50})
    metrics = measure_head(trained_objective(trainer), to_unit(unseen[picked]), labels[picked], attack, seed=seed)
    card = publish_head(
        trainer, classifier, trained_on=f"{cifar.name} train", command=command_line(), metrics=metrics, assets=assets
    )
    typer.echo(f"Wrote {card.name} below {assets}: {card.metrics}")


def defence_mapping(
    cifar: Cifar = DATA,
    classifier: Classifier = "ro",
    preset: Annotated[str, typer.Option(help=f"One of: {', '.join(PRESETS)}.")] = "residual",
    buffers: Buffers = None,
    number: Annotated[int, typer.Option("--targets", help="Training pictures that are attacked and restored.", min=2)] = (
        TargetSettings().number
    ),
    work: Work = Path("runs/defence-mapping"),
    assets: Assets = zoo.ASSETS,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Learn Θ for reversals (Algorithm 1, section 7.3). Ctrl-C stops and keeps all finished buffers."""
    apply_threads(threads)
    defence, folder = load_defence(classifier, assets), work / classifier
    settings = replace(TargetSettings(seed=seed), number=number)
    some = load_cifar10(cifar, "train", limit_per_class=number)
    with Stopping() as stop:
        pictures = attacked_training(defence, *some, settings, folder, stop.bar("attacking training pictures"))
        if pictures is None:
            stop.leave_if_asked("the training pictures were not all attacked, so nothing is kept.")
        assert pictures is not None  # only a stop leaves them out
        trainer, config = defence_mapping_trainer(defence, preset, pictures, folder / preset, buffers=buffers, seed=seed)
        train_mapping(trainer, stop.bar("buffers"))
    stop.leave_if_asked(f"{trainer.progress.buffer} buffers are kept in {folder / preset}.")
    only_main()
    card = publish_defence_mapping(
        trainer, config, classifier, preset, trained_on=f"{cifar.name} train", command=command_line(), assets=assets
    )
    typer.echo(f"Wrote {card.name} below {assets}.")
