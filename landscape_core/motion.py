"""Poses from anybody's own BVH files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.bvh import load_bvh, pose_of
from landscape_core.errors import UserError
from landscape_core.kinematics import Skeleton


def bvh_files(path: Path) -> list[Path]:
    """The BVH file at `path`, or every one in that folder and the folders below it, by name.

    Raises:
        UserError: no such file or folder, or none in it.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UserError(f"There is no file or folder {path}.")
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() == ".bvh" and file.is_file())
    if not found:
        raise UserError(f"There is no BVH file in {path}.")
    return found


def draw_bvh_poses(path: Path, skeleton: Skeleton, n: int, seed: int) -> Tensor:
    """At most n poses (n, J, 3), radians, drawn without replacement from all frames of a BVH file or a folder of them.

    Raises:
        UserError: no file, one that is no BVH or of a skeleton that cannot be matched, or a bad frame among those drawn;
            the sentence begins with the file.
    """
    motions = []
    for file in bvh_files(path):
        with _named(file):
            motions.append((file, load_bvh(file)))
    frames = [(file, motion, frame) for file, motion in motions for frame in range(len(motion.frames))]
    order = torch.randperm(len(frames), generator=torch.Generator().manual_seed(seed))[:n]
    poses = []
    for file, motion, frame in (frames[int(index)] for index in order):
        with _named(file):
            poses.append(pose_of(motion, skeleton, frame))
    return torch.stack(poses)


@contextmanager
def _named(file: Path) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise UserError(f"{file.name}: {error}") from error
