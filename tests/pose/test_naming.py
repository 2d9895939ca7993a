"""Rigs of many tools: every joint is found by its name, limb by limb, and what is not is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from landscape_core.errors import UserError
from landscape_core.pose.bvh import parse_bvh
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.kinematics import ForwardKinematics, load_skeleton, rotvec_to_matrix
from landscape_core.pose.motion import pose_of
from landscape_core.pose.naming import plain_names, read_joint_map, side_and_part
from landscape_core.storage import zoo

SKELETON = load_skeleton(zoo.ASSETS / "pose" / "skeleton.json")
POSE = 0.6 * torch.randn(1, 20, 3, generator=torch.Generator().manual_seed(3))
OURS = [
    "Hips",
    "Spine",
    "Chest",
    "Neck",
    "Head",
    "Shoulder",
    "UpperArm",
    "LowerArm",
    "Hand",
    "UpperLeg",
    "LowerLeg",
    "Foot",
    "Toes",
]
MIXAMO = "Hips Spine Spine1 Neck Head *Shoulder *Arm *ForeArm *Hand *UpLeg *Leg *Foot *ToeBase"
SMPL = "Pelvis Spine1 Spine3 Neck Head *_Collar *_Shoulder *_Elbow *_Wrist *_Hip *_Knee *_Ankle *_Foot"
RIGS = {  # names in the order of OURS, * for the side, and the words for the sides
    "mixamo": (MIXAMO, "Left", "Right"),
    "smpl": (SMPL, "L", "R"),
    "daz": ("hip abdomen chest neck head *Collar *Shldr *ForeArm *Hand *Thigh *Shin *Foot *Toe", "l", "r"),
    "rokoko": ("Hips Spine Spine2 Neck Head *Shoulder *Arm *ForeArm *Hand *Thigh *Shin *Foot *Toe", "Left", "Right"),
    "blender": (
        "hips spine chest neck head shoulder.* upper_arm.* forearm.* hand.* thigh.* shin.* foot.* toe.*", "L", "R",
    ),
    "unreal": (
        "pelvis spine_01 spine_03 neck_01 head clavicle_* upperarm_* lowerarm_* hand_* thigh_* calf_* foot_* ball_*", "l", "r",
    ),
    "max": (
        "Bip01_Pelvis Bip01_Spine Bip01_Spine1 Bip01_Neck Bip01_Head Bip01_*_Clavicle Bip01_*_UpperArm Bip01_*_Forearm "
        "Bip01_*_Hand Bip01_*_Thigh Bip01_*_Calf Bip01_*_Foot Bip01_*_Toe0", "L", "R",
    ),
    "hybrid": ("Hips Spine Spine1 Neck Head *Shoulder *Arm *ForeArm *Hand *Hip *Knee *Ankle *Toe", "Left", "Right"),
    "lower case": (MIXAMO.lower(), "left", "right"),
    "behind": ("Hips Spine Spine1 Neck Head Shoulder* Arm* ForeArm* Hand* UpLeg* Leg* Foot* Toe*", "Left", "Right"),
}  # fmt: skip


def named_as(rig: str, text: str = "") -> str:
    """Our own bones, posed, under the rig's names."""
    names, left, right = RIGS[rig]
    text = text or bvh_text(SKELETON, POSE)
    for ours, theirs in zip(OURS, names.split(), strict=True):
        for side, word in (("_L", left), ("_R", right)):
            text = text.replace(f"JOINT {ours}{side}\n", f"JOINT {theirs.replace('*', word)}\n")
        text = text.replace(f"JOINT {ours}\n", f"JOINT {theirs}\n").replace(f"ROOT {ours}\n", f"ROOT {theirs}\n")
    return text


def every_name(text: str, change: str) -> str:
    """All joint names changed: "Char:{}"."""
    lines = [line.split(maxsplit=1) if line.lstrip().startswith(("ROOT", "JOINT")) else line for line in text.splitlines()]
    return "\n".join(line if isinstance(line, str) else f"{line[0]} {change.format(line[1])}" for line in lines)


def assert_same_body(text: str, tolerance: float = 1e-2) -> None:
    kinematics = ForwardKinematics(SKELETON)
    found, wanted = (kinematics(rotvec_to_matrix(pose)) for pose in (pose_of(parse_bvh(text), SKELETON)[None], POSE))
    torch.testing.assert_close(found, wanted, atol=tolerance, rtol=0)


@pytest.mark.parametrize("rig", RIGS)
def test_the_joints_of_common_rigs_are_found(rig: str) -> None:
    assert_same_body(named_as(rig))


@pytest.mark.parametrize("change", ["Char:{}", "Char_{}", "char{}", "{}_01", "{}.mocap", "a|b:{}", "Actor1_{}_jnt", "{}Bone"])
@pytest.mark.parametrize("rig", ["ours", "mixamo", "smpl", "blender"])
def test_what_all_names_share_is_taken_off(rig: str, change: str) -> None:
    assert_same_body(every_name(bvh_text(SKELETON, POSE) if rig == "ours" else named_as(rig), change))


def test_numbers_behind_the_names_may_differ() -> None:
    names = iter(range(100))
    text = "".join(
        f"{line}_{next(names):02}\n" if line.lstrip().startswith(("ROOT", "JOINT")) else f"{line}\n"
        for line in named_as("mixamo").splitlines()
    )
    assert_same_body(text)


def test_affixes_that_only_some_names_have_stay() -> None:
    names = ["Hips", "LeftArm", "LeftHand", "RightArm", "RightHand", "Spine_01", "Spine_02"]
    assert plain_names(names) == names
    assert plain_names(["Char:Hips", "Hips"]) == ["Hips", "Hips"]


@pytest.mark.parametrize(
    ("name", "side", "part"),
    [("LeftForeArm", "_L", "forearm"), ("lForeArm", "_L", "forearm"), ("RHipJoint", "_R", "hipjoint"), ("shin.R", "_R", "shin"),
     ("Hand_l", "_L", "hand"), ("righttoebase", "_R", "toebase"), ("kneeleft", "_L", "knee"), ("Spine1", "", "spine1"),
     ("L", "", "l"), ("left", "", "left"), ("", "", "")],
)  # fmt: skip
def test_sides_are_told_from_parts(name: str, side: str, part: str) -> None:
    assert side_and_part(name) == (side, part)


def two_people(second: str) -> str:
    """One body under the hips of another; of the second only the joints of `second` are kept under their names."""
    head, motion = bvh_text(SKELETON, POSE).split("MOTION")
    first, other = (every_name(named_as("mixamo", head), f"{person}:{{}}").replace("HIERARCHY\n", "") for person in "AB")
    body = first.rstrip().removesuffix("}") + other.replace("ROOT", "JOINT") + "}\n"
    numbers = motion.splitlines()[-1].split()
    return "HIERARCHY\n" + body.replace(second, "Prop") + "MOTION\nFrames: 1\nFrame Time: 0.1\n" + " ".join(numbers * 2) + "\n"


def test_two_people_in_one_file_are_refused() -> None:
    with pytest.raises(UserError, match=r"Both 'A:Hips' and 'B:Hips' stand for Hips: the file holds more than one body"):
        pose_of(parse_bvh(two_people("nothing")), SKELETON)
    with pytest.raises(UserError, match="second body, 'B:Hips'"):
        parse_bvh(bvh_text(SKELETON, POSE).replace("MOTION", "ROOT B:Hips\n{\nOFFSET 0 0 0\n}\nMOTION"))


def test_two_bodies_of_our_own_names_are_refused() -> None:
    text = bvh_text(SKELETON, POSE)
    head, motion = text.split("MOTION")
    both = (
        head.rstrip().removesuffix("}") + every_name(head, "B:{}").replace("HIERARCHY\n", "").replace("ROOT", "JOINT") + "}\n"
    )
    with pytest.raises(UserError, match="more than one body"):
        pose_of(parse_bvh(f"{both}MOTION{motion.rstrip()} {motion.splitlines()[-1]}\n"), SKELETON)


def test_a_foot_that_hangs_elsewhere_is_no_foot_of_this_leg() -> None:
    text = named_as("mixamo")
    swapped = text.replace("LeftFoot", "swap").replace("RightFoot", "LeftFoot").replace("swap", "RightFoot")
    with pytest.raises(UserError, match="'LeftFoot' does not hang from 'LeftLeg'"):
        pose_of(parse_bvh(swapped), SKELETON)


def test_what_is_not_recognised_is_listed_and_can_be_named(tmp_path: Path) -> None:
    text = named_as("mixamo").replace("LeftHand", "Pfote").replace("RightLeg", "Stelze")
    with pytest.raises(UserError, match=r"stands for Hand_L, LowerLeg_R\. Not recognised of it: Pfote, Stelze\. .*--map FILE"):
        pose_of(parse_bvh(text), SKELETON)
    (tmp_path / "map.json").write_text(json.dumps({"Hand_L": "Pfote", "LowerLeg_R": "Stelze"}))
    named = read_joint_map(tmp_path / "map.json", SKELETON)
    kinematics = ForwardKinematics(SKELETON)
    found = kinematics(rotvec_to_matrix(pose_of(parse_bvh(text), SKELETON, 0, named)[None]))
    torch.testing.assert_close(found, kinematics(rotvec_to_matrix(POSE)), atol=1e-2, rtol=0)
    with pytest.raises(UserError, match="no joint 'Tatze'; it has Hips, Spine"):
        pose_of(parse_bvh(text), SKELETON, 0, {"Hand_L": "Tatze"})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("[]", "one JSON object"), ('{"Hand_L": 3}', "one JSON object"), ("hello", "not a JSON file"),
     ('{"Paw": "x"}', "names Paw"), (None, "There is no file"), ("[" * 100_000, "not a JSON file")],
)  # fmt: skip
def test_files_that_are_no_maps_are_sentences(tmp_path: Path, content: str | None, sentence: str) -> None:
    if content is not None:
        (tmp_path / "map.json").write_text(content)
    with pytest.raises(UserError, match=sentence):
        read_joint_map(tmp_path / "map.json", SKELETON)
