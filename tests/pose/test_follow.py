"""`follow` on motions: a range of frames, joint errors, files that play at the clip's own speed."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from landscape_core.cli import app
from landscape_core.commands import follow as command
from landscape_core.console import Bar
from landscape_core.errors import UserError
from landscape_core.pose.bvh import parse_bvh
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.clip import load_clip
from landscape_core.pose.experiments import following
from landscape_core.pose.motion import pose_of
from landscape_core.pose.recordings import Poses, draw_clips
from landscape_core.pose.task import Observation, load_body, load_pose_task
from tests.tiny.pose import random_rotvec

FRAMES = 7


def moving(frames: int = FRAMES) -> torch.Tensor:
    """From one pose to another: (frames, 20, 3)."""
    start, end = 0.3 * random_rotvec(2, 20)
    return torch.stack([torch.lerp(start, end, share) for share in torch.linspace(0.0, 1.0, frames).tolist()])


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    path = tmp_path / "walk.bvh"
    path.write_text(bvh_text(load_body().skeleton, moving(), 25.0))
    return path


def invoke(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(arguments))
    if isinstance(done.exception, UserError):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.output


def test_a_clip_is_a_range_that_keeps_its_time(walk: Path) -> None:
    skeleton = load_body().skeleton
    clip = load_clip(walk, skeleton, first=1, last=6, every=2)
    assert ([*clip.frames], clip.fps) == ([1, 3, 5], pytest.approx(12.5, rel=1e-3))
    assert torch.allclose(clip.rotvec, moving()[[1, 3, 5]], atol=1e-4)
    walk.write_text(walk.read_text().replace("Frame Time: 0.0400000", "Frame Time: soon"))
    clip = load_clip(walk, skeleton)
    assert (len(clip), clip.fps) == (FRAMES, 30.0)
    assert "30 are assumed" in clip.notices[0]


@pytest.mark.parametrize(
    ("more", "said"), [({"first": 7}, "frames 0 to 6"), ({"last": 9}, "0 to 9 by 1"), ({"most": 3}, "7 frames, and at most 3")]
)
def test_ranges_that_cannot_be_are_sentences(walk: Path, more: dict[str, int], said: str) -> None:
    with pytest.raises(UserError, match=said):
        load_clip(walk, load_body().skeleton, **more)


def test_a_motion_is_followed_and_written_with_its_errors_and_its_speed(walk: Path, tmp_path: Path) -> None:
    said = invoke("follow", str(walk), "--every", "2", "--steps", "12", "--seen", "upper", "--smoothness", "0.01",
                  "--task", "pose-positions", "--out", str(tmp_path / "out"), "--threads", "1")  # fmt: skip
    assert "4 frames, warm, 12 steps each. X:" in said
    archive = zipfile.ZipFile(tmp_path / "out" / "walk.zip")
    rows = [*csv.DictReader(io.StringIO(archive.read("measures.csv").decode()))]
    assert [row["frame"] for row in rows if row["lane"] == "Z"] == ["0", "2", "4", "6"]
    body = load_body("positions")
    errors = torch.tensor([[float(row[f"{name} (cm)"]) for name in body.skeleton.names] for row in rows if row["lane"] == "Z"])
    truth = body.target(moving()[::2]).value
    motion = parse_bvh(archive.read("Z.bvh").decode())
    assert motion.fps == pytest.approx(12.5, rel=1e-3)
    found = torch.stack([pose_of(motion, body.skeleton, frame) for frame in range(4)])
    again = (body.target(found).value - truth)[:, 1:].norm(dim=-1)
    assert torch.allclose(errors, again, atol=0.02), "the poses written are those that were measured"
    seen = torch.tensor(["Leg" not in name and "Foot" not in name and "Toes" not in name for name in body.skeleton.names])
    assert float(errors[:, seen].mean()) < 4.0
    record = json.loads(archive.read("run.json"))
    assert record["following"] == {"order": "warm", "batch": 64, "smoothness": 0.01}
    assert record["result"]["Z"]["cm"] == pytest.approx(float(errors.mean()), rel=1e-3)
    readme = archive.read("README.md").decode()
    assert "- frames: 0 to 6, every 2, 12.5 a second\n" in readme
    (line,) = (line for line in readme.splitlines() if line.startswith("python -m"))
    invoke(*line.replace("CLIP", str(walk)).split()[3:], "--seen", "upper", "--out", str(tmp_path / "again"))
    assert zipfile.ZipFile(tmp_path / "again" / "walk.zip").read("Z.bvh") == archive.read("Z.bvh")
    assert {"README.md", "target.bvh", "X.bvh", "over-time.svg", "run.gif", "run.mp4"} <= {*archive.namelist()}


def test_a_motion_is_followed_by_every_optimiser_that_a_pose_is_searched_by(walk: Path, tmp_path: Path) -> None:
    by = [word for name in ("adam", "lbfgs", "levenberg-marquardt") for word in ("--optimizer", name)]
    invoke("follow", str(walk), "--last", "1", "--steps", "6", "--task", "pose-positions", *by, "--out", str(tmp_path),
           "--threads", "1")  # fmt: skip
    result = json.loads(zipfile.ZipFile(tmp_path / "walk.zip").read("run.json"))["result"]
    assert {*result} == {f"{row} · {name}" for row in "XZ" for name in ("Adam", "L-BFGS", "LM")}
    assert result["X · LM"]["cm"] < result["X · Adam"]["cm"]


def test_what_was_done_when_it_was_stopped_is_written(walk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Impatient(Bar):
        def __call__(self, done: int, total: int, figures: Mapping[str, Any]) -> bool:
            self.stopped = done == 3
            return super().__call__(done, total, figures)

    monkeypatch.setattr(command, "Bar", Impatient)
    said = invoke("follow", str(walk), "--steps", "2", "--out", str(tmp_path), "--threads", "1", code=130)
    assert "3 frames, warm" in said
    assert len(parse_bvh(zipfile.ZipFile(tmp_path / "walk.zip").read("X.bvh").decode()).frames) == 3


def test_mistakes_are_sentences(walk: Path, tmp_path: Path) -> None:
    for arguments, word in (
        ([str(walk), "--seen", "Tail"], "no joint Tail"),
        ([str(walk), "--space", "flow"], "no space 'flow'"),
        ([str(tmp_path / "absent.gif"), "--seen", "upper"], "for motions, not for pictures"),
        ([str(tmp_path / "absent.bvh")], "There is no file"),
    ):
        with pytest.raises(UserError, match=word):
            invoke("follow", *arguments)


def test_clips_are_frames_in_a_row_of_recordings_long_enough() -> None:
    poses = Poses(
        torch.arange(12.0)[:, None, None].expand(12, 2, 3), torch.tensor([0] * 3 + [1] * 5 + [2] * 4), ("a", "b", "c")
    )
    clips = draw_clips(poses, 5, 4, seed=0)
    assert clips.shape == (2, 4, 2, 3)
    assert bool((clips.diff(dim=1) == 1).all())
    assert {float(clip[0, 0, 0]) for clip in clips} <= {3.0, 4.0, 8.0}
    with pytest.raises(UserError, match="the longest has 5"):
        draw_clips(poses, 1, 6, seed=0)


@pytest.mark.parametrize("observation", ["rotations", "positions"])
def test_the_experiment_compares_the_same_clips(
    observation: Observation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "MOVES", (0.3, 1.0))
    task, body = load_pose_task(observation), load_body(observation)
    clips = torch.stack([moving(3), moving(3).flip(0)])
    settings = following.FollowSettings(clips=2, frames=3, steps=(2, 5), tune_clips=1)
    result = following.run_following(task, body, clips, {"val": clips}, settings, "test", lambda *_: None)
    assert (result.n, result.experiment) == ({"val": 2}, "follow" if observation == "rotations" else "follow-positions")
    for optimiser in ("Adam", "L-BFGS", "Levenberg-Marquardt"):
        for row in (f"X {optimiser}", f"Z {optimiser}"):
            few, more = result.series[f"{row} warm cm | val"]
            assert more < few
            assert min(result.series[f"{row} cold frames a second | val"]) > 0
        claimed = {claim.claim for claim in result.claims}
        assert f"val: joint error by 2 steps a frame, cold, Z {optimiser} against X {optimiser}" in claimed
    name = "val: joint error by 5 steps a frame, X Levenberg-Marquardt, warm against cold"
    means = result.comparisons[name]["means"]
    series = [result.series[f"X Levenberg-Marquardt {order} cm | val"][1] for order in ("warm", "cold")]
    assert means == pytest.approx(series, rel=1e-4)
    chosen = result.settings["chosen"]["X Levenberg-Marquardt cold 5"]["5"]
    assert chosen["name"] == "levenberg-marquardt"
    following.plot(result, tmp_path / "follow.png")
    assert (tmp_path / "follow.png").stat().st_size > 10_000
