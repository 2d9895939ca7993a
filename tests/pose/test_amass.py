"""AMASS recordings: the widths of SMPL-H and SMPL-X, a body in its rest pose, and files that are none."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from landscape_core.errors import UserError
from landscape_core.pose.amass import load_amass
from landscape_core.pose.kinematics import ForwardKinematics, load_skeleton, rotvec_to_matrix
from landscape_core.pose.motion import load_motion, pose_of
from landscape_core.storage import zoo

SKELETON = load_skeleton(zoo.ASSETS / "pose" / "skeleton.json")
ELBOW, KNEE = 18, 4  # SMPL's left ones


def recording(path: Path, poses: np.ndarray) -> Path:
    np.savez(path, poses=poses, trans=np.zeros((len(poses), 3)), betas=np.zeros(16), gender=np.array("neutral"))
    return path


def body(rotvec: torch.Tensor) -> dict[str, np.ndarray]:
    places = ForwardKinematics(SKELETON)(rotvec_to_matrix(rotvec[None]))[0].numpy()
    return dict(zip(SKELETON.node_names, places, strict=True))


def direction(places: dict[str, np.ndarray], start: str, end: str) -> np.ndarray:
    bone = places[end] - places[start]
    return bone / np.linalg.norm(bone)


@pytest.mark.parametrize("width", [66, 72, 156, 165])
def test_a_bent_elbow_bends_ours(tmp_path: Path, width: int) -> None:
    poses = np.zeros((3, width))
    poses[:, :3] = Rotation.from_euler("x", 90, degrees=True).as_rotvec()  # AMASS stands along z
    poses[1, 3 * ELBOW : 3 * ELBOW + 3] = (0, -np.pi / 2, 0)  # the left forearm, held out, turned forwards
    poses[:, 66:] = 9.0  # hands and face change nothing
    motion = load_motion(recording(tmp_path / "a.npz", poses))
    assert len(motion.frames) == 3
    rest, bent = (body(pose_of(motion, SKELETON, frame)) for frame in (0, 1))
    upper, lower = (direction(rest, *bone) for bone in (("UpperArm_L", "LowerArm_L"), ("LowerArm_L", "Hand_L")))
    assert upper @ lower > 0.99, "at rest the arm is straight"
    assert abs(direction(bent, "UpperArm_L", "LowerArm_L") @ direction(bent, "LowerArm_L", "Hand_L")) < 0.1
    for name in ("Hand_R", "Foot_L", "Head"):
        np.testing.assert_allclose(rest[name], bent[name], atol=1e-3)
    assert rest["Foot_L"][1] < rest["Hips"][1] < rest["Head"][1], "it stands upright"


def test_what_is_assumed_is_said(tmp_path: Path) -> None:
    (notice,) = load_amass(recording(tmp_path / "a.npz", np.zeros((1, 156)))).notices
    assert "no bone lengths" in notice


@pytest.mark.parametrize(
    ("poses", "sentence"),
    [(np.zeros((2, 63)), r"156 \(SMPL-H\).*it is \(2, 63\)"), (np.zeros(156), "it is"), (np.zeros((0, 156)), "it is"),
     (np.zeros((1, 156), dtype=complex), "numbers"), (np.array([[None]]), "not an npz of plain arrays")],
)  # fmt: skip
def test_other_poses_are_a_sentence(tmp_path: Path, poses: np.ndarray, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        load_amass(recording(tmp_path / "a.npz", poses))


def test_other_files_are_a_sentence(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", rotvec=np.zeros(3))
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "pickle.npz").write_bytes(b"\x80\x04K\x01.")
    for name, sentence in (("other", "it has no 'poses', but rotvec"), ("text", "not an npz"), ("pickle", "not an npz"),
                           ("absent", "There is no file")):  # fmt: skip
        with pytest.raises(UserError, match=sentence):
            load_amass(tmp_path / f"{name}.npz")
    np.save(tmp_path / "array.npy", np.zeros((1, 156)))
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    with pytest.raises(UserError, match="not an npz"):
        load_amass(tmp_path / "array.npz")


def test_values_that_are_no_angles_are_a_sentence(tmp_path: Path) -> None:
    for bad in (np.nan, 1e20):
        motion = load_amass(recording(tmp_path / "a.npz", np.full((1, 156), bad)))
        with pytest.raises(UserError, match="no angles in radians"):
            pose_of(motion, SKELETON)
    with pytest.raises(UserError, match="frames 0 to 0"):
        motion.local_rotations(1)


def test_a_file_that_unpacks_to_too_much_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("landscape_core.pose.amass.MAX_BYTES", 10_000)
    header = io.BytesIO()
    np.save(header, np.zeros((100, 156)))
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("poses.npy", header.getvalue())
    with pytest.raises(UserError, match="unpack to more than"):
        load_amass(tmp_path / "bomb.npz")
