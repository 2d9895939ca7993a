"""Motions from anybody's files, and one frame of one as a pose of our skeleton.

A BVH file of this skeleton (the same joint names and bone directions, as in the Bandai-Namco files) is read exactly. Other
rigs are carried over by the directions of their bones, see `pose.retarget`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sized
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.pose.amass import COMMON_NAMES, load_amass
from landscape_core.pose.bvh import load_bvh
from landscape_core.pose.kinematics import Skeleton
from landscape_core.pose.naming import counterparts, plain_names
from landscape_core.pose.retarget import carry_over

SUFFIXES = (".bvh", ".npz")
_SAME_DIRECTION = math.cos(math.radians(5.0))


class Motion(Protocol):
    """A rig of N joints, the root first, and its frames; parents are indices, -1 for the root."""

    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def parents(self) -> tuple[int, ...]: ...
    @property
    def frames(self) -> Sized: ...
    @property
    def notices(self) -> tuple[str, ...]: ...
    @property
    def fps(self) -> float | None: ...

    def local_rotations(self, frame: int) -> np.ndarray:
        """Rotation matrices (N, 3, 3) of one frame, each relative to the parent joint."""
        ...

    def offsets_at(self, frame: int) -> np.ndarray:
        """Where each joint lies from its parent in one frame: (N, 3)."""
        ...


def load_motion(path: Path) -> Motion:
    """A BVH file, or where its name ends in .npz an AMASS recording. Raises UserError where it cannot be read."""
    return load_amass(path) if path.suffix.lower() == ".npz" else load_bvh(path)


def pose_of(motion: Motion, skeleton: Skeleton, frame: int = 0, named: Mapping[str, str] | None = None) -> Tensor:
    """One frame as a pose (J, 3): axis-angle in radians relative to the skeleton's reference, which is ours or SMPL's.

    `named` says for some of our joints which of the rig's they are; see `naming.read_joint_map`.

    Raises:
        UserError: no such frame, values that are not finite, or a rig that has no known place in the skeleton.
    """
    local, offsets = motion.local_rotations(frame), motion.offsets_at(frame)
    plain = plain_names(motion.names)
    if not named and set(skeleton.names) <= set(plain):
        local = _own_rotations(plain, motion.parents, offsets, local, skeleton)
    else:
        common = _by_common_names(skeleton)
        called = {COMMON_NAMES.get(ours, ours): theirs for ours, theirs in (named or {}).items()}
        found = counterparts(motion.names, motion.parents, common, called)
        local = carry_over(found, motion.parents, offsets, local, common)
    rotvec = Rotation.from_matrix(skeleton.reference.mT.double().numpy() @ local).as_rotvec()
    return torch.from_numpy(rotvec).float()


def _by_common_names(skeleton: Skeleton) -> Skeleton:
    """The skeleton with the names that rigs are carried over by."""
    names = tuple(COMMON_NAMES.get(name, name) for name in skeleton.names)
    return replace(skeleton, names=names, root=COMMON_NAMES.get(skeleton.root, skeleton.root))


def _own_rotations(
    names: list[str], parents: tuple[int, ...], offsets: np.ndarray, local: np.ndarray, skeleton: Skeleton
) -> np.ndarray:
    """Local rotations (J, 3, 3) of a file with our joint names, after checking that its bones are ours."""
    twice = [name for name in skeleton.names if names.count(name) > 1]
    if twice:
        raise UserError(f"There are two joints '{twice[0]}': the file holds more than one body. Keep one of them in it.")
    index = [names.index(name) for name in skeleton.names]
    for joint, source in enumerate(index):
        parent = skeleton.node_names[skeleton.parents[joint]]
        if parents[source] < 0 or names[parents[source]] != parent:
            raise UserError(f"'{skeleton.names[joint]}' hangs from another joint in this BVH; here its parent is '{parent}'.")
        ours, theirs = skeleton.offsets[joint].double().numpy(), offsets[source]
        if ours @ theirs < _SAME_DIRECTION * np.linalg.norm(ours) * np.linalg.norm(theirs) or not theirs.any():
            raise UserError(f"The bone of '{skeleton.names[joint]}' points elsewhere in this BVH: its skeleton is another one.")
    return local[index]
