"""Carrying a pose from another rig over to our skeleton by the directions of its bones.

Two ways of naming joints are known. Prefixes ("mixamorig:"), case and punctuation do not matter.

| ours                   | Mixamo, CMU, LAFAN                     | Biovision             |
|------------------------|----------------------------------------|-----------------------|
| Hips, Spine, Neck, Head| Hips, Spine, Neck, Head                | Hips, -, Neck, Head   |
| Chest                  | the parent of Neck                     | the parent of Neck    |
| Shoulder, UpperArm     | LeftShoulder, LeftArm                  | LeftCollar, LeftShoulder |
| LowerArm, Hand         | LeftForeArm, LeftHand                  | LeftElbow, LeftWrist  |
| UpperLeg, LowerLeg     | LeftUpLeg, LeftLeg                     | LeftHip, LeftKnee     |
| Foot, Toes             | LeftFoot, LeftToeBase or LeftToe       | LeftAnkle, LeftToe    |

Every bone gets the direction it has in the file. Turning about a bone's own axis cannot be seen in directions
and stays as in the reference pose, as do bones that the file lacks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from landscape_core.errors import UserError
from landscape_core.pose.kinematics import Skeleton

_SIDES = {"_L": "left", "_R": "right"}
# our joint, without its side -> the ways of naming it
_MIXAMO: Mapping[str, tuple[str, ...]] = {
    "Hips": ("hips",),
    "Spine": ("spine",),
    "Neck": ("neck",),
    "Head": ("head",),
    "Shoulder": ("shoulder",),
    "UpperArm": ("arm",),
    "LowerArm": ("forearm",),
    "Hand": ("hand",),
    "UpperLeg": ("upleg",),
    "LowerLeg": ("leg",),
    "Foot": ("foot",),
    "Toes": ("toebase", "toe"),
}
_BIOVISION: Mapping[str, tuple[str, ...]] = {
    "Hips": ("hips",),
    "Neck": ("neck",),
    "Head": ("head",),
    "Shoulder": ("collar",),
    "UpperArm": ("shoulder",),
    "LowerArm": ("elbow",),
    "Hand": ("wrist",),
    "UpperLeg": ("hip",),
    "LowerLeg": ("knee",),
    "Foot": ("ankle",),
    "Toes": ("toe",),
}
_OPTIONAL = ("Spine", "Toes_L", "Toes_R")


def carry_over(
    names: Sequence[str], parents: Sequence[int], offsets: np.ndarray, local: np.ndarray, skeleton: Skeleton
) -> np.ndarray:
    """Local rotations (J, 3, 3) that give our bones the directions of a posed rig.

    names, parents (-1 for the root), offsets (N, 3) and local rotations (N, 3, 3) describe the rig.

    Raises:
        UserError: joints that our skeleton needs have no counterpart, or hips and shoulders of no extent.
    """
    found = _counterparts(names, parents, skeleton)
    positions = _positions(parents, offsets, local)
    places = {ours: positions[theirs] for ours, theirs in found.items()}
    bones = dict(zip(skeleton.names, skeleton.offsets.double().numpy(), strict=True))
    view = _view(skeleton, bones, places)
    places = {name: view @ place for name, place in places.items()}
    turns, result = [skeleton.hips_reference.double().numpy()], []
    for joint, parent in enumerate(skeleton.parents):
        resting = turns[parent] @ skeleton.reference[joint].double().numpy()
        children = [skeleton.names[child] for child, above_it in enumerate(skeleton.parents) if above_it == joint + 1]
        turns.append(_orientation(skeleton.names[joint], children, bones, places, resting))
        result.append(turns[parent].T @ turns[-1])
    return np.stack(result)


def _view(skeleton: Skeleton, bones: Mapping[str, np.ndarray], places: Mapping[str, np.ndarray]) -> np.ndarray:
    """The rotation that turns the rig as a whole until its hips lie as ours, which do not move."""
    if "Spine" in places:
        above, ours_above = places["Spine"], bones["Spine"]
    else:
        spine = skeleton.reference[skeleton.names.index("Spine")].double().numpy()
        above, ours_above = places["Chest"], bones["Spine"] + spine @ bones["Chest"]
    ours = _triad(bones["UpperLeg_L"], bones["UpperLeg_R"], ours_above)
    rig = _triad(places["UpperLeg_L"], places["UpperLeg_R"], above)
    return np.asarray(skeleton.hips_reference.double().numpy() @ ours @ rig.T)


def _orientation(
    name: str, children: list[str], bones: Mapping[str, np.ndarray], places: Mapping[str, np.ndarray], resting: np.ndarray
) -> np.ndarray:
    """The global rotation of one of our joints: the least turn from rest that points its bone as in the rig."""
    if name == "Chest":
        trio = ("Shoulder_L", "Shoulder_R", "Neck")
        return _triad(*(places[child] for child in trio)) @ _triad(*(bones[child] for child in trio)).T
    if name not in places or not children or children[0] not in places:
        return resting
    bone = places[children[0]] - places[name]
    if np.linalg.norm(bone) < 1e-6:
        return resting
    return Rotation.align_vectors([bone], [resting @ bones[children[0]]])[0].as_matrix() @ resting


def _triad(left: np.ndarray, right: np.ndarray, above: np.ndarray) -> np.ndarray:
    """The rotation whose columns are: to the left, upwards, forwards."""
    side = left - right
    up = above - (left + right) / 2
    up = up - side * (up @ side) / max(side @ side, 1e-12)
    if min(np.linalg.norm(side), np.linalg.norm(up)) < 1e-6:
        raise UserError("The hips or shoulders of this BVH have no width or height, so that no direction can be read.")
    side, up = side / np.linalg.norm(side), up / np.linalg.norm(up)
    return np.stack([side, up, np.cross(side, up)], axis=1)


def _counterparts(names: Sequence[str], parents: Sequence[int], skeleton: Skeleton) -> dict[str, int]:
    """Our node name -> the rig's joint, by the way of naming that explains most."""
    plain = {re.sub(r"[^a-z0-9]", "", name.lower().rpartition(":")[2]): index for index, name in enumerate(names)}
    ways = [_match(way, plain, skeleton) for way in (_MIXAMO, _BIOVISION)]
    found = max(ways, key=len)
    if "Neck" in found and parents[found["Neck"]] >= 0:
        found["Chest"] = parents[found["Neck"]]
    missing = [name for name in skeleton.node_names if name not in found and name not in _OPTIONAL]
    if missing:
        raise UserError(
            f"This BVH has another skeleton: nothing in it stands for {', '.join(missing)}. "
            "Accepted are the joint names of this skeleton, of Mixamo, CMU or LAFAN rigs, and Biovision's."
        )
    return found


def _match(way: Mapping[str, tuple[str, ...]], plain: Mapping[str, int], skeleton: Skeleton) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in skeleton.node_names:
        side = _SIDES.get(name[-2:], "")
        for alias in way.get(name.removesuffix(name[-2:]) if side else name, ()):
            if side + alias in plain:
                found.setdefault(name, plain[side + alias])
    return found


def _positions(parents: Sequence[int], offsets: np.ndarray, local: np.ndarray) -> np.ndarray:
    """Joint positions (N, 3) of the posed rig, in its own units."""
    turns: list[np.ndarray] = []
    places: list[np.ndarray] = []
    for parent, offset, rotation in zip(parents, offsets, local, strict=True):
        turn, place = (turns[parent], places[parent]) if parent >= 0 else (np.eye(3), np.zeros(3))
        places.append(place + turn @ offset if parent >= 0 else np.zeros(3))
        turns.append(turn @ rotation)
    return np.stack(places)
