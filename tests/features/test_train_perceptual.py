"""The recipe of the perceptual distance, from folders of pictures to a file that loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from PIL import Image
from typer.testing import CliRunner

from landscape_core.errors import UserError
from landscape_core.features.cifar10 import CIFAR10_CLASSES
from landscape_core.features.commands.train import perceptual
from landscape_core.features.perceptual import RobustDistance
from landscape_core.storage import zoo


def _draw(folder: Path, number: int, size: int) -> None:
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for i in range(number):
        coarse = Image.fromarray(random.integers(0, 255, (6, 6, 3), dtype=np.uint8))
        coarse.resize((size, size), Image.Resampling.BICUBIC).save(folder / f"{i}.png")


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    for split in ("train", "test"):
        for name in CIFAR10_CLASSES:
            _draw(tmp_path / "cifar" / split / name, 2, 32)
    for split in ("train", "val"):
        _draw(tmp_path / "pictures" / split, 6, 64)
    return ["--cifar", str(tmp_path / "cifar"), "--data", str(tmp_path / "pictures"), "--work", str(tmp_path / "work")]


def _run(arguments: list[str]) -> object:
    app = typer.Typer()
    app.command()(perceptual)
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_the_recipe_writes_a_model_that_loads(folders: list[str], tmp_path: Path) -> None:
    _run([*folders, "--epochs", "1", "--batch", "10", "--pairs", "96", "--assets", str(tmp_path / "assets")])
    card, tensors = zoo.load("perceptual", tmp_path / "assets")
    distance = RobustDistance.from_state(tensors, card.architecture)
    assert all((weight > 0).all() for weight in distance.weights())
    assert torch.isfinite(distance(torch.zeros(2, 3, 64, 64), torch.ones(2, 3, 64, 64))).all()
    assert {"clean_accuracy", "robust_accuracy", "spearman_with_lpips"} <= card.metrics.keys()


def test_boxes_must_match_the_data(folders: list[str]) -> None:
    with pytest.raises(UserError, match="as often as --data"):
        _run([*folders, "--box", "0,0,8,8", "--box", "0,0,8,8"])
