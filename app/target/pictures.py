"""Many targets at once: the embedded examples, or a visitor's pictures and zips of pictures."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from app.runs.session import Picked
from app.target.targets import LABELS, PHOTO_SIDE, example
from landscape_core.errors import UserError
from landscape_core.generators.datasets import framing_of
from landscape_core.images.datasets import picture_files
from landscape_core.images.faces import choose_crop
from landscape_core.images.reading import crop_square, decode_picture
from landscape_core.search.task import Task

MOST = 50


def examples(side: int) -> list[Picked]:
    """Every embedded example, at a model's side in pixels."""
    return [example(name, side) for name in LABELS]


def opened(paths: Sequence[str | Path], task: Task, most: int = MOST) -> list[Picked]:
    """A visitor's pictures, each framed as the model's training pictures are, in the order of the files.

    Raises:
        UserError: none, too many, or one that is not a picture that is accepted.
    """
    found: list[Picked] = []
    for name, file in _files(paths):
        if len(found) == most:
            raise UserError(f"These are more than {most:,} pictures; at most {most:,} are taken at once.")
        image = decode_picture(file, name).image
        image.thumbnail((PHOTO_SIDE, PHOTO_SIDE), reducing_gap=2.0)
        box, _ = choose_crop(image, framing_of(task.name))
        found.append(Picked(crop_square(image, box, task.side), name))
    if not found:
        raise UserError("There is no picture in these files; PNG, JPEG, WebP, GIF and AVIF are read, alone or in a zip.")
    return found


def _files(paths: Sequence[str | Path]) -> Iterator[tuple[str, BinaryIO]]:
    for path in map(Path, paths):
        if zipfile.is_zipfile(path):
            yield from ((PurePosixPath(name).name, io.BytesIO(content)) for name, content in picture_files(path))
        else:
            with path.open("rb") as file:
                yield path.name, file
