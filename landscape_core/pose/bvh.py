"""BVH motion files: one frame in as a pose of our skeleton, poses of our skeleton out.

A file of this skeleton (the same joint names and bone directions, as in the Bandai-Namco files) is read exactly.
Files of other rigs are carried over by bone directions, see `landscape_core.pose.retarget`.
"""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.pose.kinematics import Skeleton
from landscape_core.pose.retarget import carry_over

MAX_BYTES = 32 * 2**20
MAX_HIERARCHY = 2**20
MAX_JOINTS = 512
MAX_FRAMES = 200_000
_SAME_DIRECTION = math.cos(math.radians(5.0))


@dataclass(frozen=True, eq=False)
class Bvh:
    """A parsed file. names: N joints, the root first. parents: N indices, -1 for the root. offsets: (N, 3).

    channels: per joint, such as ("Zrotation", "Xrotation", "Yrotation"). frames: one line of numbers per frame.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray
    channels: tuple[tuple[str, ...], ...]
    frames: tuple[str, ...]

    def local_rotations(self, frame: int) -> np.ndarray:
        """Rotation matrices (N, 3, 3) of one frame, each relative to the parent joint.

        Raises:
            UserError: no such frame, the wrong number of values in it, or values that are not finite.
        """
        if not 0 <= frame < len(self.frames):
            raise UserError(f"There is no frame {frame} in this BVH; it has frames 0 to {len(self.frames) - 1}.")
        values = _numbers(self.frames[frame], f"frame {frame}")
        wanted = sum(map(len, self.channels))
        if len(values) != wanted:
            raise UserError(f"Frame {frame} of this BVH has {len(values)} values; its joints have {wanted} channels.")
        ends = np.cumsum([len(channels) for channels in self.channels])[:-1]
        joints = zip(self.channels, np.split(np.array(values), ends), strict=True)
        return np.stack([_rotation(channels, of_joint) for channels, of_joint in joints])


def _rotation(channels: tuple[str, ...], values: np.ndarray) -> np.ndarray:
    """Channels in their order, each turning in the frame the ones before have turned; positions are skipped."""
    turns = [(channel[0], value) for channel, value in zip(channels, values, strict=True) if channel.endswith("rotation")]
    matrix = np.eye(3)
    for axis, degrees in turns:
        matrix = matrix @ Rotation.from_euler(axis, degrees, degrees=True).as_matrix()
    return matrix


def _numbers(text: str, what: str) -> list[float]:
    try:
        values = [float(word) for word in text.split()]
    except ValueError as error:
        raise UserError(f"In the {what} of this BVH something is not a number: {error}") from error
    if not all(math.isfinite(value) for value in values):
        raise UserError(f"The {what} of this BVH contains values that are not finite numbers.")
    return values


def parse_bvh(text: str) -> Bvh:
    """Parse the text of a BVH file.

    Raises:
        UserError: not a BVH, an unfinished or too large hierarchy, or no frames.
    """
    head, *rest = re.split(r"^[ \t]*MOTION[ \t\r]*$", text, maxsplit=1, flags=re.MULTILINE)
    if not head.lstrip("\ufeff \t\r\n").startswith("HIERARCHY") or not rest:
        raise UserError("This is not a BVH file: it must start with HIERARCHY and have a MOTION part.")
    if len(head) > MAX_HIERARCHY:
        raise UserError(f"The hierarchy of this BVH is larger than {MAX_HIERARCHY // 2**10} KiB.")
    lines = _frame_lines(rest[0])
    builder = _Hierarchy()
    for line in re.sub(r"([{}])", r"\n\1\n", head).splitlines()[1:]:
        if line.strip():
            builder.read(line.split())
    return builder.finish(lines)


def _frame_lines(motion: str) -> tuple[str, ...]:
    start = re.match(r"\s*Frames:\s*(\d{1,9})\s+Frame Time:\s*\S+[^\S\n]*(?:\n|$)", motion)
    if start is None:
        raise UserError("The MOTION part of this BVH must begin with 'Frames:' and 'Frame Time:'.")
    if motion.count("\n") > MAX_FRAMES:
        raise UserError(f"This BVH has more than {MAX_FRAMES:,} frames; cut the motion down to the frames you need.")
    lines = tuple(line for line in motion[start.end() :].splitlines() if line.strip())
    if not lines or len(lines) != int(start[1]):
        raise UserError(f"This BVH announces {start[1]} frames and holds {len(lines)}; at least one is needed.")
    return lines


class _Hierarchy:
    """Collects joints line by line. `open` holds the joints whose braces are open; None is an end site."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.parents: list[int] = []
        self.offsets: list[list[float]] = []
        self.channels: list[tuple[str, ...]] = []
        self.open: list[int | None] = []

    def read(self, words: list[str]) -> None:
        match words:
            case ["HIERARCHY"] | ["{"]:
                pass
            case ["ROOT" | "JOINT" as kind, *name] if name and (kind == "ROOT") == (not self.names):
                self._add(" ".join(name))
            case ["End", "Site"] if self.open:
                self.open.append(None)
            case ["OFFSET", _, _, _] if self.open:
                self._set_offset(words)
            case ["CHANNELS", count, *channels] if self.open and self.open[-1] is not None:
                self._set_channels(count, channels)
            case ["}"] if self.open:
                self.open.pop()
            case _:
                raise UserError(f"The hierarchy of this BVH cannot be read at '{' '.join(words)[:60]}'.")

    def _add(self, name: str) -> None:
        parent = self.open[-1] if self.open else -1
        if parent is None or (parent == -1 and self.names):
            raise UserError(f"The joint '{name}' of this BVH has no parent joint.")
        if len(self.names) == MAX_JOINTS:
            raise UserError(f"This BVH has more than {MAX_JOINTS} joints.")
        self.open.append(len(self.names))
        self.names.append(name)
        self.parents.append(parent)
        self.offsets.append([0.0, 0.0, 0.0])
        self.channels.append(())

    def _set_offset(self, words: list[str]) -> None:
        values = _numbers(" ".join(words[1:]), "hierarchy")
        if self.open[-1] is not None:
            self.offsets[self.open[-1]] = values

    def _set_channels(self, count: str, channels: list[str]) -> None:
        known = all(re.fullmatch(r"[XYZ](position|rotation)", channel) for channel in channels)
        if not known or count != str(len(channels)) or self.open[-1] is None:
            raise UserError(f"The channels '{' '.join(channels)[:60]}' in this BVH are not {count} positions and rotations.")
        self.channels[self.open[-1]] = tuple(channels)

    def finish(self, frames: tuple[str, ...]) -> Bvh:
        if self.open or not self.names:
            raise UserError("The hierarchy of this BVH is unfinished: a closing brace or the root is missing.")
        if len(set(self.names)) != len(self.names):
            raise UserError("Two joints of this BVH have the same name.")
        return Bvh(tuple(self.names), tuple(self.parents), np.array(self.offsets), tuple(self.channels), frames)


def load_bvh(path: Path) -> Bvh:
    """Parse a BVH file of at most 32 MiB. Raises UserError where it cannot be read."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path.name} is larger than {MAX_BYTES // 2**20} MiB; cut the motion down to the frames you need.")
        return parse_bvh(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error


def pose_of(bvh: Bvh, skeleton: Skeleton, frame: int = 0) -> Tensor:
    """One frame as a pose (J, 3): axis-angle in radians relative to the skeleton's reference.

    Raises:
        UserError: no such frame, values that are not finite, or a rig that has no known place in the skeleton.
    """
    local = bvh.local_rotations(frame)
    if set(skeleton.names) <= set(bvh.names):
        local = _own_rotations(bvh, local, skeleton)
    else:
        local = carry_over(bvh.names, bvh.parents, bvh.offsets, local, skeleton)
    rotvec = Rotation.from_matrix(skeleton.reference.mT.double().numpy() @ local).as_rotvec()
    return torch.from_numpy(rotvec).float()


def _own_rotations(bvh: Bvh, local: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Local rotations (J, 3, 3) of a file with our joint names, after checking that its bones are ours."""
    index = [bvh.names.index(name) for name in skeleton.names]
    for joint, source in enumerate(index):
        parent = skeleton.node_names[skeleton.parents[joint]]
        if bvh.parents[source] < 0 or bvh.names[bvh.parents[source]] != parent:
            raise UserError(f"'{skeleton.names[joint]}' hangs from another joint in this BVH; here its parent is '{parent}'.")
        ours, theirs = skeleton.offsets[joint].double().numpy(), bvh.offsets[source]
        if ours @ theirs < _SAME_DIRECTION * np.linalg.norm(ours) * np.linalg.norm(theirs) or not theirs.any():
            raise UserError(f"The bone of '{skeleton.names[joint]}' points elsewhere in this BVH: its skeleton is another one.")
    return local[index]


def bvh_text(skeleton: Skeleton, rotvec: Tensor, fps: float = 15.0) -> str:
    """Poses (T, J, 3) of a skeleton as the text of a BVH file, the hips fixed at the origin; lengths in cm."""
    local = skeleton.reference.double() @ torch.from_numpy(
        Rotation.from_rotvec(rotvec.detach().double().reshape(-1, 3).numpy()).as_matrix()
    ).reshape(*rotvec.shape[:2], 3, 3)
    hips = skeleton.hips_reference.double().expand(len(local), 1, 3, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # at gimbal lock one angle is arbitrary; the rotation is still right
        turns = Rotation.from_matrix(torch.cat([hips, local], dim=1).reshape(-1, 3, 3).numpy()).as_euler("ZXY", degrees=True)
    order = _depth_first(skeleton, 0)
    angles = turns.reshape(len(local), -1, 3)[:, order].reshape(len(local), -1)
    lines = [" ".join(["0 0 0", *(f"{angle:.6f}" for angle in frame)]) for frame in angles]
    head = ["HIERARCHY", *_node_lines(skeleton, 0, ""), "MOTION", f"Frames: {len(lines)}", f"Frame Time: {1 / fps:.7f}"]
    return "\n".join([*head, *lines]) + "\n"


def _children(skeleton: Skeleton, node: int) -> list[int]:
    return [joint + 1 for joint, parent in enumerate(skeleton.parents) if parent == node]


def _depth_first(skeleton: Skeleton, node: int) -> list[int]:
    return [node, *(below for child in _children(skeleton, node) for below in _depth_first(skeleton, child))]


def _node_lines(skeleton: Skeleton, node: int, indent: str) -> list[str]:
    offset = skeleton.offsets[node - 1].tolist() if node else [0.0, 0.0, 0.0]
    inner = indent + "  "
    children = [line for child in _children(skeleton, node) for line in _node_lines(skeleton, child, inner)]
    return [
        f"{indent}{'JOINT' if node else 'ROOT'} {skeleton.node_names[node]}",
        f"{indent}{{",
        f"{inner}OFFSET {' '.join(f'{value:.6f}' for value in offset)}",
        f"{inner}CHANNELS {'3' if node else '6 Xposition Yposition Zposition'} Zrotation Xrotation Yrotation",
        *(children or [f"{inner}End Site", f"{inner}{{", f"{inner}  OFFSET 0 0 0", f"{inner}}}"]),
        f"{indent}}}",
    ]
