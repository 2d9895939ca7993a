"""What a form cannot ask for, and files that are none, are refused before anything begins."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.runs.models import Models
from app.train.data import FEWEST
from app.train.models import Trainable
from app.train.queue import Trainings
from app.train.request import FILES, Request, asked
from landscape_core.errors import UserError
from tests.app.train.making import pictures, recordings, request
from tests.tiny.plugins import curve

BAD: dict[str, Any] = {
    "name": "a b",
    "minutes": 0.1,
    "preset": "none",
    "task": "dogs",
    "data": "theirs",
    "buffers": 0,
}


@pytest.mark.parametrize("field", BAD)
def test_what_a_form_cannot_ask_for_is_refused(models: Models, field: str) -> None:
    known = Trainable(models)
    with pytest.raises(UserError):
        asked(known, {"task": "decay", "name": "mine", field: BAD[field]})
    assert asked(known, {"task": "decay", "name": "mine", "buffers": None}).minutes == 10
    assert known.presets("decay") != known.presets("faces") != known.presets("pose")


def test_files_are_checked_before_anything_begins(started: Callable[..., Trainings], tmp_path: Path) -> None:
    trainings, faces = started(), Request(task="faces", name="mine", data=FILES)
    (tmp_path / "own").mkdir()
    paths = pictures(tmp_path / "own", FEWEST)
    (tmp_path / "words.txt").write_text("no picture")
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04" + bytes(50))
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("words.txt", "no picture")
    for files, sentence in [
        ([], "Choose files"), (paths[:3], "These are 3 pictures"), ([str(tmp_path / "words.txt")], "words.txt"),
        ([str(tmp_path / "broken.zip")], "broken.zip"), ([str(tmp_path / "empty.zip")], "no picture in these files"),
    ]:  # fmt: skip
        with pytest.raises(UserError, match=sentence):
            trainings.begin(faces, files)
    with pytest.raises(UserError, match="txt"):
        trainings.begin(request("mine", data=FILES), [str(tmp_path / "words.txt")])
    assert [path.name for path in Path("trainings").iterdir() if path.is_dir()] == []
    training = trainings.begin(faces, paths)
    assert training.record.data == f"{FEWEST} pictures"
    assert len(list((training.folder / "pictures").iterdir())) == FEWEST
    observed = trainings.begin(request("mine", data=FILES), [str(curve(tmp_path))])
    assert observed.record.data == "1 observations"


def test_recordings_are_checked_before_anything_begins(started: Callable[..., Trainings], tmp_path: Path) -> None:
    trainings, poses = started(), Request(task="pose", name="mine", data=FILES)
    (tmp_path / "words.bvh").write_text("no motion")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("words.txt", "no motion")
    for name, sentence in [("words.bvh", "words.bvh: This is not a BVH"), ("empty.zip", "empty.zip holds 0 BVH")]:
        with pytest.raises(UserError, match=sentence):
            trainings.begin(poses, [str(tmp_path / name)])
    assert [path.name for path in Path("trainings").iterdir() if path.is_dir()] == []
    walk = recordings(tmp_path)
    assert trainings.begin(poses, [str(walk), str(walk)]).record.data == "4 recordings"
