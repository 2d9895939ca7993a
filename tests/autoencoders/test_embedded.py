"""The embedded autoencoders: they load, search, replay, and are quick enough."""

from __future__ import annotations

from pathlib import Path

import torch
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.autoencoders.experiments.reconstruction import timed
from landscape_core.autoencoders.models import load_inverter
from landscape_core.autoencoders.task import CODES, task_names
from landscape_core.domains import load_task
from landscape_core.storage import zoo

NAME = "features/robust-stage4"


def test_the_robust_one_comes_first_and_beats_its_twin_on_its_card() -> None:
    assert task_names()[:2] == ["features/robust-stage3" + CODES, "features/robust-stage3"], "what one sees something of"
    robust, plain = (load_inverter(f"features/{kind}-stage4") for kind in ("robust", "plain"))
    assert (robust.threat, plain.threat) == ("L2 0.5", "none")
    ours, theirs = (each.card.metrics["unseen"] for each in (robust, plain))
    assert ours["psnr"] > theirs["psnr"]
    assert ours["ssim"] > theirs["ssim"]
    assert ours["lpips"] < theirs["lpips"]


def test_a_picture_of_64_pixels_takes_milliseconds_of_one_core() -> None:
    assert timed(load_inverter(NAME), repeats=5) < 60  # 15 where nothing else runs


def test_a_run_is_made_and_replayed_by_command(tmp_path: Path) -> None:
    picture = str(zoo.ASSETS / "examples" / "chelsea.png")
    space = next(iter(load_task(NAME + CODES).mappings))
    asked = ["invert", picture, "--task", NAME + CODES, "--space", space, "--steps", "3", "--out", str(tmp_path)]
    CliRunner().invoke(cli.app, asked, catch_exceptions=False)
    said = CliRunner().invoke(cli.app, ["replay", str(tmp_path / "chelsea.zip")], catch_exceptions=False)
    assert "exactly" in said.output
    assert torch.get_num_threads() == 1
