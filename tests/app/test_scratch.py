"""The temporary folder: bounded, one's own, and a sentence where it is full."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from app import limits
from app.scratch import PREFIX, Room, export_path, exported, make_room, scratch
from landscape_core.errors import UserError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_everything_temporary_lies_in_a_folder_that_goes(home: Path) -> None:
    with scratch() as folder:
        assert Path(tempfile.mkdtemp()).parent == folder == Path(os.environ["GRADIO_TEMP_DIR"])
    assert [*home.iterdir()] == []
    assert tempfile.gettempdir() == str(home)


def test_what_a_dead_server_left_is_removed_and_a_living_ones_is_not(home: Path) -> None:
    for name in ("dead", "living"):
        (home / f"{PREFIX}{name}").mkdir()
        (home / f"{PREFIX}{name}" / "a.png").touch()
        (home / f"{PREFIX}{name}.lock").touch()
    other = home / "another program's"
    other.mkdir()
    with FileLock(home / f"{PREFIX}living.lock", is_singleton=False), scratch():
        assert not (home / f"{PREFIX}dead").exists()
        assert (home / f"{PREFIX}living" / "a.png").exists()
    assert other.exists()


def test_old_files_go_and_the_oldest_where_there_are_too_many(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SCRATCH", 250)
    ours = home / "of somebody else"
    ours.write_bytes(b"x" * 1000)
    make_room(1000)
    assert ours.exists()
    with scratch() as folder:
        ages = {"ancient": limits.SCRATCH_SECONDS + 60, "old": 60, "young": 30, "new": 0}
        for name, age in ages.items():
            (folder / name).mkdir()
            file = folder / name / "file"
            file.write_bytes(b"x" * 100)
            os.utime(file, (time.time() - age,) * 2)
        make_room()
        assert sorted(path.name for path in folder.iterdir()) == ["new", "young"]
        make_room(100)
        assert [path.name for path in folder.iterdir()] == ["new"]


def test_the_folder_itself_stays_when_all_that_lay_in_it_goes(home: Path) -> None:
    with scratch() as folder:
        for file in (folder / "of Gradio's own", export_path("run.zip")):
            file.touch()
            os.utime(file, (time.time() - limits.SCRATCH_SECONDS - 60,) * 2)
        make_room()
        assert [*folder.iterdir()] == []
        assert export_path("run.zip").parent.parent == folder


def test_a_full_folder_is_a_sentence() -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write() -> Path:
        raise full

    with pytest.raises(UserError, match="The export cannot be written: no space left on device"):
        exported(write)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise full

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/gradio_api/upload", "headers": []}
    with ThreadPoolExecutor(1) as apart:  # a browser test before this one leaves a loop running in its thread
        apart.submit(lambda: asyncio.run(Room(app)(scope, None, send))).result()  # type: ignore[arg-type]
    assert sent[0]["status"] == 507
    assert "no space left on device" in json.loads(sent[1]["body"])["detail"]
