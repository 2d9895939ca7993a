"""How inversions of features are registered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from landscape_core.autoencoders.run_card import FeaturesCard, features_card_target, make_features_card
from landscape_core.autoencoders.task import load_features_task, task_names
from landscape_core.domain import Domain, Observed
from landscape_core.errors import UserError
from landscape_core.features.cifar10 import SIDE, Cifar10Test
from landscape_core.images.pixels import to_bytes, to_unit
from landscape_core.images.reading import centre_box, crop_square, load_picture
from landscape_core.search.objectives import Target
from landscape_core.search.race import DEFAULT_PERCEPTUAL, Perceptual, RunSettings
from landscape_core.search.task import Task

CIFAR10 = "cifar10.zip"


def _load(name: str, perceptual: Perceptual = DEFAULT_PERCEPTUAL, device: str = "cpu") -> Task:
    if device not in ("cpu", "auto"):
        raise UserError(f"Features are inverted on the CPU alone, not on {device}.")
    return load_features_task(name)


def _observe(task: Task, path: Path, frame: int, names: Path | None) -> Observed:
    """The largest square of a picture, at the side of the autoencoder's."""
    picture = load_picture(path)
    square = crop_square(picture.image, centre_box(picture.image), task.side)
    return Observed(Target(to_unit(square)[None]), picture.notices)


def _carried(card: FeaturesCard, task: Task) -> Target:
    return features_card_target(card, task.side)


def _recorded(task: Task, data: Path, split: str, n: int, seed: int) -> tuple[Target, str]:
    """Pictures of CIFAR-10's test, which is its split val."""
    if split not in ("val", "test"):
        raise UserError(f"Pictures to invert are drawn from CIFAR-10's test; there is no split {split!r} for that.")
    if task.side != SIDE:
        raise UserError(f"{task.name} takes pictures of {task.side} pixels; CIFAR-10's have {SIDE}.")
    test = Cifar10Test(data / CIFAR10)
    return Target(to_unit(test.pictures(test.draw(n, seed)))), CIFAR10


def _carded(task: Task, settings: RunSettings, target: Target, result: dict[str, Any]) -> FeaturesCard:
    return make_features_card(task, settings, to_bytes(target.value)[0], **result)


DOMAIN = Domain("autoencoders", task_names, _load, _observe, FeaturesCard, _carried, _recorded, _carded)
