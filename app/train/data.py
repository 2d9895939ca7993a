"""A visitor's files, made the data of a training: read whole and checked before anything is begun. Knows nothing of Gradio."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from app import limits
from app.target import pictures
from landscape_core.errors import UserError, writing
from landscape_core.images.pixels import png_bytes
from landscape_core.plugins.training.theta import observations
from landscape_core.search.task import Task
from landscape_core.storage.files import write_bytes

FEWEST = 16  # pictures: of fewer, an eighth held out would be one


def taken(paths: Sequence[str], task: Task, own: bool, folder: Path) -> tuple[Path, str]:
    """Where the data of a training are now, below its folder, and what they are in words. Pictures are framed as the model's
    training pictures are; what a plug-in observes is kept as it is.

    Raises:
        UserError: no files, too few or too many, one that cannot be read, or a disk that cannot be written.
    """
    if not paths:
        raise UserError("Choose files to train on: pictures, a folder or a zip of them; or let the model draw its targets.")
    return _observed(paths, task, folder / "observed") if own else _pictures(paths, task, folder / "pictures")


def _pictures(paths: Sequence[str], task: Task, folder: Path) -> tuple[Path, str]:
    found = pictures.opened(paths, task, limits.TRAINING_PICTURES)
    if len(found) < FEWEST:
        raise UserError(f"These are {len(found)} pictures; at least {FEWEST} are needed to train on, hundreds are better.")
    for index, picked in enumerate(found):
        write_bytes(folder / f"{index:05d}.png", png_bytes(picked.picture))
    return folder, f"{len(found):,} pictures"


def _observed(paths: Sequence[str], task: Task, folder: Path) -> tuple[Path, str]:
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for index, path in enumerate(map(Path, paths)):
            shutil.copyfile(path, folder / f"{index:03d}-{path.name}")
    observations(task, folder)
    return folder, f"{len(paths)} observations"
