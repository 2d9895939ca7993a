"""A Θ that was trained to its end is a space of every tab, and a bundle that another server takes."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from app.runs.models import Models
from app.train.queue import Trainings
from app.train.request import FILES, Request
from app.train.tab import server_functions
from landscape_core.pose.drawing import FIGURE_SIDE
from landscape_core.storage import zoo
from landscape_core.storage.bundle import add_bundle
from tests.app.train.making import recordings, request, until
from tests.tiny.plugins import curve


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
