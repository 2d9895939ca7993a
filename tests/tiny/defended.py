"""A defended classifier with tiny random networks, as files below a folder of assets, in the form that training writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from landscape_core.defence.objective import DIM, ContrastiveObjective, Defence
from landscape_core.defence.task import load_defence
from landscape_core.defence.training.head import ContrastiveConfig, HeadTrainer, publish_head, trained_objective
from landscape_core.defence.training.theta import PRESETS, attacked_targets, publish_defence_mapping
from landscape_core.features.classifier import RobustClassifier
from landscape_core.features.training.classifier_recipe import CLASSIFIER_PRESETS, publish_classifier
from landscape_core.search.mapping import MappingConfig
from landscape_core.storage import zoo
from landscape_core.training.settings import MappingTraining
from landscape_core.training.theta import build_trainer

WIDTHS = (8, 12, 16)
CONFIG = ContrastiveConfig(epochs=1, batch=8, hidden=16, dim=8, bank=12, test_views=3, bf16=False)
FACTS = {"trained_on": "nothing", "command": "python -m landscape_core train classifier"}


def pictures(n: int, seed: int = 0) -> Tensor:
    """Smooth random pictures (n, 3, 32, 32) in [-1, 1]."""
    coarse = torch.randn(n, 3, 6, 6, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse, (32, 32), mode="bicubic").tanh()


def picture_bytes(n: int, seed: int = 5) -> Tensor:
    """The same as uint8."""
    return ((pictures(n, seed) + 1) * 127.5).to(torch.uint8)


def tiny_classifier(seed: int = 0) -> RobustClassifier:
    """A random classifier whose answers differ between pictures."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = RobustClassifier(WIDTHS)
        torch.nn.init.normal_(model.head.weight, std=3.0)
    return model.fold().requires_grad_(False)


def tiny_head_trainer(folder: Path, config: ContrastiveConfig = CONFIG) -> HeadTrainer:
    """The trainer of a head on 16 pictures, its bank filled."""
    trainer = HeadTrainer(tiny_classifier(), list(WIDTHS), picture_bytes(16), config, folder)
    trainer.fill_bank()
    return trainer


def tiny_objective() -> ContrastiveObjective:
    """Eq. 7 with a random head."""
    with TemporaryDirectory() as folder:
        return trained_objective(tiny_head_trainer(Path(folder)))


def tiny_assets(folder: Path, *, mapping: bool = True) -> Path:
    """A folder of assets with defence/ro, its head and, where asked for, its Θ; returns the folder."""
    config = replace(CLASSIFIER_PRESETS["smoke"], widths=WIDTHS)
    publish_classifier(
        tiny_classifier(), config, name="defence/ro", licence="CC0", budget={}, metrics={}, assets=folder, **FACTS
    )  # fmt: skip
    publish_head(tiny_head_trainer(folder / "work"), "ro", metrics={}, assets=folder, **FACTS)
    if mapping:
        tiny_mapping(folder)
    return folder


def tiny_mapping(folder: Path) -> zoo.Card:
    """A Θ of one short buffer, published beside the classifier."""
    preset = replace(
        PRESETS["narrow"],
        mapping=MappingConfig.paper(DIM, DIM, 4),
        training=MappingTraining(buffers=1, targets=2, steps=1, batch=2, start=0.01),
    )
    task, sampler = load_defence("ro", folder).task, attacked_targets(pictures(4))
    trainer, config = build_trainer(task, preset, sampler, lambda: torch.zeros(1, DIM), folder / "work-theta")
    trainer.buffer_step()
    return publish_defence_mapping(trainer, config, "ro", "residual", assets=folder, **FACTS)


def tiny_defence(folder: Path) -> Defence:
    """The files of `tiny_assets`, loaded."""
    return load_defence("ro", tiny_assets(folder))
