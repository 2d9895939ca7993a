"""A face found in a user's picture and framed the way the training pictures are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.images.reading import CropBox, centre_box, crop_square, load_picture

CASCADE = "haarcascade_frontalface_alt2.xml"
LONG_SIDE, SHORT_SIDE = 640, 240  # the detector's working size: photographs shrink to the one, thumbnails grow to the other
SMALLEST_FACE = 40  # pixels at the working size
WHOLE = 0.7  # overlap (IoU) from which a square picture counts as framed already; 98 % of validation crops do


@dataclass(frozen=True)
class Framing:
    """Where a training crop lies around a detector's face box, in units of the face box's side.

    `right` and `down` lead from the face's centre to the crop's; `side` is the crop's side.
    """

    right: float
    down: float
    side: float


CELEBA_FRAMING = Framing(right=0.004, down=-0.100, side=1.715)  # `measure_framing` on 300 training pictures


def find_faces(image: Image.Image) -> list[CropBox]:
    """Boxes of the frontal faces in an upright RGB picture (Viola and Jones 2001), in its pixels, largest first.

    Raises:
        UserError: OpenCV, or the cascade detector in it, is not installed.
    """
    try:
        import cv2.data

        cascade = cv2.CascadeClassifier(f"{cv2.data.haarcascades}{CASCADE}")  # not shared: it is not thread-safe
    except (ImportError, AttributeError) as error:
        raise UserError("Finding a face needs the package opencv-python-headless below version 5.") from error
    scale = min(LONG_SIDE / max(image.size), max(1.0, SHORT_SIDE / min(image.size)))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    grey = np.asarray(image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0).convert("L"))
    found = cascade.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=5, minSize=(SMALLEST_FACE, SMALLEST_FACE))
    boxes = [CropBox(float(left) / scale, float(top) / scale, float(side) / scale) for left, top, side, _ in found]
    return sorted(boxes, key=lambda box: box.side, reverse=True)


def training_crop(face: CropBox, framing: Framing = CELEBA_FRAMING) -> CropBox:
    """The crop that shows a detected face as the training pictures show theirs; may reach beyond the picture."""
    side = face.side * framing.side
    x = face.left + face.side * (0.5 + framing.right)
    y = face.top + face.side * (0.5 + framing.down)
    return CropBox(x - side / 2, y - side / 2, side)


def measure_framing(pictures: Iterable[tuple[Image.Image, CropBox]]) -> Framing:
    """Median framing over (picture, its training crop) pairs; how the constants here were found.

    Raises:
        UserError: the detector finds a face in none of them.
    """
    rows = []
    for image, crop in pictures:
        for face in find_faces(image)[:1]:
            x, y = crop.left + crop.side / 2, crop.top + crop.side / 2
            rows.append(((x - face.left) / face.side - 0.5, (y - face.top) / face.side - 0.5, crop.side / face.side))
    if not rows:
        raise UserError("No face was found in any of the pictures, so their framing cannot be measured.")
    return Framing(*map(float, np.median(rows, axis=0)))


def overlap(a: CropBox, b: CropBox) -> float:
    """Intersection over union of two boxes, in [0, 1]."""
    width = min(a.left + a.side, b.left + b.side) - max(a.left, b.left)
    height = min(a.top + a.side, b.top + b.side) - max(a.top, b.top)
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / (a.side**2 + b.side**2 - shared)


def choose_crop(image: Image.Image, framing: Framing | None = CELEBA_FRAMING) -> tuple[CropBox, tuple[str, ...]]:
    """The crop to begin with, in pixels of an upright RGB picture, and sentences that say why it is this one.

    The largest face with the given framing; without a framing or a face the largest centred square.
    """
    centre = centre_box(image)
    if framing is None:
        return centre, ()
    try:
        faces = find_faces(image)
    except UserError as error:
        return centre, (f"The centre square is used. {error}",)
    if not faces:
        return centre, ("No face was found; the centre square is used.",)
    said = (f"{len(faces)} faces were found; the largest is used.",) if len(faces) > 1 else ()
    crop = training_crop(faces[0], framing)
    if image.width == image.height and overlap(crop, centre) >= WHOLE:
        return centre, said  # framed already: resampling a slightly other square would only blur it
    return crop, said


@dataclass(frozen=True)
class Prepared:
    """A user's picture as the models take it.

    `image` is uint8 (3, size, size). `box` is in pixels of the upright original, whose (width, height) is
    `original_size`.
    """

    image: Tensor
    box: CropBox
    notices: tuple[str, ...]
    original_size: tuple[int, int]


def prepare_upload(
    path: str | Path, *, size: int = 64, box: CropBox | None = None, framing: Framing | None = CELEBA_FRAMING
) -> Prepared:
    """From a file to a model's input: decoded, upright, and cropped to `box` where one is given, else by `choose_crop`.

    Raises:
        UserError: the file is not a picture that can be used; see `load_picture`.
    """
    picture = load_picture(path)
    notices = picture.notices
    if box is None:
        box, said = choose_crop(picture.image, framing)
        notices += said
    return Prepared(crop_square(picture.image, box, size), box, notices, picture.image.size)
