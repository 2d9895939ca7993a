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
from app.views.wiring import opened
from landscape_core.errors import UserError
from tests.app.racing import two_models

SAID = "The address asked for "
ASKED = {"first": 0, "last": None, "every": 1, "steps": 2, "order": "warm", "smoothness": 0.1}


def test_an_animation_is_followed_and_its_film_has_the_target_beside(tmp_path: Path) -> None:
    models, random = two_models(), np.random.default_rng(0)
    first, *others = [Image.fromarray(random.integers(0, 256, (64, 64, 3), dtype=np.uint8)) for _ in range(3)]
    path = tmp_path / "a.gif"
    first.save(path, save_all=True, append_images=others, duration=100)
    job, task = FollowJob(), models.get("faces")

    def source(path: str | None, **changes: Any) -> Any:
        return source_of(task, defaults(models), path, {**ASKED, **changes})

    said = [message for message in events.start(job, source(str(path))) if message["kind"] != "progress"]
    begin, *frames, end = said
    assert (len(begin["pictures"]), begin["fps"]) == (3, 10.0)
    assert begin["lanes"] == ["X · Adam", "Z · Adam", "X · L-BFGS", "Z · L-BFGS"]
    assert [step for each in frames for step in each["steps"]] == [0, 1, 2]
    assert all(len(each["lanes"][name]["picture"]) == 1 for each in frames for name in begin["lanes"])
    assert "3 frames, warm, 2 steps each. X · Adam:" in end["summary"]
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


@pytest.mark.parametrize(
    ("query", "changes", "sentences"),
    [
        ({"clip_first": "3", "clip_last": "9", "clip_every": "2"}, {"first": 3, "last": 9, "every": 2}, []),
        ({"clip_steps": "7"}, {"steps": 7}, []),
        ({"clip_order": "warm", "clip_smoothness": "0.25"}, {"smoothness": 0.25}, []),
        ({"steps": "7", "order": "cold"}, {}, []),  # the tab's
        ({"clip_steps": "99999"}, {"steps": 2000}, ["steps a frame 99999; 2000 is the nearest that is accepted."]),
        ({"clip_first": "1.5"}, {}, ["first frame “1.5”, which is not accepted; it was ignored."]),
        ({"clip_last": "soon"}, {}, ["last frame “soon”, which is not accepted; it was ignored."]),
        ({"clip_order": "sideways"}, {}, ["where a frame begins “sideways”, which is not accepted; it was ignored."]),
        (
            {"clip_order": "cold", "clip_smoothness": "1"}, {"order": "cold"},
            ["smoothness “1”, which is not accepted; it was ignored."],
        ),
        ("no object", {}, []),
    ],
)  # fmt: skip
def test_the_panels_settings_come_from_the_address(query: Any, changes: dict[str, Any], sentences: list[str]) -> None:
    asked = opened(events.from_query)(query)
    assert asked["values"] == events.USUAL | changes
    assert asked["text"] == " ".join(SAID + sentence for sentence in sentences)
