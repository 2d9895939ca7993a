"""The sheet of a recovery's way: both spaces by one optimiser, from the same start, the target at the end."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.commands.process import evolution
from landscape_core.search.objectives import Target
from tests.tiny.models import tiny_task
from tests.tiny.tables import pictures


def test_every_target_has_a_row_of_each_space_from_the_same_start_to_the_target() -> None:
    task, targets = tiny_task(), Target(pictures(2))
    rows = list(evolution(task, targets, "residual", "adam", [0, 2, 5]).items())
    assert [label.split(",")[0] for label, _ in rows] == ["1. X", "1. Z", "2. X", "2. Z"]
    for index, (_, row) in enumerate(rows):
        assert row.shape == (4, 3, 64, 64)
        assert torch.equal(row[-1], targets.value[index // 2])
        away = [float((each - row[-1]).square().mean()) for each in row[:-1]]
        assert away[-1] < away[0]
    x, z = rows[0][1], rows[1][1]
    assert torch.allclose(x[0], z[0], atol=1e-4)
    other = evolution(task, targets, "paper", "adam", [0, 2, 5])
    assert not torch.allclose(list(other.values())[1][1], z[1], atol=1e-4), "Z is searched in the space that was asked for"


def test_poses_are_drawn_as_bodies(tmp_path: Path) -> None:
    arguments = ["process", "--task", "pose", "--targets", "1", "--steps", "0", "--steps", "1", "--out", str(tmp_path)]
    CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
    with Image.open(tmp_path / "pose-process.png") as sheet:
        assert len(sheet.getcolors(1_000_000) or []) > 10
