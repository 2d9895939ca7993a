"""Pictures in a row from a user: the frames of an animation, or the pictures of a folder or zip in the order of their names."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageSequence

from landscape_core.errors import UserError, reading
from landscape_core.images.datasets import picture_files
from landscape_core.images.reading import ANIMATED, decode_picture, open_picture, to_rgb

MAX_FRAMES = 600
USUAL_RATE = 12.0
_ACCEPTED = "a clip is an animated GIF, PNG, WebP or AVIF, or a folder or zip of pictures"


@dataclass(frozen=True)
class Frames:
    """RGB pictures of one size, and how many of them a second there are: the mean of an animation, else `USUAL_RATE`."""

    images: tuple[Image.Image, ...]
    fps: float


def load_frames(path: Path) -> Frames:
    """The frames of an animation, or the pictures of a folder or zip.

    Raises:
        UserError: no such file, no clip, more than `MAX_FRAMES`, a picture that cannot be read, or pictures of several sizes.
    """
    if not path.exists():
        raise UserError(f"There is no file {path.name}; {_ACCEPTED}.")
    frames = _pictures(path) if path.is_dir() or zipfile.is_zipfile(path) else _animation(path)
    if len({image.size for image in frames.images}) > 1:
        raise UserError(f"The pictures of {path.name} have several sizes; the frames of a clip have one.")
    return frames


def _pictures(path: Path) -> Frames:
    images: list[Image.Image] = []
    for name, content in picture_files(path, limit=MAX_FRAMES + 1):
        _check_count(path, len(images) + 1)
        images.append(decode_picture(io.BytesIO(content), name).image)
    if not images:
        raise UserError(f"There is no picture in {path.name}; {_ACCEPTED}.")
    return Frames(tuple(images), USUAL_RATE)


def _animation(path: Path) -> Frames:
    with reading(path.name):
        content = path.read_bytes()
    images: list[Image.Image] = []
    milliseconds = 0.0
    with open_picture(io.BytesIO(content), path.name) as animation:
        if animation.format not in ANIMATED or getattr(animation, "n_frames", 1) < 2:
            raise UserError(f"{path.name} is one picture; {_ACCEPTED}.")
        _check_count(path, getattr(animation, "n_frames", 1))
        with reading(path.name, "is damaged or incomplete and cannot be decoded"):
            for frame in ImageSequence.Iterator(animation):
                images.append(to_rgb(frame.copy()))
                milliseconds += float(frame.info.get("duration", 0.0))
    return Frames(tuple(images), 1000.0 * len(images) / milliseconds if milliseconds > 0 else USUAL_RATE)


def _check_count(path: Path, count: int) -> None:
    if count > MAX_FRAMES:
        raise UserError(f"{path.name} has more than {MAX_FRAMES} frames, the most of a clip; take fewer.")
