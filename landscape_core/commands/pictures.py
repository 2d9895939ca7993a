"""Anybody's pictures as targets of any task."""

from __future__ import annotations

from pathlib import Path

from landscape_core.errors import UserError
from landscape_core.images.datasets import Box, ImageSource
from landscape_core.options import pictures_from
from landscape_core.search.objectives import Target
from landscape_core.search.task import Task


def pictures_for(task: Task, path: Path, n: int, seed: int, *, split: str | None = None, box: Box | None = None) -> Target:
    """n of the pictures in a folder or zip, or all where it has fewer, at the side of the task's.

    Raises:
        UserError: the task is not searched on pictures, or there are none.
    """
    if task.picture is not None:
        raise UserError(f"{task.name} is not searched on pictures, so it has no use for those of {path.name}.")
    return Target(pictures_from(ImageSource(path, split, task.side, box), n, seed))
