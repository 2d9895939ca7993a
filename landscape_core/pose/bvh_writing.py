"""Poses of our skeleton as a BVH motion file."""

from __future__ import annotations

import warnings

import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from landscape_core.pose.kinematics import Skeleton


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
