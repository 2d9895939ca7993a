"""A complete defence with tiny random networks, and a folder like CIFAR-10's test split: fast enough for every test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image

from landscape_core.defence.objective import DIM, ContrastiveHead, ContrastiveObjective, Defence, map_channels
from landscape_core.defence.task import defence_task
from landscape_core.defence.views import ViewSettings, identity_view, joined, sample_views
from landscape_core.features.cifar10 import CIFAR10_CLASSES
from landscape_core.features.classifier import RobustClassifier
from landscape_core.search.mapping import MappingConfig, build_mapping
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.spaces import ZSpace
from landscape_core.storage.zoo import Card

WIDTHS = (4, 6)


def tiny_defence(name: str = "ro", seed: int = 0) -> Defence:
    """Random classifier and head; spaces X and "narrow" (8 numbers)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = RobustClassifier(WIDTHS).fold().requires_grad_(False)
        head = ContrastiveHead(map_channels(WIDTHS), 8, 4, 6)
        bank = torch.nn.functional.normalize(torch.randn(6, 4), dim=1)
    head.get_buffer("bank").copy_(bank)
    head.eval().requires_grad_(False)
    views = joined(identity_view(), sample_views(1, ViewSettings(), torch.Generator().manual_seed(0)))
    task = defence_task(f"defence/{name}", ContrastiveObjective(classifier, head, views), {f"defence/{name}": "0" * 64})
    config = MappingConfig("mlp", 8, DIM, 4)
    narrow = ZSpace(build_mapping(config, task.prior, seed=1), 8)
    rates = {space: OptimizerSettings(name="adam", lr=1 / 255) for space in ("X", "narrow")}
    task = replace(task, mappings={"narrow": narrow}, advised=rates)
    return Defence(name, classifier, CIFAR10_CLASSES, task, _card(name), _card(f"{name}/head"))


def _card(name: str) -> Card:
    return Card(
        name=f"defence/{name}", kind="classifier", architecture={}, trained_on="nothing", licence="", command="", budget={},
        metrics={}, sha256="0" * 64, seed=0,
    )  # fmt: skip


def write_cifar(folder: Path, each: int = 2) -> Path:
    """`folder/test/<class>/000i.png`: `each` pictures of noise a class."""
    random = torch.Generator().manual_seed(0)
    for name in CIFAR10_CLASSES:
        (folder / "test" / name).mkdir(parents=True)
        for i in range(each):
            pixels = torch.randint(0, 256, (32, 32, 3), generator=random).byte()
            Image.fromarray(pixels.numpy()).save(folder / "test" / name / f"{i:04d}.png")
    return folder
