"""Body poses from motion capture: one npz file with a skeleton and the frames of several splits."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from torch import Tensor

from landscape_core.errors import UserError, listed, reading, writing
from landscape_core.pose.kinematics import Skeleton
from landscape_core.pose.motion import SUFFIXES, load_motion, pose_of
from landscape_core.storage.archives import opened, unpacked

ZIP = ".zip"
MOST_RECORDINGS, MOST_UNPACKED = 1000, 2**29  # in a zip; bytes of all of them
MOST_POSES = 2048  # of anybody's recordings; to read one takes some ten milliseconds
HELD_BACK = 8  # of every recording, the last part of so many
MAX_BYTES = 2**31  # of one array, unpacked
MOCAP = "mocap.npz"  # the recordings below the data folder

# our field -> the file's key
_SKELETON = {
    "names": "joint_names",
    "parents": "parents",
    "offsets": "offsets",
    "reference": "reference",
    "hips_reference": "hips_reference",
}


@dataclass(frozen=True, eq=False)
class Poses:
    """Frames of one split. rotvec: (N, J, 3), radians, relative to the skeleton's reference.

    sequence: (N,), the recording each frame is of, an index into `names`.
    """

    rotvec: Tensor
    sequence: Tensor
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.rotvec)


@contextmanager
def _opened(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    """The npz, with anything numpy refuses in it (a damaged member, pickled objects) turned into a sentence."""
    with reading(str(path), "is not an npz of plain arrays"), path.open("rb") as file, np.load(file) as archive:
        yield archive


def _array(archive: np.lib.npyio.NpzFile, key: str, path: Path) -> np.ndarray:
    if key not in archive:
        raise UserError(f"{path} has no '{key}'; it has {listed(sorted(archive.files))}.")
    if archive.zip is not None and archive.zip.getinfo(f"{key}.npy").file_size > MAX_BYTES:
        raise UserError(f"'{key}' of {path} unpacks to more than {MAX_BYTES // 2**20} MiB.")
    return archive[key]


def load_mocap_skeleton(path: Path) -> Skeleton:
    """The skeleton of an npz of poses (`joint_names`, `parents`, `offsets` in cm, `reference`, `hips_reference`).

    Raises:
        UserError: no such file, a missing key, or arrays that are no skeleton.
    """
    with _opened(path) as archive:
        return Skeleton.of({field: _array(archive, key, path) for field, key in _SKELETON.items()})


def load_poses(path: Path, split: str) -> Poses:
    """The frames of one split ("train", "val", "ood") of an npz of poses.

    Raises:
        UserError: no such file or split, a missing key, arrays that do not fit together, or values that are not finite.
    """
    with _opened(path) as archive:
        splits = sorted(key.removesuffix("_rotvec") for key in archive.files if key.endswith("_rotvec"))
        if split not in splits:
            raise UserError(f"{path} has no split '{split}'; it has {listed(splits)}.")
        n_joints = len(_array(archive, "joint_names", path))
        rotvec, sequence, names = (_array(archive, f"{split}_{key}", path) for key in ("rotvec", "sequence", "names"))
    if rotvec.ndim != 3 or rotvec.shape[1:] != (n_joints, 3) or sequence.shape != rotvec.shape[:1] or len(rotvec) == 0:
        raise UserError(
            f"'{split}' of {path} must be (frames, {n_joints}, 3) with one sequence number per frame; "
            f"it is {rotvec.shape} with {sequence.shape}."
        )
    if not np.isfinite(rotvec).all():
        bad = int((~np.isfinite(rotvec)).any(axis=(1, 2)).sum())
        raise UserError(f"{bad} frames of '{split}' in {path} contain values that are not finite.")
    if sequence.min() < 0 or sequence.max() >= len(names):
        raise UserError(f"'{split}_sequence' in {path} must index the {len(names)} names of '{split}_names'.")
    return Poses(torch.from_numpy(rotvec).float(), torch.from_numpy(sequence).long(), tuple(str(name) for name in names))


def bvh_files(path: Path, suffixes: tuple[str, ...] = SUFFIXES) -> list[Path]:
    """The BVH file or AMASS recording at `path`, or every one in that folder and the folders below it, by name.

    Raises:
        UserError: no such file or folder, or none in it.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UserError(f"There is no file or folder {path}.")
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in suffixes and file.is_file())
    if not found:
        raise UserError(f"There is no BVH or AMASS file in {path}.")
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
            motions.append((file, load_motion(file)))
    frames = [(file, motion, frame) for file, motion in motions for frame in range(len(motion.frames))]
    order = torch.randperm(len(frames), generator=torch.Generator().manual_seed(seed))[:n]
    poses = []
    for file, motion, frame in (frames[int(index)] for index in order):
        with _named(file):
            poses.append(pose_of(motion, skeleton, frame))
    return torch.stack(poses)


def recorded_poses(path: Path, skeleton: Skeleton, n: int = MOST_POSES, seed: int = 0) -> Poses:
    """At most n frames of a BVH file or an AMASS recording, or of all in a folder or a zip: from each as large a part of
    its frames, drawn by `seed`, in their order.

    Raises:
        UserError: as `draw_bvh_poses`; a zip that cannot be read, or holds none or too many.
    """
    random = torch.Generator().manual_seed(seed)
    with tempfile.TemporaryDirectory(prefix="landscape-") as folder:
        files = [each for file in bvh_files(path, (*SUFFIXES, ZIP)) for each in _unzipped(file, Path(folder))]
        motions = []
        for file in files:
            with _named(file):
                motions.append(load_motion(file))
        share = min(n / sum(len(motion.frames) for motion in motions), 1.0)
        poses, sequence = [], []
        for index, (file, motion) in enumerate(zip(files, motions, strict=True)):
            kept = max(int(share * len(motion.frames)), 1)
            frames = torch.randperm(len(motion.frames), generator=random)[:kept].sort().values.tolist()
            with _named(file):
                poses += [pose_of(motion, skeleton, frame) for frame in frames]
            sequence += [index] * kept
    return Poses(torch.stack(poses), torch.tensor(sequence), tuple(file.stem for file in files))


def held_back(poses: Poses) -> tuple[Tensor, Tensor]:
    """Poses (n, J, 3) to learn on, and to look at: the last eighth of every recording, for neighbouring frames are alike."""
    held = torch.zeros(len(poses), dtype=torch.bool)
    for recording in range(len(poses.names)):
        rows = torch.nonzero(poses.sequence == recording)[:, 0]
        held[rows[len(rows) - len(rows) // HELD_BACK :]] = True
    return poses.rotvec[~held], poses.rotvec[held]


def _unzipped(file: Path, folder: Path) -> list[Path]:
    """The file itself, or the recordings that it holds, unpacked below the folder."""
    if file.suffix.lower() != ZIP:
        return [file]
    with opened(file, file.name) as archive:
        members = sorted(name for name in archive.namelist() if PurePosixPath(name).suffix.lower() in SUFFIXES)
        if not 0 < len(members) <= MOST_RECORDINGS:
            raise UserError(f"{file.name} holds {len(members):,} BVH or AMASS files; 1 to {MOST_RECORDINGS:,} are accepted.")
        if (whole := sum(archive.getinfo(name).file_size for name in members)) > MOST_UNPACKED:
            raise UserError(f"{file.name} unpacks to {whole:,} bytes; at most {MOST_UNPACKED:,} are accepted.")
        made = [folder / f"{file.stem}-{index:04d}" / PurePosixPath(name).name for index, name in enumerate(members)]
        for name, path in zip(members, made, strict=True):
            content = unpacked(archive, name, file.name)
            with writing(path):
                path.parent.mkdir()
                path.write_bytes(content)
    return made


@contextmanager
def _named(file: Path) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise UserError(f"{file.name}: {error}") from error


def draw_poses(poses: Poses, n: int, seed: int) -> Tensor:
    """n poses (n, J, 3) without replacement."""
    return poses.rotvec[torch.randperm(len(poses), generator=torch.Generator().manual_seed(seed))[:n]]


def draw_clips(poses: Poses, n: int, frames: int, seed: int) -> Tensor:
    """At most n stretches of so many frames in a row, each of another recording: (n, frames, J, 3), radians.

    Raises:
        UserError: no recording is that long.
    """
    random = torch.Generator().manual_seed(seed)
    rows = [torch.nonzero(poses.sequence == recording)[:, 0] for recording in range(len(poses.names))]
    long = [each for each in rows if len(each) >= frames]
    if not long:
        raise UserError(f"No recording has {frames} frames; the longest has {max(map(len, rows))}.")
    chosen = [long[int(index)] for index in torch.randperm(len(long), generator=random)[:n]]
    starts = [int(torch.randint(len(each) - frames + 1, (1,), generator=random)) for each in chosen]
    return torch.stack([poses.rotvec[each[start : start + frames]] for each, start in zip(chosen, starts, strict=True)])
