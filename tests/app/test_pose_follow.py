"""The panel that follows a clip, without a browser: what it streams, keeps and refuses."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch

from app.following import run as events
from app.following.run import FollowJob, Source
from app.pose.follow import source_of
from app.pose.settings import defaults
from app.runs.models import Models, pose_models
from landscape_core.errors import UserError
from landscape_core.pose.bvh import parse_bvh
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.clip import drawn_clip
from landscape_core.pose.task import load_body
from landscape_core.records.export import file_name
from landscape_core.search.race import RunSettings
from tests.tiny.pose import random_rotvec

NAMES = list(load_body().skeleton.names)
LANES = ["X · L-BFGS", "Z · L-BFGS", "X · LM", "Z · LM"]
ASKED = {"first": 0, "last": None, "every": 1, "steps": 2, "order": "warm", "smoothness": 0, "visible": NAMES}


@pytest.fixture(scope="module")
def models() -> Models:
    return pose_models()


@pytest.fixture
def walk(tmp_path: Path) -> str:
    path = tmp_path / "walk.bvh"
    path.write_text(bvh_text(load_body().skeleton, 0.3 * random_rotvec(5, 20), 25.0))
    return str(path)


def source(models: Models, path: str | None, **changes: Any) -> Source:
    task = models.get("pose")
    return source_of(task, task, defaults(models).settings, 3, path, None, {**ASKED, **changes})


def messages(models: Models, job: FollowJob, path: str | None, **changes: Any) -> list[dict[str, Any]]:
    return told(events.start(job, source(models, path, **changes)))


def told(messages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """All but those of progress, of which a slow machine sends more."""
    return [message for message in messages if message["kind"] != "progress"]


def test_frames_stream_and_the_zip_has_both_motions(models: Models, walk: str) -> None:
    job = FollowJob(2)
    begin, *frames, end = messages(models, job, walk, every=2, smoothness=0.1)
    assert (begin["lanes"], begin["numbers"], begin["fps"]) == (LANES, [0, 2, 4], pytest.approx(12.5, rel=1e-3))
    assert [begin["table"][name]["cell"] for name in LANES] == ["X1", "Z1", "X2", "Z2"]
    assert [step for each in frames for step in each["steps"]] == [0, 1, 2]
    assert all(len(each["lanes"][name]["joints"][0]) == 63 for each in frames for name in LANES)
    assert "3 frames, warm, 2 steps each" in end["summary"]
    errors = torch.tensor([error for each in frames for error in each["lanes"]["X · LM"]["error"]])
    assert f"X · LM: {errors.mean():.3g} cm" in end["summary"]
    archive = zipfile.ZipFile(events.export(job))
    files = [f"{file_name(name)}.bvh" for name in (*LANES, "target")]
    assert [len(parse_bvh(archive.read(name).decode()).frames) for name in files] == [3] * 5


def test_positions_are_followed_by_what_can_search_them(models: Models, walk: str) -> None:
    task = models.get("pose-positions")
    race = RunSettings.table(task, "residual", ["adam", "levenberg-marquardt"])
    asked = {**ASKED, "steps": 6, "visible": NAMES[:10]}
    job = FollowJob()
    begin, *frames, _ = told(events.start(job, source_of(task, models.get("pose"), race, 3, walk, None, asked)))
    assert begin["lanes"] == ["X · Adam", "Z · Adam", "X · LM", "Z · LM"]
    mean = {name: sum(each["lanes"][name]["error"][0] for each in frames) / len(frames) for name in begin["lanes"]}
    assert mean["X · LM"] < mean["X · Adam"], "a sum of squares is what LM is for"


def test_a_stopped_one_keeps_what_it_has(models: Models, walk: str) -> None:
    job = FollowJob()
    going = events.start(job, source(models, walk))
    assert any(message["kind"] == "frames" for message in going)
    job.stop.set()
    end = [*going][-1]
    assert end["reason"] == "Stopped after 1 of 5 frames; those are kept."
    assert len(parse_bvh(zipfile.ZipFile(events.export(job)).read(f"{file_name(LANES[0])}.bvh").decode()).frames) == 1


def test_how_far_a_pass_is_comes_before_its_frames_and_stop_is_heard_within_it(models: Models, walk: str) -> None:
    job = FollowJob()
    going = events.start(job, source(models, walk, order="cold", steps=300))
    begin, first = next(going), next(going)
    assert (begin["kind"], first["kind"]) == ("begin", "progress"), "nothing of the pass is found yet"
    assert 0 < first["share"] < 1
    job.stop.set()
    assert [message.get("reason") for message in going] == ["Stopped before the first frames were done."]


def test_without_a_file_the_prior_draws_a_motion_that_closes(models: Models) -> None:
    begin, *_ = messages(models, FollowJob(), None, order="cold", steps=1)
    clip = drawn_clip(models.get("pose"), 3)
    assert (begin["label"], len(begin["motion"])) == ("drawn motion 3", len(clip))
    assert torch.allclose(clip.rotvec[0], clip.rotvec[-1], atol=1e-3)
    assert float(clip.rotvec.diff(dim=0).abs().mean()) > 1e-3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"steps": 0}, "Steps a frame"),
        ({"order": "hot"}, "order"),
        ({"order": "cold", "smoothness": 1}, "warm"),
        ({"first": "a"}, "whole numbers"),
        ({"last": 9}, "frames 0 to 4"),
        ({"visible": []}, "At least one joint"),
    ],
)
def test_what_cannot_be_is_a_sentence(models: Models, walk: str, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        messages(models, FollowJob(), walk, **changes)
    with pytest.raises(UserError, match="nothing to export"):
        events.export(None)
