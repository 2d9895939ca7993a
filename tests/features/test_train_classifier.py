"""`train classifier`, from a folder of pictures to a file that loads."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner

from landscape_core.defence.task import classifier_from
from landscape_core.errors import UserError
from landscape_core.features.commands.train import classifier
from landscape_core.storage import zoo
from landscape_core.storage.tensors import read_tensors
from tests.tiny.pictures import cifar_folder

app = typer.Typer()
app.command()(classifier)


@pytest.fixture
def cifar(tmp_path: Path) -> Path:
    return cifar_folder(tmp_path, train=3, test=1)


def test_the_command_writes_a_classifier_that_loads_and_equals_the_trained_one(cifar: Path, tmp_path: Path) -> None:
    work, assets = tmp_path / "work", tmp_path / "assets"
    arguments = ["--cifar", str(cifar), "--preset", "smoke", "--work", str(work), "--assets", str(assets)]
    CliRunner().invoke(app, arguments, catch_exceptions=False)
    card, tensors = zoo.load("defence/smoke", assets)
    model = classifier_from(tensors, card.architecture)
    assert card.metrics.keys() >= {"clean_accuracy", "robust_accuracy_linf", "robust_accuracy_l2"}
    assert read_tensors(work / "smoke" / "checkpoint.safetensors")[1]["step"] == 2
    pictures = torch.rand(4, 3, 32, 32) * 2 - 1
    assert model(pictures).shape == (4, 10)
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_an_unknown_preset_is_a_sentence(cifar: Path) -> None:
    with pytest.raises(UserError, match="There is no preset 'best'"):
        CliRunner().invoke(app, ["--cifar", str(cifar), "--preset", "best"], catch_exceptions=False)
