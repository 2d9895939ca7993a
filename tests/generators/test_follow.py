"""`follow` on pictures: from an animation to one that has the target beside."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.generators import domain
from tests.tiny.models import tiny_task


def test_an_animation_is_followed_frame_by_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "load_image_task", lambda name, perceptual="lpips", device="cpu": tiny_task(name))
    random = np.random.default_rng(0)
    first, *others = [Image.fromarray(random.integers(0, 256, (64, 80, 3), dtype=np.uint8)) for _ in range(4)]
    first.save(tmp_path / "a.gif", save_all=True, append_images=others, duration=100)
    asked = ["follow", str(tmp_path / "a.gif"), "--task", "cats", "--steps", "2", "--first", "1", "--out", str(tmp_path)]
    done = CliRunner().invoke(cli.app, asked)
    assert done.exit_code == 0, done.output
    assert "3 frames, warm, 2 steps each" in done.output
    archive = zipfile.ZipFile(tmp_path / "a.zip")
    record = json.loads(archive.read("run.json"))
    assert (record["frames"], record["fps"], record["settings"]["task"]) == ([1, 2, 3], 10.0, "cats")
    with Image.open(io.BytesIO(archive.read("run.gif"))) as film:
        assert (film.n_frames, film.info["duration"]) == (3, 100)
        assert film.width > 3 * 128, "target, X and Z beside each other"
    assert len(archive.read("measures.csv").splitlines()) == 1 + 3 * 2
