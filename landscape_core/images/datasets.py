"""Data sets of pictures: a folder or a zip, with or without splits, as one uint8 tensor."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from landscape_core.errors import UserError, reading
from landscape_core.images.reading import decode_picture
from landscape_core.storage.archives import opened, unpacked

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif", ".heic", ".heif")
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class ImageSource:
    """Where pictures come from and how each becomes a square.

    `path` is a folder or a zip. `split` is the folder inside it ("train", "val"); None takes everything. `size` is the side
    of the squares in pixels.
    `box` (left, top, right, bottom) in pixels is cut out before resizing, for data stored with a border or
    squashed; None cuts the largest centred square.
    """

    path: Path
    split: str | None
    size: int
    box: Box | None = None

    def __str__(self) -> str:
        return f"{self.path}" + (f" under {self.split}/" if self.split else "")


def picture_files(path: Path, split: str | None = None, limit: int | None = None) -> Iterator[tuple[str, bytes]]:
    """(name inside a folder or zip, its bytes) of every picture, or of the first `limit` below `split`, sorted by name.

    Raises:
        UserError: neither a folder nor a zip, or a file in it that cannot be read.
    """
    if path.is_dir():
        for name in _wanted(pictures_in(path), split, limit):
            with reading(f"{path / name}"):
                content = (path / name).read_bytes()
            yield name, content
    elif zipfile.is_zipfile(path):
        with opened(path, path.name) as archive:
            for name in _wanted(archive.namelist(), split, limit):
                yield name, unpacked(archive, name, path.name)
    else:
        raise UserError(f"{path} is neither a folder nor a zip of pictures ({', '.join(SUFFIXES)}).")


def pictures_in(folder: Path) -> list[str]:
    """The names below a folder of all pictures in it, sorted."""
    return _wanted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _wanted(names: Iterable[str], split: str | None = None, limit: int | None = None) -> list[str]:
    prefix = f"{split}/" if split else ""
    return sorted(name for name in names if name.startswith(prefix) and _is_picture(PurePosixPath(name)))[:limit]


def _is_picture(path: PurePosixPath) -> bool:
    """By its suffix, leaving out what other systems hide in folders and zips (`.DS_Store`, `__MACOSX/._a.png`)."""
    return path.suffix.lower() in SUFFIXES and not any(part.startswith((".", "__MACOSX")) for part in path.parts)


def _square(image: Image.Image, size: int, box: Box | None, name: str) -> np.ndarray:
    if box is None:
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        box = (left, top, left + side, top + side)
    if box[2] > image.width or box[3] > image.height:
        raise UserError(f"{name} is {image.width}x{image.height}; the box {box} reaches beyond it.")
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS, box=box))


def load_images(source: ImageSource, *, limit: int | None = None) -> Tensor:
    """All pictures of a source: uint8 (N, 3, size, size), in order of their names.

    Raises:
        UserError: no such source, no picture in it, or a picture that cannot be decoded.
    """
    if not source.path.exists():
        raise UserError(f"There is no folder or zip at {source.path}.")
    arrays: list[np.ndarray] = []
    for name, content in picture_files(source.path, source.split, limit):
        image = decode_picture(io.BytesIO(content), name).image
        arrays.append(_square(image, source.size, source.box, name))
    if not arrays:
        raise UserError(f"No pictures ({', '.join(SUFFIXES)}) in {source}.")
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()
