"""What commands share: an option that does nothing for a task is refused, and targets fewer than asked for are said."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.commands.pictures import pictures_for
from landscape_core.errors import UserError
from landscape_core.generators.commands.reproduce import pictures_of
from landscape_core.options import all_taken
from tests.tiny.models import tiny_task

PLUGIN = ["--task", "docs/examples/deconvolution.py"]
CONVERGENCE = ["reproduce", "convergence", *PLUGIN]


def refused(*words: str) -> str:
    with pytest.raises(UserError) as error:
        CliRunner().invoke(cli.app, [*words], catch_exceptions=False)
    return str(error.value)


@pytest.mark.parametrize(
    "words",
    [
        ["invert", "mine.csv", *PLUGIN], ["complete", "mine.csv", *PLUGIN], ["surface", "walk.bvh", "--task", "pose"],
        ["follow", "walk.bvh"], CONVERGENCE, ["reproduce", "budget", *PLUGIN], ["reproduce", "why", "--task", "pose"],
        ["reproduce", "landscapes", "--task", "pose"], ["invert", "cat.png", "--task", "features/robust-stage4"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_perceptual_distance_is_refused_where_the_loss_has_none(words: list[str]) -> None:
    assert "holds no perceptual distance that could be 'robust'" in refused(*words, "--perceptual", "robust")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["play", "arm", "--first", "x1*x2"], "the expressions of own; arm has"),
        (["surface", "cat.png", "--split", "val"], "pictures in --targets; there are none"),
        (["surface", "cat.png", "--frame", "3"], "--frame and --map are for motions"),
        (["surface", "cat.png", "--map", "names.json"], "--frame and --map are for motions"),
        (["train", "mapping-compare", *PLUGIN, "--data", "mine.csv"], "leave --data out"),
        ([*CONVERGENCE, "--set", "noisy"], "neither --images nor a plug-in uses"),
        ([*CONVERGENCE, "--images", "pictures"], "has no use for those of pictures"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(words: list[str], sentence: str) -> None:
    assert sentence in refused(*words)


def test_fewer_pictures_than_were_asked_for_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "val").mkdir()
    for index in range(3):
        Image.new("RGB", (64, 64), (40 * index, 100, 200)).save(tmp_path / "val" / f"{index}.png")
    assert len(pictures_for(tiny_task(), tmp_path, 5, 0, split="val")) == 3
    said = f"{tmp_path} under val/ holds 3 of the 5 targets that were asked for: all are taken.\n"
    assert capsys.readouterr().out == said
    assert len(pictures_of(tmp_path, "val", tmp_path, 4, 0, 64)) == 3
    assert "holds 3 of the 4 targets" in capsys.readouterr().out
    assert len(all_taken(torch.zeros(3, 2), 3, tmp_path)) == 3
    assert not capsys.readouterr().out
