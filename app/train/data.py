"""A visitor's files, made the data of a training: read whole and checked before anything is begun. Knows nothing of Gradio."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from app import limits
from app.target import pictures
from app.train.models import Trainable
from landscape_core.errors import UserError, writing
from landscape_core.images.pixels import png_bytes
from landscape_core.plugins.training.theta import observations
from landscape_core.pose.priors import body_of
from landscape_core.pose.recordings import recorded_poses
from landscape_core.search.task import Task
from landscape_core.storage.files import write_bytes

FEWEST = 16  # pictures: of fewer, an eighth held out would be one
LOOKED_AT = 64  # frames of recordings


def taken(paths: Sequence[str], models: Trainable, name: str, folder: Path) -> tuple[Path, str]:
    """Where the data of a training are now, below its folder, and what they are in words. Pictures are framed as the model's
    training pictures are; recordings of poses, and what a plug-in observes, are kept as they are.

    Raises:
        UserError: no files, too few or too many, one that cannot be read, or a disk that cannot be written.
    """
    if not paths:
        raise UserError("Choose files to train on: files, a folder or a zip of them; or let the model draw its targets.")
    if models.is_pose(name):
        return _recorded(paths, name, folder / "recordings")
    if models.is_own(name):
        return _observed(paths, models.get(name), folder / "observed")
    return _pictures(paths, models.get(name), folder / "pictures")


def _pictures(paths: Sequence[str], task: Task, folder: Path) -> tuple[Path, str]:
    found = pictures.opened(paths, task, limits.TRAINING_PICTURES)
    if len(found) < FEWEST:
        raise UserError(f"These are {len(found)} pictures; at least {FEWEST} are needed to train on, hundreds are better.")
    for index, picked in enumerate(found):
        write_bytes(folder / f"{index:05d}.png", png_bytes(picked.picture))
    return folder, f"{len(found):,} pictures"


def _observed(paths: Sequence[str], task: Task, folder: Path) -> tuple[Path, str]:
    _copied(paths, folder)
    observations(task, folder)
    return folder, f"{len(paths)} observations"


def _recorded(paths: Sequence[str], name: str, folder: Path) -> tuple[Path, str]:
    _copied(paths, folder)
    known = recorded_poses(folder, body_of(name).skeleton, LOOKED_AT)  # every file is read, some frames of each are tried
    return folder, f"{len(known.names)} recordings"


def _copied(paths: Sequence[str], folder: Path) -> None:
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for index, path in enumerate(map(Path, paths)):
            shutil.copyfile(path, folder / f"{index:03d}-{path.name}")
