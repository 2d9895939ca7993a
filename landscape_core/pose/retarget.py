"""Carrying a pose from another rig over to our skeleton by the directions of its bones.

Every bone gets the direction it has in the file. Turning about a bone's own axis cannot be seen in directions
and stays as in the reference pose, as do bones that the file lacks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from landscape_core.errors import UserError
from landscape_core.pose.kinematics import Skeleton


def carry_over(
    found: Mapping[str, int], parents: Sequence[int], offsets: np.ndarray, local: np.ndarray, skeleton: Skeleton
) -> np.ndarray:
    """Local rotations (J, 3, 3) that give our bones the directions of a posed rig.

    parents (-1 for the root), offsets (N, 3) and local rotations (N, 3, 3) describe the rig; `found` says which of its
    joints stand for ours, see `naming.counterparts`.

    Raises:
        UserError: hips or shoulders of no extent.
    """
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


def _positions(parents: Sequence[int], offsets: np.ndarray, local: np.ndarray) -> np.ndarray:
    """Joint positions (N, 3) of the posed rig, in its own units."""
    turns: list[np.ndarray] = []
    places: list[np.ndarray] = []
    for parent, offset, rotation in zip(parents, offsets, local, strict=True):
        turn, place = (turns[parent], places[parent]) if parent >= 0 else (np.eye(3), np.zeros(3))
        places.append(place + turn @ offset if parent >= 0 else np.zeros(3))
        turns.append(turn @ rotation)
    return np.stack(places)
