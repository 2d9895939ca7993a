"""BVH in and out: exact for our skeleton, by bone directions for other rigs, sentences for everything else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.pose import bvh
from landscape_core.pose.bvh import load_bvh, parse_bvh
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.kinematics import ForwardKinematics, Skeleton, load_skeleton, rotvec_to_matrix
from landscape_core.pose.motion import pose_of
from landscape_core.storage import zoo

MIXAMO = {
    "Chest": "mixamorig:Spine2",
    "Spine": "mixamorig:Spine",
    "Neck": "mixamorig:Neck",
    "Head": "mixamorig:Head",
    "Shoulder_": "mixamorig:{}Shoulder",
    "UpperArm_": "mixamorig:{}Arm",
    "LowerArm_": "mixamorig:{}ForeArm",
    "Hand_": "mixamorig:{}Hand",
    "UpperLeg_": "mixamorig:{}UpLeg",
    "LowerLeg_": "mixamorig:{}Leg",
    "Foot_": "mixamorig:{}Foot",
    "Toes_": "mixamorig:{}ToeBase",
    "Hips": "mixamorig:Hips",
}
BIOVISION = MIXAMO | {
    "Chest": "Chest2",
    "Spine": "Chest",
    "Shoulder_": "{}Collar",
    "UpperArm_": "{}Shoulder",
    "LowerArm_": "{}Elbow",
    "Hand_": "{}Wrist",
    "UpperLeg_": "{}Hip",
    "LowerLeg_": "{}Knee",
    "Foot_": "{}Ankle",
    "Toes_": "{}Toe",
}


@pytest.fixture(scope="module")
def skeleton() -> Skeleton:
    return load_skeleton(zoo.ASSETS / "pose" / "skeleton.json")


def poses(n: int, seed: int = 0) -> Tensor:
    return 0.6 * torch.randn(n, 20, 3, generator=torch.Generator().manual_seed(seed))


def renamed(text: str, names: dict[str, str]) -> str:
    for ours, theirs in names.items():
        for side, word in (("L", "Left"), ("R", "Right")) if ours.endswith("_") else (("", ""),):
            for kind in ("JOINT", "ROOT"):
                text = text.replace(f"{kind} {ours}{side}\n", f"{kind} {theirs.format(word)}\n")
    return text


def places(skeleton: Skeleton, rotvec: Tensor) -> Tensor:
    return ForwardKinematics(skeleton)(rotvec_to_matrix(rotvec))


def test_what_is_written_is_read_back(skeleton: Skeleton, tmp_path: Path) -> None:
    written = poses(3)
    (tmp_path / "a.bvh").write_text(bvh_text(skeleton, written))
    motion = load_bvh(tmp_path / "a.bvh")
    again = torch.stack([pose_of(motion, skeleton, frame) for frame in range(3)])
    torch.testing.assert_close(rotvec_to_matrix(again), rotvec_to_matrix(written), atol=1e-5, rtol=0)


def test_gimbal_lock_is_written_without_a_warning(skeleton: Skeleton) -> None:
    target = Rotation.from_euler("ZXY", [20.0, 90.0, 40.0], degrees=True)
    locked = skeleton.reference[0].double().numpy().T @ target.as_matrix()
    pose = torch.zeros(1, 20, 3)
    pose[0, 0] = torch.from_numpy(Rotation.from_matrix(locked).as_rotvec())
    again = pose_of(parse_bvh(bvh_text(skeleton, pose)), skeleton)
    torch.testing.assert_close(rotvec_to_matrix(again), rotvec_to_matrix(pose[0]), atol=1e-4, rtol=0)


@settings(deadline=None)
@given(st.permutations("XYZ"), st.lists(st.floats(-180, 180), min_size=3, max_size=3))
def test_channels_turn_in_their_order(axes: list[str], angles: list[float]) -> None:
    channels = " ".join(f"{axis}rotation" for axis in axes)
    text = "HIERARCHY\nROOT a {\nOFFSET 0 0 0\nCHANNELS 6 Xposition Yposition Zposition " + channels + "\n}\n"
    text += "MOTION\nFrames: 1\nFrame Time: 0.1\n1 2 3 " + " ".join(map(repr, angles))
    expected = Rotation.from_euler("".join(axes), angles, degrees=True).as_matrix()
    np.testing.assert_allclose(parse_bvh(text).local_rotations(0)[0], expected, atol=1e-9)


def test_windows_lines_a_byte_order_mark_and_braces_on_the_line(skeleton: Skeleton, tmp_path: Path) -> None:
    text = bvh_text(skeleton, poses(1)).replace("\n{", " {")
    (tmp_path / "w.bvh").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    again = pose_of(load_bvh(tmp_path / "w.bvh"), skeleton)
    torch.testing.assert_close(rotvec_to_matrix(again), rotvec_to_matrix(poses(1)[0]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("names", [MIXAMO, BIOVISION])
def test_another_rig_keeps_the_directions_of_its_bones(names: dict[str, str], skeleton: Skeleton) -> None:
    """Our own bones under foreign names, turned and scaled as a whole: every joint must come out where it was."""
    pose = poses(2)
    if names is BIOVISION:
        pose[:, 0] = 0.0  # Biovision has no joint below the chest: it rests there
    text = renamed(bvh_text(skeleton, pose), names)
    lines = text.splitlines()
    values = lines[-1].split()
    lines[-1] = " ".join([*values[:3], "75", "-20", "130", *values[6:]])  # the hips of the second frame turned
    lines = [
        " ".join([line.partition("OFFSET")[0] + "OFFSET", *(str(2.5 * float(v)) for v in line.split()[1:])])
        if "OFFSET" in line
        else line
        for line in lines
    ]
    motion = parse_bvh("\n".join(lines))
    carried = torch.stack([pose_of(motion, skeleton, frame) for frame in range(2)])
    torch.testing.assert_close(places(skeleton, carried), places(skeleton, pose), atol=1e-2, rtol=0)


def test_a_rig_without_toes_leaves_them_at_rest(skeleton: Skeleton) -> None:
    text = renamed(bvh_text(skeleton, poses(1)), MIXAMO | {"Toes_": "{}Unknown"})
    carried = pose_of(parse_bvh(text), skeleton)
    feet = [skeleton.names.index(f"Foot_{side}") for side in "LR"]
    torch.testing.assert_close(carried[feet], torch.zeros(2, 3), atol=1e-5, rtol=0)


HEAD = "HIERARCHY\nROOT a {\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\n}\n"
MOTION = "MOTION\nFrames: 1\nFrame Time: 0.1\n1 2 3\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "not a BVH"),
        ("\x00\x01\x02", "not a BVH"),
        (HEAD, "not a BVH"),
        (MOTION, "not a BVH"),
        (HEAD.replace("}", "") + MOTION, "unfinished"),
        ("HIERARCHY\n" + MOTION, "unfinished"),
        (HEAD + "}\n" + MOTION, "cannot be read at '}'"),
        (HEAD + HEAD[10:] + MOTION, "holds a second body, 'a'"),
        (HEAD.replace("}", "JOINT a {\nOFFSET 1 0 0\n}\n}") + MOTION, "same name"),
        (HEAD.replace("}", "End Site {\nOFFSET 1 0 0\nJOINT b {\n}\n}\n}") + MOTION, "no parent"),
        (HEAD.replace("OFFSET 0 0 0", "OFFSET 0 zero 0") + MOTION, "not a number"),
        (HEAD.replace("OFFSET 0 0 0", "OFFSET 0 nan 0") + MOTION, "not finite"),
        (HEAD.replace("Zrotation", "Wrotation") + MOTION, "positions and rotations"),
        (HEAD.replace("CHANNELS 3", "CHANNELS 4") + MOTION, "positions and rotations"),
        (HEAD + MOTION.replace("Frames: 1", "Frames: many"), "must begin with 'Frames:'"),
        (HEAD.replace("OFFSET 0 0 0", "OFFSET 0 -1e308 0") + MOTION, r"beyond 1e\+08"),
        (HEAD + MOTION.replace("Frames: 1", "Frames: 0").replace("1 2 3\n", ""), "at least one"),
        (HEAD.replace("}", "JOINT b {" * (bvh.MAX_JOINTS + 1)) + MOTION, "more than 512 joints"),
        ("HIERARCHY\n" + "{" * (bvh.MAX_HIERARCHY + 1) + "\n" + MOTION, "larger than"),
        (HEAD + MOTION + "\n" * bvh.MAX_FRAMES, "more than 200,000 frames"),
    ],
)
def test_bad_files_are_sentences(text: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        parse_bvh(text)


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("End Site", "End site"),
        ("End Site", "END SITE"),
        ("End Site", "End Site Tip_of_it"),
        ("End Site", "End Tip"),
        ("position", "Position"),
        ("rotation", "ROTATION"),
        ("JOINT", "Joint"),
        ("OFFSET", "Offset"),
        ("Frame Time", "frame time"),
        ("MOTION", "Motion"),
        ("HIERARCHY", "Hierarchy"),
        ("Frames: 3", "FRAMES:   3"),
    ],
)
def test_keywords_may_be_written_as_common_writers_do(skeleton: Skeleton, written: str, instead: str) -> None:
    text = bvh_text(skeleton, poses(3))
    assert written in text
    again = pose_of(parse_bvh(text.replace(written, instead)), skeleton, 2)
    torch.testing.assert_close(rotvec_to_matrix(again), rotvec_to_matrix(poses(3)[2]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("announced", [0, 2, 4, 100])
def test_a_wrong_number_of_frames_is_said_and_what_is_there_is_read(skeleton: Skeleton, announced: int) -> None:
    right = parse_bvh(bvh_text(skeleton, poses(3)))
    motion = parse_bvh(bvh_text(skeleton, poses(3)).replace("Frames: 3", f"Frames: {announced}"))
    assert (len(motion.frames), right.notices) == (3, ())
    assert motion.notices == (f"The file announces {announced} frames and holds 3; those that are there are read.",)
    assert torch.equal(pose_of(motion, skeleton, 2), pose_of(right, skeleton, 2))


def test_lengths_that_stand_in_position_channels_are_taken_from_there(skeleton: Skeleton) -> None:
    """Every offset zero, and the lengths in each frame, as some exporters write: our own bones and a foreign rig's."""
    pose = poses(1)
    lines = bvh_text(skeleton, pose).splitlines()
    offsets = [line.split()[1:] for line in lines if "OFFSET" in line and line.split()[1:] != ["0", "0", "0"]]
    angles = lines[-1].split()[3:]
    frame = " ".join(" ".join([*place, *angles[3 * i : 3 * i + 3]]) for i, place in enumerate(offsets))
    text = "\n".join(
        line.partition("OFFSET")[0] + "OFFSET 0 0 0" if "OFFSET" in line
        else line.replace("CHANNELS 3 ", "CHANNELS 6 Xposition Yposition Zposition ")
        for line in [*lines[:-1], frame]
    )  # fmt: skip
    torch.testing.assert_close(pose_of(parse_bvh(text), skeleton), pose[0], atol=1e-4, rtol=0)
    carried = pose_of(parse_bvh(renamed(text, MIXAMO)), skeleton)
    torch.testing.assert_close(places(skeleton, carried[None]), places(skeleton, pose), atol=1e-2, rtol=0)


@pytest.mark.parametrize(
    ("values", "frame", "sentence"),
    [
        ("nan 0 0", 0, "not finite"),
        ("0 inf 0", 0, "not finite"),
        ("1 two 3", 0, "not a number"),
        ("1 1e300 3", 0, r"beyond 1e\+08"),
        ("1 2", 0, "2 values; its joints have 3"),
        ("1 2 3", 1, "frames 0 to 0"),
        ("1 2 3", -1, "frames 0 to 0"),
    ],
)
def test_bad_frames_are_sentences(values: str, frame: int, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        parse_bvh(HEAD + MOTION.replace("1 2 3", values)).local_rotations(frame)


def test_a_skeleton_that_does_not_match_is_a_sentence(skeleton: Skeleton) -> None:
    with pytest.raises(UserError, match=r"another skeleton: nothing in it stands for Hips, .*Head"):
        pose_of(parse_bvh(HEAD + MOTION), skeleton)
    text = bvh_text(skeleton, poses(1))
    turned = text.replace("OFFSET 24.328600", "OFFSET -24.328600")  # LowerArm_L
    with pytest.raises(UserError, match="'LowerArm_L' points elsewhere"):
        pose_of(parse_bvh(turned), skeleton)
    moved = text.replace("JOINT Spine\n", "JOINT swap\n").replace("JOINT Chest\n", "JOINT Spine\n")
    with pytest.raises(UserError, match="'Spine' hangs from another joint"):
        pose_of(parse_bvh(moved.replace("JOINT swap\n", "JOINT Chest\n")), skeleton)
    flat = renamed(text, MIXAMO).replace("-6.469440", "0").replace("6.469440", "0")
    with pytest.raises(UserError, match="no width"):
        pose_of(parse_bvh(flat), skeleton)


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="There is no file"):
        load_bvh(tmp_path / "none.bvh")
    with pytest.raises(UserError, match="cannot be read: is a directory"):
        load_bvh(tmp_path)
    (tmp_path / "big.bvh").write_text(HEAD + MOTION)
    monkeypatch.setattr(bvh, "MAX_BYTES", 10)
    with pytest.raises(UserError, match="larger than"):
        load_bvh(tmp_path / "big.bvh")
