"""`restore`: simulated and taken observations from file to folder, and their cards again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.generators import domain
from landscape_core.generators.commands import run as commands
from landscape_core.generators.run_card import card_target, read_run_card
from tests.tiny.models import tiny_task

runner = CliRunner()


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (commands, domain):
        monkeypatch.setattr(module, "load_image_task", lambda name, perceptual="lpips", device="cpu": tiny_task(name))


def picture(path: Path, side: int) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def restored(folder: Path, file: Path, *words: str) -> tuple[str, Path]:
    asked = ["restore", str(file), "--out", str(folder / "out"), "--steps", "4", "-k", "3", "--task", "cats", *words]
    result = runner.invoke(cli.app, asked)
    assert result.exit_code == 0, result.output
    return result.output, folder / "out" / file.stem


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("low-resolution:8", [], "alone: it is 8 pixels a side"),
        ("blur:motion:9:45+mask", ["--mask", "eyes"], "perceptual distance and the mean squared error of what is visible"),
        ("measurements:64@5", ["--prior-weight", "0.1"], "measurements are no picture"),
    ],
)
def test_a_simulated_observation_is_searched_and_its_card_repeats_it(
    tmp_path: Path, name: str, more: list[str], said: str
) -> None:
    output, folder = restored(tmp_path, picture(tmp_path / "whole.png", 80), "--observe", name, *more)
    assert said in " ".join(output.split())
    assert "PSNR to the whole picture" in output
    numbers = json.loads((folder / "completions.json").read_text())["spaces"]
    assert numbers["Z"].keys() == {"diversity", "fidelity", "losses", "psnr"}
    with Image.open(folder / "sheet.png") as sheet:
        assert sheet.size == (4 * 64, 2 * 64)
    card = read_run_card((folder / "run.json").read_text())
    assert (card.observation, card.k, card.taken) == (name, 3, False)
    replayed = runner.invoke(cli.app, ["replay", str(folder / "run.json")])
    assert "repeats the card's run exactly" in replayed.output


def test_ones_own_small_picture_is_taken_as_it_is(tmp_path: Path) -> None:
    file = picture(tmp_path / "small.png", 8)
    output, folder = restored(tmp_path, file, "--observe", "low-resolution:8", "--observed")
    assert "PSNR" not in output
    card = read_run_card((folder / "run.json").read_text())
    target = card_target(card, 64)
    with Image.open(file) as image:
        wanted = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 127.5 - 1
    assert torch.allclose(target.value[0], wanted)
    assert target.truth is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--observe", "fog"], "There is no observation 'fog'"),
        (["--observe", "grey", "--mask", "eyes"], "goes with an observation that has a mask"),
        (["--observe", "mask"], "Say what is hidden"),
        (["--observe", "measurements:9", "--observed"], "simulated from a whole one"),
    ],
)
def test_what_cannot_be_restored_is_refused_in_a_sentence(tmp_path: Path, words: list[str], said: str) -> None:
    result = runner.invoke(cli.app, ["restore", str(picture(tmp_path / "a.png", 80)), "--out", str(tmp_path), *words])
    assert result.exit_code == 1
    assert said in str(result.exception)
