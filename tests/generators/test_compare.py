"""Comparing Θs on held-out training pictures: split, cost, table, card."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from landscape_core.cli import app
from landscape_core.commands import mapping as mapping_compare
from landscape_core.errors import UserError
from landscape_core.generators.experiments import compare as image_compare
from landscape_core.generators.experiments.compare import held_out
from landscape_core.generators.training import theta
from landscape_core.generators.training.theta import MAPPING_PRESETS
from tests.tiny.models import tiny_task

ROWS = ["baseline", "residual", "flow", "statistics", "plain", "paper"]


def test_one_picture_in_eight_is_held_out() -> None:
    images = torch.arange(20)[:, None, None, None]
    learned, held = held_out(images)
    assert held.flatten().tolist() == [0, 8, 16]
    assert sorted([*learned.flatten().tolist(), 0, 8, 16]) == list(range(20))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ROWS[1:]:
        preset = MAPPING_PRESETS[name]
        training = replace(preset.training, targets=4, steps=2, batch=4, bf16=False)
        mapping = replace(preset.mapping, z_dim=16, hidden=8)
        monkeypatch.setitem(MAPPING_PRESETS, name, replace(preset, training=training, mapping=mapping, curvature_inputs=2))
    for module in (theta, image_compare):
        monkeypatch.setattr(module, "load_image_task", lambda domain, **_: tiny_task(domain))


def pictures(folder: Path, n: int = 24) -> Path:
    random = torch.Generator().manual_seed(0)
    for index in range(n):
        pixels = torch.randint(0, 256, (64, 64, 3), dtype=torch.uint8, generator=random)
        Image.fromarray(pixels.numpy()).save(folder / f"{index:02d}.png")
    return folder


@pytest.mark.usefixtures("small")
def test_the_command_prints_a_row_for_every_candidate_and_notes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[tuple[str, object]] = []
    monkeypatch.setattr(mapping_compare, "load_image_task", tiny_task)
    monkeypatch.setattr(mapping_compare, "note_on_card", lambda name, table, command, assets: noted.append((name, table)))
    (tmp_path / "data").mkdir()
    typed = ["train", "mapping-compare", "--data", str(pictures(tmp_path / "data")), "--buffers", "1", "--targets", "2",
             "--tune-targets", "1", "--steps", "1", "--steps", "2", "--work", str(tmp_path / "work"), "--note"]  # fmt: skip
    done = CliRunner().invoke(app, typed, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    printed = {line.split("\t")[0]: line.split("\t")[1:] for line in done.output.splitlines() if "\t" in line}
    assert list(printed)[1:] == ROWS
    assert "mean loss after steps\theld out 1\theld out 2\tscore" in done.output
    assert printed["baseline"][-1] == "0"
    ((name, table),) = noted
    assert name == "faces/theta-residual"
    assert set(json.loads(json.dumps(table))) == set(ROWS)


def test_an_unknown_candidate_is_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["train", "mapping-compare", "--data", str(tmp_path), "--presets", "residual,magic"])
    assert isinstance(done.exception, UserError)
    assert "'magic'" in str(done.exception)
