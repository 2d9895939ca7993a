"""`reproduce defence`: Table 1 on the embedded classifiers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor

from landscape_core.console import Ticker, apply_threads, command_line
from landscape_core.defence.attacks import ATTACKS
from landscape_core.defence.experiments import table1
from landscape_core.defence.experiments.contenders import DefenceSettings
from landscape_core.defence.task import classifier_names, load_defence
from landscape_core.errors import UserError
from landscape_core.experiments.results import finish
from landscape_core.features.cifar10 import load_cifar10
from landscape_core.images.pixels import to_unit
from landscape_core.options import Data, Out, Seed, Threads, all_taken

CIFAR = "cifar10.zip"


def drawn(path: Path, split: str, n: int, seed: int, *, of: int | None = None) -> tuple[Tensor, Tensor]:
    """n pictures (n, 3, 32, 32) in [-1, 1] of a split with their labels (n,), drawn without replacement by `seed`, from the
    first `of` of each class only where given."""
    images, labels = load_cifar10(path, split, limit_per_class=of)
    picked = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))[:n]
    return to_unit(images[picked]), labels[picked]


def defence(
    data: Data = Path("data"),
    number: Annotated[int, typer.Option("--targets", help="Pictures.", min=2)] = DefenceSettings().targets,
    split: Annotated[str, typer.Option(help="Split to evaluate; X's rate is tuned on train.")] = "test",
    images: Annotated[
        Path | None, typer.Option(help="Evaluate this folder or zip with SPLIT/<class>/ instead; train is still CIFAR-10's.")
    ] = None,
    classifier: Annotated[str | None, typer.Option(help="One embedded classifier, e.g. mart; all where absent.")] = None,
    space: Annotated[str, typer.Option(help="Learned space that Z uses.")] = "residual",
    aware_steps: Annotated[int, typer.Option(help="Ascent steps of the defence-aware attack.", min=1)] = (
        DefenceSettings().aware_steps
    ),
    attack_steps: Annotated[int | None, typer.Option(help="Ascent steps of the static attacks; the paper's 200 (L2) and 50 "
                                                     "(L-infinity) where absent.", min=1, max=1000)] = None,
    work: Annotated[Path, typer.Option(help="Folder for attacked pictures; the same command again goes on from there.")] = Path(
        "runs/reproduce-defence"
    ),
    out: Out = Path("results"),
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:  # fmt: skip
    """Table 1: accuracy after 0, 1, 3 and 5 steps in X (tuned on train) and Z, static and defence-aware attacks."""
    apply_threads(threads)
    names = classifier_names() if classifier is None else [classifier]
    if not names:
        raise UserError("No classifier with a contrastive head is embedded; `train contrastive` makes one.")
    settings = DefenceSettings(targets=number, space=space, aware_steps=aware_steps, seed=seed)
    attacks = {name: ATTACKS[name].model_copy(update={"steps": attack_steps or ATTACKS[name].steps}) for name in ATTACKS}
    train = drawn(data / CIFAR, "train", settings.tune_targets, seed, of=settings.tune_targets)
    test = drawn(images or data / CIFAR, split, number, seed)
    all_taken(test[0], number, images or data / CIFAR)
    for name in names:
        with Ticker() as tick:
            result = table1.run_defence(
                load_defence(name), train, test, attacks, settings, command_line(), tick, label=split, folder=work / name
            )
        finish(result, out, table1.plot)
