"""Poses from an npz, and everything that can be wrong with one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from landscape_core.errors import UserError
from landscape_core.pose.recordings import load_mocap_skeleton, load_poses
from tests.tiny.pose import random_rotvec, tiny_skeleton


def mocap_arrays() -> dict[str, np.ndarray]:
    skeleton = tiny_skeleton()
    return {
        "joint_names": np.array(skeleton.names),
        "parents": np.array(skeleton.parents),
        "offsets": skeleton.offsets.numpy(),
        "reference": skeleton.reference.numpy(),
        "hips_reference": skeleton.hips_reference.numpy(),
        "train_rotvec": random_rotvec(7, 5).numpy(),
        "train_sequence": np.array([0, 0, 0, 1, 1, 1, 1]),
        "train_names": np.array(["walk", "run"]),
    }


def test_poses_and_skeleton_of_an_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", **mocap_arrays())
    poses = load_poses(tmp_path / "m.npz", "train")
    assert torch.equal(poses.rotvec, random_rotvec(7, 5))
    assert (len(poses), poses.names, poses.sequence.tolist()) == (7, ("walk", "run"), [0, 0, 0, 1, 1, 1, 1])
    assert load_mocap_skeleton(tmp_path / "m.npz").names == tiny_skeleton().names


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"train_names": None}, "no 'train_names'"),
        ({"joint_names": None}, "no 'joint_names'"),
        ({"train_rotvec": None}, "no split 'train'"),
        ({"train_rotvec": np.full((7, 5, 3), np.nan)}, "7 frames .* not finite"),
        ({"train_rotvec": np.zeros((7, 4, 3))}, "must be"),
        ({"train_sequence": np.array([0, 1])}, "must be"),
        ({"train_sequence": np.full(7, 2)}, "must index"),
        ({"train_rotvec": np.array([{}], dtype=object)}, "plain arrays"),
    ],
)
def test_wrong_npz_are_sentences(change: dict[str, np.ndarray | None], sentence: str, tmp_path: Path) -> None:
    arrays = {key: value for key, value in (mocap_arrays() | change).items() if value is not None}
    np.savez(tmp_path / "m.npz", **arrays)
    with pytest.raises(UserError, match=sentence):
        load_poses(tmp_path / "m.npz", "train")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 broken", None])
def test_files_that_are_no_npz(content: bytes | None, tmp_path: Path) -> None:
    if content is None:  # a single array
        np.save(tmp_path / "m.npy", np.zeros(3))
        content = (tmp_path / "m.npy").read_bytes()
    (tmp_path / "m.npz").write_bytes(content)
    with pytest.raises(UserError, match="plain arrays"):
        load_mocap_skeleton(tmp_path / "m.npz")
    with pytest.raises(UserError, match="no file"):
        load_poses(tmp_path / "none.npz", "train")
