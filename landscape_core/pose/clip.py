"""A range of a motion's frames as poses of our skeleton, and how fast they follow each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.pose.kinematics import Skeleton, matrix_to_rotvec
from landscape_core.pose.motion import load_motion, pose_of
from landscape_core.pose.run_card import decoder_of
from landscape_core.records.clip import Clip, frames_of
from landscape_core.search.task import Task

MAX_FRAMES = 5000
USUAL_RATE = 30.0
DRAWN_FRAMES, DRAWN_RATE = 60, 15.0
UNSAID = f"The file does not say how many frames a second it has; {USUAL_RATE:g} are assumed."


@dataclass(frozen=True, eq=False, kw_only=True)
class PoseClip(Clip):
    """Poses (T, J, 3) in radians."""

    rotvec: Tensor

    def __len__(self) -> int:
        return len(self.rotvec)


def load_clip(
    path: Path, skeleton: Skeleton, named: Mapping[str, str] | None = None, *, first: int = 0, last: int | None = None,
    every: int = 1, most: int = MAX_FRAMES,
) -> PoseClip:  # fmt: skip
    """Every `every`th frame from `first` to `last` (the file's last where it is None), both among them, of a BVH file or an
    AMASS recording; it keeps its own time.

    Raises:
        UserError: as `motion.pose_of`; no frames in that range, or more than `most`.
    """
    motion = load_motion(path)
    frames = frames_of(len(motion.frames), first, last, every, most)
    poses = torch.stack([pose_of(motion, skeleton, frame, named) for frame in frames])
    notices = motion.notices if motion.fps else (*motion.notices, UNSAID)
    fps = (motion.fps or USUAL_RATE) / frames.step
    return PoseClip(name=path.stem, rotvec=poses, fps=fps, frames=frames, notices=notices)


@torch.no_grad()
def drawn_clip(task: Task, number: int, *, frames: int = DRAWN_FRAMES, fps: float = DRAWN_RATE) -> PoseClip:
    """A motion that the prior makes, once around an ellipse through two of its inputs, drawn by `number`: with μ the mean,
    x = μ + cos φ a + sin φ b, where every x is distributed as a draw is.

    Raises:
        UserError: not a whole number from 0 on.
    """
    if not isinstance(number, int) or not 0 <= number < 2**31:
        raise UserError("The number of a drawn motion must be a whole number from 0 on.")
    a, b = task.prior.sample(2, torch.Generator().manual_seed(number)) - task.prior.mean
    angle = torch.linspace(0.0, 2.0 * math.pi, frames)[:, None]
    x = task.prior.mean + angle.cos() * a + angle.sin() * b
    poses = matrix_to_rotvec(decoder_of(task)(x))
    return PoseClip(name=f"drawn motion {number}", rotvec=poses, fps=fps, frames=range(frames))
