"""Defending a CIFAR-10 classifier (section 4.3): F bounds the reversal r, L is Eq. 7, the target is the attacked picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from landscape_core.defence.objective import (
    BOUND,
    DIM,
    SIDE,
    START,
    ContrastiveHead,
    ContrastiveObjective,
    Defence,
    Reversal,
    restored,
)
from landscape_core.defence.views import Views, ViewSettings, identity_view, joined, sample_views
from landscape_core.errors import UserError, reading
from landscape_core.features.cifar10 import CIFAR10_CLASSES
from landscape_core.features.classifier import RobustClassifier
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.spaces import Prior
from landscape_core.search.task import Task, X
from landscape_core.search.thetas import RANDOM, THETA, random_mapping, thetas, tuned_on
from landscape_core.storage import zoo

FOLDER = "defence"
PAPER_STEP = OptimizerSettings(name="adam", lr=0.2 / 255)  # section 7.3


def classifier_names(assets: Path = zoo.ASSETS) -> list[str]:
    """The classifiers that can be defended, as `load_defence` takes them: those with a contrastive head."""
    heads = (name.split("/") for name in zoo.names(assets) if name.startswith(f"{FOLDER}/") and name.endswith("/head"))
    return sorted((parts[1] for parts in heads), key=lambda name: (name != "ro", name))


def classifier_from(tensors: Mapping[str, Tensor], architecture: Mapping[str, Any]) -> RobustClassifier:
    """A frozen classifier with its batch normalisations merged, from a card's `widths`.

    Raises:
        UserError: the tensors are not those of such a classifier.
    """
    with reading("These weights", "are not those of a classifier with the widths on its card"):
        model = RobustClassifier(architecture["widths"], architecture.get("n_classes", 10)).fold()
        model.load_state_dict(dict(tensors))
    return model.requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def load_classifier(name: str, assets: Path = zoo.ASSETS) -> tuple[zoo.Card, RobustClassifier]:
    """Card and frozen network of an embedded classifier by its short name, pictures (B, 3, 32, 32) -> logits (B, 10).

    Raises:
        UserError: there is no such model, or its file does not match its card.
    """
    card, tensors = zoo.load(f"{FOLDER}/{name}", assets)
    return card, classifier_from(tensors, card.architecture)


def fixed_views(architecture: Mapping[str, Any]) -> Views:
    """The views that Eq. 7 compares at test time: the picture itself, and `count` - 1 drawn by the card's seed."""
    random = torch.Generator().manual_seed(architecture["seed"])
    drawn = sample_views(architecture["count"] - 1, ViewSettings(**architecture["settings"]), random)
    return joined(identity_view(), drawn)


def objective_from(card: zoo.Card, tensors: Mapping[str, Tensor], classifier: RobustClassifier) -> ContrastiveObjective:
    """Eq. 7 with a trained head; its card says the views, the temperature and λ."""
    made = card.architecture
    with zoo.fitting(card):
        head = ContrastiveHead(**made["head"])
        head.load_state_dict(dict(tensors))
        views, settings = fixed_views(made["views"]), {"temperature": made["temperature"], "decay": made["decay"]}
    return ContrastiveObjective(classifier, head.eval().requires_grad_(False), views, **settings)


def defence_task(name: str, objective: ContrastiveObjective, hashes: Mapping[str, str] | None = None) -> Task:
    """The search for r without a learned Z: x (B, 3072) with prior N(0, START²), for pixels in [0, 1]."""
    prior = Prior(torch.zeros(DIM), START * torch.eye(DIM))
    return Task(
        name,
        Reversal(BOUND),
        prior,
        objective,
        {},
        hashes=hashes or {},
        advised={X: PAPER_STEP},
        picture=seen,
        samples=no_samples,
        side=SIDE,
    )


def seen(output: Tensor | None, target: Target) -> Tensor:
    """The attacked picture, restored by r where there is one."""
    return target.value if output is None else restored(target.value.to(output), output)


def no_samples(n: int, generator: torch.Generator) -> Target:
    """What F makes of the prior is no picture.

    Raises:
        UserError: always.
    """
    raise UserError("A defence draws no pictures of its own, so random targets need a data set; the run's own planes do not.")


def load_defence(name: str = "ro", assets: Path = zoo.ASSETS) -> Defence:
    """An embedded classifier with its contrastive head and every Θ trained for it.

    Raises:
        UserError: a model is missing or altered.
    """
    card, classifier = load_classifier(name, assets)
    head_card, head_tensors = zoo.load(f"{FOLDER}/{name}/head", assets)
    objective = objective_from(head_card, head_tensors, classifier)
    task = defence_task(f"{FOLDER}/{name}", objective, {card.name: card.sha256, head_card.name: head_card.sha256})
    task = with_mappings(task, name, head_card, assets)
    return Defence(name, classifier, CIFAR10_CLASSES, task, card, head_card)


def with_mappings(task: Task, name: str, head: zoo.Card, assets: Path) -> Task:
    """The task with every Θ of assets/defence/NAME; rates tuned in X are on the head's card."""
    learned = thetas(f"{FOLDER}/{name}{THETA}", task.prior, assets)
    in_x = {X: OptimizerSettings(**head.metrics["advised_x"])} if "advised_x" in head.metrics else {}
    if not learned.spaces:
        untrained = {RANDOM: random_mapping(task.prior)}
        return replace(task, mappings=untrained, advised={**task.advised, **in_x, RANDOM: PAPER_STEP})
    return replace(
        task,
        mappings=learned.spaces,
        hashes={**task.hashes, **learned.hashes},
        advised={**task.advised, **in_x, **learned.advised},
        tuned={X: tuned_on(head), **learned.tuned},
    )
