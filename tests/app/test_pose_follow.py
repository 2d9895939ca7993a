"""The panel that follows a clip, without a browser: what it streams, keeps and refuses."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from app.following import run as events
from app.following.run import FollowJob, Source
from app.pose.follow import source_of
from app.pose.settings import defaults
from app.pose.tab import DRAWING, pose_models
from app.runs.models import Models
from landscape_core.errors import UserError
from landscape_core.pose.bvh import parse_bvh
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.clip import drawn_clip
from landscape_core.pose.task import load_body
from tests.tiny.pose import random_rotvec

NAMES = list(load_body().skeleton.names)
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
    task = models.get(DRAWING)
    return source_of(task, task, defaults(models).settings, 3, path, None, {**ASKED, **changes})


def messages(models: Models, job: FollowJob, path: str | None, **changes: Any) -> list[dict[str, Any]]:
    return [*events.start(job, source(models, path, **changes))]


def test_frames_stream_and_the_zip_has_both_motions(models: Models, walk: str) -> None:
    job = FollowJob(2)
    begin, *frames, end = messages(models, job, walk, every=2, smoothness=0.1)
    assert (begin["lanes"], begin["numbers"], begin["fps"]) == (["X", "Z"], [0, 2, 4], pytest.approx(12.5, rel=1e-3))
    assert [step for each in frames for step in each["steps"]] == [0, 1, 2]
    assert all(len(each["lanes"]["Z"]["joints"][0]) == 63 for each in frames)
    assert "3 frames, warm, 2 steps each" in end["summary"]
    errors = torch.tensor([error for each in frames for error in each["lanes"]["X"]["error"]])
    assert f"X: {errors.mean():.3g} cm" in end["summary"]
    archive = zipfile.ZipFile(events.export(job))
    assert [len(parse_bvh(archive.read(f"{lane}.bvh").decode()).frames) for lane in ("X", "Z", "target")] == [3, 3, 3]


def test_a_stopped_one_keeps_what_it_has(models: Models, walk: str) -> None:
    job = FollowJob()
    going = events.start(job, source(models, walk))
    next(going), next(going)
    job.stop.set()
    end = [*going][-1]
    assert end["reason"] == "Stopped after 1 of 5 frames; those are kept."
    assert len(parse_bvh(zipfile.ZipFile(events.export(job)).read("X.bvh").decode()).frames) == 1


def test_without_a_file_the_prior_draws_a_motion_that_closes(models: Models) -> None:
    begin, *_ = messages(models, FollowJob(), None, order="cold", steps=1)
    clip = drawn_clip(models.get(DRAWING), 3)
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
