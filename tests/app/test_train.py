"""The app's trainings: one at a time, paused, resumed, finished, killed and taken up by the next server, and every refusal."""

from __future__ import annotations

import base64
import io
import os
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from app import limits
from app.runs.models import Models, embedded_models
from app.train.data import FEWEST
from app.train.models import Trainable
from app.train.queue import Trainings
from app.train.request import FILES, Request, asked
from app.train.tab import server_functions
from app.train.told import told
from app.train.training import Training
from landscape_core.errors import UserError
from landscape_core.images.pixels import png_bytes
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.drawing import FIGURE_SIDE
from landscape_core.pose.task import load_body
from landscape_core.storage import zoo
from landscape_core.storage.bundle import add_bundle
from tests.tiny.assets import tiny_domain
from tests.tiny.plugins import curve, plugin
from tests.tiny.pose import random_rotvec

# Stands for the command: it writes a diary as the real one does, a buffer every 20 ms, and ends as its name says.
STAND_IN = """
import json, os, pathlib, signal, sys, time
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
diary = folder / "diary"
diary.mkdir(exist_ok=True)
kept = folder / "kept"
buffer = int(kept.read_text()) if kept.exists() else 0
stop = []
signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
if name == "refused":
    sys.exit("curvature: 3it\\rNo space left on device.")
if name == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
while buffer < (10 ** 6 if name.startswith("long") else 5) and not (diary / "finish").exists():
    if stop:
        sys.exit(130)
    time.sleep(0.02)
    buffer += 1
    kept.write_text(str(buffer))
    look = {"kind": "look", "buffer": buffer, "of": 5, "seconds": buffer * 2.0, "x": [1.0, 0.5], "z": [1.0, 0.25], "n": 8,
            "ratio": 0.5, "interval": [0.4, 0.6], "sheet": "none.webp", "optimizer": "lbfgs", "losses": {}}
    with (diary / "diary.jsonl").open("a") as file:
        file.write(json.dumps(look) + "\\n")
"""


NICENESS = 5  # a busy machine would let the lowest priority wait for minutes


def stand_in(training: Training) -> Sequence[str]:
    return [sys.executable, "-S", "-c", STAND_IN, str(training.folder), training.record.request.name]


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Models:
    monkeypatch.chdir(tmp_path)
    tiny_domain(tmp_path / "assets", "faces")
    return embedded_models(tmp_path / "assets", [str(plugin(tmp_path))])


@pytest.fixture
def started(models: Models) -> Iterator[Callable[..., Trainings]]:
    """Makes a server's trainings, which end with the test."""
    made: list[Trainings] = []

    def start(command: Any = stand_in) -> Trainings:
        made.append(Trainings(Path("trainings"), Trainable(models), command=command, niceness=NICENESS))
        return made[-1]

    yield start
    for each in made:
        each.close()


def request(name: str, **values: Any) -> Request:
    return Request(task="decay", name=name, **values)


def until(condition: Callable[[], object]) -> None:
    """Wait until it holds; the test's own limit of time ends it otherwise."""
    while not condition():
        time.sleep(0.01)


def pictures(folder: Path, n: int) -> list[str]:
    """Pictures of noise."""
    random = torch.Generator().manual_seed(0)
    for index in range(n):
        (folder / f"{index}.png").write_bytes(png_bytes(torch.randint(256, (3, 40, 40), generator=random, dtype=torch.uint8)))
    return [str(folder / f"{index}.png") for index in range(n)]


def test_one_is_trained_at_a_time_and_the_others_know_their_place(started: Callable[..., Trainings]) -> None:
    trainings = started()
    first, second, third = (trainings.begin(request(name), []) for name in ("long", "b", "c"))
    until(lambda: first.record.state == "running" and trainings.all() and len(first.looks) > 1)
    assert [each["place"] for each in told(trainings, None, 0)["trainings"]] == [2, 1, 0]
    if hasattr(os, "getpriority"):
        assert first.process is not None
        assert os.getpriority(os.PRIO_PROCESS, first.process.pid) == NICENESS
    trainings.act(second.id, "pause")
    trainings.act(first.id, "pause")
    until(lambda: third.record.state == "done")
    assert (first.record.state, second.record.state) == ("paused", "paused")
    trainings.act(second.id, "resume")
    until(lambda: second.record.state == "done")


def test_paused_it_goes_on_where_it_was_and_finishes_when_told(started: Callable[..., Trainings]) -> None:
    trainings = started()
    training = trainings.begin(request("long"), [])
    until(lambda: trainings.all() and len(training.looks) >= 3)
    trainings.act(training.id, "pause")
    until(lambda: training.record.state == "paused")
    trainings.all()
    stood = training.looks[-1]["buffer"]
    trainings.act(training.id, "resume")
    until(lambda: trainings.all() and training.looks[-1]["buffer"] > stood)
    trainings.act(training.id, "finish")
    until(lambda: training.record.state == "done")
    buffers = [look["buffer"] for look in training.looks]
    assert buffers == list(range(1, len(buffers) + 1))


def test_the_next_server_goes_on_with_what_one_left(started: Callable[..., Trainings]) -> None:
    trainings = started()
    running, waiting, paused = (trainings.begin(request(name), []) for name in ("long", "b", "c"))
    trainings.act(paused.id, "pause")
    until(lambda: trainings.all() and len(running.looks) > 1)
    trainings.close()
    following = started()
    again = following.get(running.id)
    until(lambda: following.all() and len(again.looks) > len(running.looks))
    assert following.get(waiting.id).record.state == "queued"
    assert following.get(paused.id).record.state == "paused"


def test_a_killed_server_leaves_its_training_as_it_stood(started: Callable[..., Trainings]) -> None:
    trainings = started()
    training = trainings.begin(request("b"), [])
    until(lambda: training.record.state == "running")
    assert Training.read(training.folder).record.state == "running"  # what a kill would leave on the disk
    until(lambda: training.record.state == "done")
    training.become(state="running")
    trainings.close()
    again = started().get(training.id)
    until(lambda: again.record.state == "done")


@pytest.mark.parametrize(("name", "reason"), [("refused", "No space left on device."), ("killed", "SIGKILL")])
def test_what_ended_it_is_said_in_a_sentence(started: Callable[..., Trainings], name: str, reason: str) -> None:
    trainings = started()
    training = trainings.begin(request(name), [])
    until(lambda: training.record.state == "failed")
    assert reason in training.record.reason
    trainings.act(training.id, "resume")
    until(lambda: training.record.state == "failed")


def test_without_its_model_it_waits_for_a_server_that_has_it(started: Callable[..., Trainings], models: Models) -> None:
    trainings = started()
    training = trainings.begin(request("long"), [])
    trainings.close()
    models.own.clear()
    following = started()
    again = following.get(training.id)
    assert "This server has no model 'decay'" in again.record.reason
    with pytest.raises(UserError, match="start it with --task"):
        following.act(training.id, "resume")


def test_names_are_taken_by_spaces_and_by_trainings(started: Callable[..., Trainings]) -> None:
    trainings = started()
    trainings.begin(request("long"), [])
    for name in ("long", "random"):
        with pytest.raises(UserError, match="already, or in training"):
            trainings.begin(request(name), [])


def test_no_more_are_kept_than_the_limit(started: Callable[..., Trainings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TRAININGS", 1)
    trainings = started()
    training = trainings.begin(request("long"), [])
    with pytest.raises(UserError, match="remove one first"):
        trainings.begin(request("b"), [])
    trainings.act(training.id, "remove")
    assert not training.folder.exists()
    trainings.begin(request("b"), [])
    with pytest.raises(UserError, match="not here any more"):
        trainings.act(training.id, "pause")


def test_another_server_cannot_train_in_the_same_folder(started: Callable[..., Trainings], models: Models) -> None:
    from filelock import FileLock

    Path("trainings").mkdir()
    with FileLock("trainings/.lock"), pytest.raises(UserError, match="Another training is running"):
        started()


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


def test_pages_are_told_what_it_costs_and_only_looks_they_lack(started: Callable[..., Trainings]) -> None:
    trainings = started()
    training = trainings.begin(request("b", minutes=1), [])
    until(lambda: training.record.state == "done")
    state, sheets = server_functions(trainings)
    said = state([training.id, 3])
    assert [look["buffer"] for look in said["looks"]] == [4, 5]
    assert said["trainings"][0]["seconds"] == 10.0
    assert state(["../..", -5])["looks"] == state(None)["looks"] == []
    assert sheets([training.id, 99]) is sheets(["no", 0]) is sheets("x") is None


@pytest.mark.timeout(600)
def test_a_trained_theta_is_there_for_everybody_as_a_space_and_as_a_bundle(
    started: Callable[..., Trainings], models: Models, tmp_path: Path
) -> None:
    held = models.get("decay")
    trainings = started(None)
    training = trainings.begin(request("mine", buffers=2, minutes=1, data=FILES), [str(curve(tmp_path))])
    until(lambda: training.record.state in ("done", "failed"))
    assert training.record.state == "done", training.record.reason
    assert "mine" in models.get("decay").mappings
    assert "mine" not in held.mappings  # who searches with it goes on with what they have
    assert add_bundle(training.bundle, tmp_path / "elsewhere").name == "decay/theta-mine"
    assert [look["buffer"] for look in training.looks] == [0, 1, 2]
    sheets = server_functions(trainings)[1]
    assert sheets([training.id, 0]) is not None
    trainings.act(training.id, "remove")
    assert zoo.names(zoo.OWN) == []
    assert "mine" not in models.get("decay").mappings


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


def recordings(folder: Path) -> Path:
    """A zip of two motions of 40 frames."""
    with zipfile.ZipFile(folder / "walks.zip", "w") as archive:
        for name in ("deep/a.bvh", "b.bvh"):
            archive.writestr(name, bvh_text(load_body().skeleton, 0.3 * random_rotvec(40, 20)))
    return folder / "walks.zip"


@pytest.mark.timeout(600)
def test_a_theta_for_poses_is_trained_on_recordings_and_is_a_space_of_the_pose_tab(
    started: Callable[..., Trainings], tmp_path: Path
) -> None:
    trainings = started(None)
    asked_for = Request(task="pose-positions", name="mine", buffers=2, minutes=1, data=FILES)
    training = trainings.begin(asked_for, [str(recordings(tmp_path))])
    until(lambda: training.record.state in ("done", "failed"))
    assert training.record.state == "done", training.record.reason
    poses = trainings.models.poses
    assert "mine" in poses.get("pose-positions").mappings
    assert "mine" not in poses.get("pose").mappings
    assert add_bundle(training.bundle, tmp_path / "elsewhere").name == "pose/theta-positions-mine"
    assert [look["buffer"] for look in training.looks] == [0, 1, 2]
    state, sheets = server_functions(trainings)
    assert state(None)["trainings"][0]["tab"] == "pose"
    shown = sheets([training.id, 2])
    assert shown is not None
    with Image.open(io.BytesIO(base64.b64decode(shown))) as sheet:
        assert sheet.width > sheet.height > FIGURE_SIDE  # figures: four targets across, three rows
    trainings.act(training.id, "remove")
    assert zoo.names(zoo.OWN) == []
    assert "mine" not in poses.get("pose-positions").mappings
