"""Where the Pose tab's targets come from, without a browser: files, the prior, and joints that a visitor turns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from app.pose import targets as pose_targets
from app.runs.models import pose_models
from landscape_core.errors import UserError
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.task import load_body
from tests.tiny.pose import random_rotvec

SKELETON = load_body().skeleton
ALL = list(SKELETON.names)


def test_a_bvh_file_becomes_the_target(tmp_path: Path) -> None:
    poses = 0.3 * random_rotvec(2, 20)
    path = tmp_path / "walk.bvh"
    path.write_text(bvh_text(SKELETON, poses))
    picked = pose_targets.uploaded(path, 1)
    torch.testing.assert_close(picked.rotvec, poses[1], atol=1e-4, rtol=1e-4)
    assert picked.label == "walk, frame 1"
    with pytest.raises(UserError, match="no frame 2"):
        pose_targets.uploaded(path, 2)
    path.write_text("not a motion")
    with pytest.raises(UserError, match="not a BVH"):
        pose_targets.uploaded(path, 0)


def test_a_file_with_joints_of_other_names_needs_a_map_and_what_was_assumed_is_told(tmp_path: Path) -> None:
    poses = 0.3 * random_rotvec(2, 20)
    text, path, names = bvh_text(SKELETON, poses), tmp_path / "walk.bvh", tmp_path / "map.json"
    for number, joint in enumerate(SKELETON.names):
        text = text.replace(f"JOINT {joint}\n", f"JOINT Knochen{number}q\n")
    path.write_text(text.rstrip().rsplit("\n", 1)[0])  # one frame fewer than is announced
    with pytest.raises(UserError):
        pose_targets.uploaded(path, 0)
    names.write_text(json.dumps({joint: f"Knochen{number}q" for number, joint in enumerate(SKELETON.names)}))
    picked = pose_targets.uploaded(path, 0, names)
    assert picked.rotvec.shape == (20, 3)
    assert picked.notices
    names.write_text("[")
    with pytest.raises(UserError, match=r"map\.json"):
        pose_targets.uploaded(path, 0, names)


def test_an_amass_recording_becomes_the_target(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", poses=np.zeros((2, 156)), trans=np.zeros((2, 3)))
    assert pose_targets.uploaded(tmp_path / "a.npz", 1).label == "a, frame 1"


def test_editing_turns_one_joint() -> None:
    drawn = pose_targets.drawn(pose_models().get("pose"), 3)
    changed = pose_targets.edited(drawn, "LowerArm_L", [0, 90, 0])
    joint = ALL.index("LowerArm_L")
    torch.testing.assert_close(changed.rotvec[joint], torch.tensor([0.0, torch.pi / 2, 0.0]))
    others = [i for i in range(20) if i != joint]
    assert torch.equal(changed.rotvec[others], drawn.rotvec[others])
    with pytest.raises(UserError, match="finite"):
        pose_targets.edited(drawn, "LowerArm_L", [float("nan"), 0, 0])
    with pytest.raises(UserError, match="Tail"):
        pose_targets.edited(drawn, "Tail", [0, 0, 0])
    with pytest.raises(UserError, match="three angles"):
        pose_targets.edited(drawn, "Head", ["left", 0, 0])


def test_drawn_poses_are_numbered() -> None:
    task = pose_models().get("pose")
    assert torch.equal(pose_targets.drawn(task, 5).rotvec, pose_targets.drawn(task, 5).rotvec)
    assert not torch.equal(pose_targets.drawn(task, 5).rotvec, pose_targets.drawn(task, 6).rotvec)
    with pytest.raises(UserError, match="whole number"):
        pose_targets.drawn(task, -1)
