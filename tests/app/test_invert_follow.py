"""The panel that follows pictures, without a browser."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.following import run as events
from app.following.run import FollowJob
from app.invert.follow import source_of
from app.runs.settings import defaults
from landscape_core.errors import UserError
from tests.app.racing import two_models

ASKED = {"first": 0, "last": None, "every": 1, "steps": 2, "order": "warm", "smoothness": 0.1}


def test_an_animation_is_followed_and_its_film_has_the_target_beside(tmp_path: Path) -> None:
    models, random = two_models(), np.random.default_rng(0)
    first, *others = [Image.fromarray(random.integers(0, 256, (64, 64, 3), dtype=np.uint8)) for _ in range(3)]
    path = tmp_path / "a.gif"
    first.save(path, save_all=True, append_images=others, duration=100)
    job, task = FollowJob(), models.get("faces")

    def source(path: str | None, **changes: Any) -> Any:
        return source_of(task, defaults(models), path, {**ASKED, **changes})

    begin, *frames, end = events.start(job, source(str(path)))
    assert (begin["lanes"], len(begin["pictures"]), begin["fps"]) == (["X", "Z"], 3, 10.0)
    assert [step for each in frames for step in each["steps"]] == [0, 1, 2]
    assert all(len(each["lanes"]["Z"]["picture"]) == 1 for each in frames)
    assert "3 frames, warm, 2 steps each. X:" in end["summary"]
    assert "dB" in end["summary"]
    with Image.open(io.BytesIO(zipfile.ZipFile(events.export(job)).read("run.gif"))) as film:
        assert film.n_frames == 3
    for made, said in (
        (lambda: source(None), "Add a clip first"),
        (lambda: source(str(path), first=5), "frames 0 to 2"),
        (lambda: source(str(path), steps=1.5), "Steps a frame"),
    ):
        with pytest.raises(UserError, match=said):
            made()
