"""AMASS recordings (Mahmood et al. 2019): npz files of SMPL-H or SMPL-X poses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from landscape_core.errors import UserError, listed, reading
from landscape_core.pose.kinematics import Skeleton

MAX_BYTES = 256 * 2**20  # of the poses, unpacked
RATES = ("mocap_framerate", "mocap_frame_rate")  # of SMPL-H, of SMPL-X
JOINTS = 22  # of the body, the pelvis first; hands, jaw and eyes follow
WIDTHS = {66: "the body alone", 72: "SMPL", 156: "SMPL-H", 165: "SMPL-X"}  # 3 + 63 for the body, the rest behind it
# Name, parent, and offset in cm from it of an average body with its arms held out: x to its left, y up, z forwards.
_BODY: tuple[tuple[str, int, tuple[float, float, float]], ...] = (
    ("Pelvis", -1, (0, 0, 0)),
    ("L_Hip", 0, (7, -9, 0)),
    ("R_Hip", 0, (-7, -9, 0)),
    ("Spine1", 0, (0, 11, -3)),
    ("L_Knee", 1, (4, -38, 0)),
    ("R_Knee", 2, (-4, -38, 0)),
    ("Spine2", 3, (0, 13, 1)),
    ("L_Ankle", 4, (-1, -41, -4)),
    ("R_Ankle", 5, (1, -41, -4)),
    ("Spine3", 6, (0, 6, 3)),
    ("L_Foot", 7, (4, -6, 12)),
    ("R_Foot", 8, (-4, -6, 12)),
    ("Neck", 9, (0, 21, -3)),
    ("L_Collar", 9, (8, 11, -2)),
    ("R_Collar", 9, (-8, 11, -2)),
    ("Head", 12, (0, 9, 5)),
    ("L_Shoulder", 13, (9, 4, -2)),
    ("R_Shoulder", 14, (-9, 4, -2)),
    ("L_Elbow", 16, (26, 0, -2)),
    ("R_Elbow", 17, (-26, 0, -2)),
    ("L_Wrist", 18, (25, 0, 0)),
    ("R_Wrist", 19, (-25, 0, 0)),
)


# What its nodes are called in the skeleton that other rigs are carried over to; there is none for Spine2.
COMMON_NAMES = {
    "Pelvis": "Hips", "Spine1": "Spine", "Spine3": "Chest",
    **{f"{side}_{theirs}": f"{ours}_{side}" for side in "LR" for theirs, ours in (
        ("Hip", "UpperLeg"), ("Knee", "LowerLeg"), ("Ankle", "Foot"), ("Foot", "Toes"), ("Collar", "Shoulder"),
        ("Shoulder", "UpperArm"), ("Elbow", "LowerArm"), ("Wrist", "Hand"),
    )},
}  # fmt: skip


def rest_skeleton() -> Skeleton:
    """That body without its root, whose poses are relative to its arms held out."""
    (root, *_), *joints = _BODY
    names, parents, offsets = zip(*joints, strict=True)
    reference = torch.eye(3).expand(len(joints), 3, 3)
    return Skeleton(names, parents, torch.tensor(offsets, dtype=torch.float32), reference, torch.eye(3), root)


NOTICE = "The file has no bone lengths; those of an average body, arms held out at rest, are taken."


@dataclass(frozen=True, eq=False)
class Amass:
    """A recording. frames: (T, 22, 3), axis-angle in radians, each joint relative to its parent; fps of them a second, None
    where the file does not say."""

    frames: np.ndarray
    names: tuple[str, ...] = tuple(name for name, _, _ in _BODY)
    parents: tuple[int, ...] = tuple(parent for _, parent, _ in _BODY)
    notices: tuple[str, ...] = (NOTICE,)
    fps: float | None = None

    def local_rotations(self, frame: int) -> np.ndarray:
        """Rotation matrices (22, 3, 3) of one frame, each relative to the parent joint.

        Raises:
            UserError: no such frame, or values that are no angles.
        """
        if not 0 <= frame < len(self.frames):
            raise UserError(f"There is no frame {frame} in this recording; it has frames 0 to {len(self.frames) - 1}.")
        angles = self.frames[frame].astype(np.float64)
        if not np.isfinite(angles).all() or np.abs(angles).max() > 1000.0:
            raise UserError(f"Frame {frame} of this recording contains values that are no angles in radians.")
        return Rotation.from_rotvec(angles).as_matrix()

    def offsets_at(self, frame: int) -> np.ndarray:
        """Where each joint lies from its parent: (22, 3), cm, the same in every frame."""
        return np.array([offset for _, _, offset in _BODY], dtype=np.float64)


def load_amass(path: Path) -> Amass:
    """The recording in an AMASS npz: `poses` (T, 156) for SMPL-H, (T, 165) for SMPL-X.

    Raises:
        UserError: no such file, no npz of plain arrays, too large, or without poses of these widths.
    """
    with reading(str(path), "is not an npz of plain arrays"), path.open("rb") as file, np.load(file) as archive:
        if "poses" not in archive:
            raise UserError(f"{path} is no AMASS recording: it has no 'poses', but {listed(archive.files)}.")
        if archive.zip.getinfo("poses.npy").file_size > MAX_BYTES:
            raise UserError(f"The poses of {path} unpack to more than {MAX_BYTES // 2**20} MiB; cut the recording down.")
        poses = archive["poses"]
        fps = next((_rate(archive[key]) for key in RATES if key in archive), None)
    if poses.ndim != 2 or poses.shape[1] not in WIDTHS or len(poses) == 0 or poses.dtype.kind != "f":
        widths = ", ".join(f"{width} ({what})" for width, what in WIDTHS.items())
        raise UserError(f"'poses' of {path} must be numbers (frames, width) with a width of {widths}; it is {poses.shape}.")
    return Amass(poses[:, : 3 * JOINTS].reshape(-1, JOINTS, 3), fps=fps)


def _rate(value: np.ndarray) -> float | None:
    """Frames a second, where that is a number that a recording can have."""
    plain = value.size == 1 and value.dtype.kind in "iuf"
    return float(value.item()) if plain and 0.1 <= value.item() <= 10_000 else None
