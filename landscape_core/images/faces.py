"""A face in a user's picture, framed the way the training pictures are: upright, by its eyes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.images.reading import CropBox, centre_box, crop_square, load_picture

FACE_CASCADE, EYE_CASCADE = "haarcascade_frontalface_alt2.xml", "haarcascade_eye.xml"
LONG_SIDE, SHORT_SIDE = 640, 240  # the detector's working size: photographs shrink to the one, thumbnails grow to the other
SMALLEST_FACE = 40  # pixels at the working size
EYE_SIDE = 240  # a face's side in pixels where eyes are looked for
EYES_IN_FACE = ((0.31, 0.39), (0.70, 0.39))  # where they lie in a face's box, in its sides: median of 300 training pictures
WHOLE, STRAIGHT = 0.7, 6.0  # overlap (IoU) and tilt in degrees up to which a square picture counts as framed already
Point = tuple[float, float]


@dataclass(frozen=True)
class Eyes:
    """Centres of both eyes in pixels of a picture, as one looks at it: `left` has the smaller x."""

    left: Point
    right: Point

    @classmethod
    def of(cls, one: Point, other: Point) -> Eyes:
        """Two points in either order.

        Raises:
            UserError: they are not finite, or less than two pixels apart.
        """
        if not all(map(math.isfinite, (*one, *other))) or math.dist(one, other) < 2.0:
            raise UserError("The eyes are two points, in pixels of the picture and at least two pixels apart.")
        return cls(*sorted((one, other)))


@dataclass(frozen=True)
class Framing:
    """How training pictures lie around a face.

    By its eyes: level, their midpoint at half of the crop's width and `eye_line` of its height, `eye_distance` of its side
    apart. Where no eyes are found, around a detector's box, in units of the box's side: `right` and `down` lead from its
    centre to the crop's, `side` is the crop's side.
    """

    right: float
    down: float
    side: float
    eye_line: float = 0.44
    eye_distance: float = 0.30


ALIGNED_FRAMING = Framing(right=0.006, down=-0.033, side=1.320)  # `measure_framing` on 300 training pictures


def find_faces(image: Image.Image) -> list[CropBox]:
    """Boxes of the frontal faces in an upright RGB picture (Viola and Jones 2001), in its pixels, largest first.

    Raises:
        UserError: OpenCV, or the cascade detector in it, is not installed.
    """
    scale = min(LONG_SIDE / max(image.size), max(1.0, SHORT_SIDE / min(image.size)))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    grey = np.asarray(image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0).convert("L"))
    smallest = (SMALLEST_FACE, SMALLEST_FACE)
    found = _cascade(FACE_CASCADE).detectMultiScale(grey, scaleFactor=1.1, minNeighbors=5, minSize=smallest)
    boxes = [CropBox(float(left) / scale, float(top) / scale, float(side) / scale) for left, top, side, _ in found]
    return sorted(boxes, key=lambda box: box.side, reverse=True)


def _cascade(name: str) -> Any:
    """One of the detectors that come with OpenCV; not shared, for it is not thread-safe."""
    try:
        import cv2.data

        return cv2.CascadeClassifier(f"{cv2.data.haarcascades}{name}")
    except (ImportError, AttributeError) as error:
        raise UserError("Finding a face needs the package opencv-python-headless below version 5.") from error


def find_eyes(image: Image.Image, face: CropBox) -> Eyes | None:
    """Both eyes inside the box of a face, in the picture's pixels; None where no plausible pair is found.

    The detector favours one side by a twentieth of the eyes' distance, so it looks at the mirror image too, and the mean
    counts. On 300 training pictures turned by up to 12 degrees it finds 97 % of the pairs, a point 6 % of the eyes'
    distance off in the median.

    Raises:
        UserError: see `find_faces`.
    """
    pixels = crop_square(image, face, EYE_SIDE).permute(1, 2, 0).numpy()
    grey = np.asarray(Image.fromarray(pixels).convert("L"))[: EYE_SIDE * 2 // 3]
    detector = _cascade(EYE_CASCADE)
    seen, mirrored = _eye_pair(detector, grey), _eye_pair(detector, np.ascontiguousarray(grey[:, ::-1]))
    pairs = [pair for pair in (seen, None if mirrored is None else _unmirrored(mirrored)) if pair is not None]
    if not pairs:
        return None
    (x0, y0), (x1, y1) = np.mean(pairs, axis=0) * face.side + (face.left, face.top)
    return Eyes((float(x0), float(y0)), (float(x1), float(y1)))


def _unmirrored(pair: tuple[Point, Point]) -> tuple[Point, Point]:
    (x0, y0), (x1, y1) = pair
    return (1.0 - x1, y1), (1.0 - x0, y0)


def _eye_pair(detector: Any, grey: np.ndarray) -> tuple[Point, Point] | None:
    """The two detections nearest to where eyes lie in a face, in units of its side, left one first."""
    found = detector.detectMultiScale(
        grey, scaleFactor=1.05, minNeighbors=3, minSize=(EYE_SIDE // 7,) * 2, maxSize=(EYE_SIDE * 2 // 5,) * 2
    )
    places = [((x + w / 2) / EYE_SIDE, (y + h / 2) / EYE_SIDE) for x, y, w, h in found]
    pairs = [(a, b) for a, b in itertools.permutations(places, 2) if _plausible(a, b)]
    return min(pairs, key=lambda pair: sum(map(math.dist, pair, EYES_IN_FACE)), default=None)


def _plausible(left: Point, right: Point) -> bool:
    """On either side of the middle, a quarter to half of the face's side apart, and tilted by 20 degrees at most."""
    dx, dy = right[0] - left[0], right[1] - left[1]
    return left[0] < 0.5 < right[0] and 0.25 < dx < 0.55 and abs(dy) < dx * math.tan(math.radians(20))


def eye_crop(eyes: Eyes, framing: Framing = ALIGNED_FRAMING) -> CropBox:
    """The turned square that puts both eyes where the training pictures have theirs; may reach beyond the picture."""
    (x0, y0), (x1, y1) = eyes.left, eyes.right
    side = math.dist(eyes.left, eyes.right) / framing.eye_distance
    turn, below = math.atan2(y1 - y0, x1 - x0), (0.5 - framing.eye_line) * side
    centre = (x0 + x1) / 2 - below * math.sin(turn), (y0 + y1) / 2 + below * math.cos(turn)
    return CropBox.around(*centre, side, math.degrees(turn))


def face_crop(face: CropBox, framing: Framing = ALIGNED_FRAMING) -> CropBox:
    """The crop that shows a detected face as the training pictures show theirs; may reach beyond the picture."""
    x, y = face.centre
    return CropBox.around(x + face.side * framing.right, y + face.side * framing.down, face.side * framing.side)


def measure_framing(pictures: Iterable[tuple[Image.Image, CropBox]]) -> Framing:
    """Median of what places the crop around a detector's box, over (picture, its training crop) pairs.

    Raises:
        UserError: the detector finds a face in none of them.
    """
    rows = []
    for image, crop in pictures:
        for face in find_faces(image)[:1]:
            (x, y), (face_x, face_y) = crop.centre, face.centre
            rows.append(((x - face_x) / face.side, (y - face_y) / face.side, crop.side / face.side))
    if not rows:
        raise UserError("No face was found in any of the pictures, so their framing cannot be measured.")
    return Framing(*map(float, np.median(rows, axis=0)))


def overlap(a: CropBox, b: CropBox) -> float:
    """Intersection over union of two boxes before they are turned, in [0, 1]."""
    width = min(a.left + a.side, b.left + b.side) - max(a.left, b.left)
    height = min(a.top + a.side, b.top + b.side) - max(a.top, b.top)
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / (a.side**2 + b.side**2 - shared)


def choose_crop(
    image: Image.Image, framing: Framing | None = ALIGNED_FRAMING, eyes: Eyes | None = None
) -> tuple[CropBox, tuple[str, ...]]:
    """The crop to begin with, in pixels of an upright RGB picture, and sentences that say why it is this one.

    By `eyes` where they are given, else by those of the largest face, else by its box; without a framing or a face the
    largest centred square.
    """
    centre = centre_box(image)
    if framing is None:
        return centre, ()
    if eyes is not None:
        return eye_crop(eyes, framing), ("Framed by the two eyes that were given.",)
    try:
        faces = find_faces(image)
        found = find_eyes(image, faces[0]) if faces else None
    except UserError as error:
        return centre, (f"The centre square is used. {error}",)
    if not faces:
        return centre, ("No face was found; the centre square is used.",)
    said = (f"{len(faces)} faces were found; the largest is used.",) if len(faces) > 1 else ()
    crop = face_crop(faces[0], framing) if found is None else eye_crop(found, framing)
    if image.width == image.height and overlap(crop, centre) >= WHOLE and abs(crop.angle) <= STRAIGHT:
        # Resampling a slightly other square would only blur it.
        return centre, (*said, "The picture is framed like the training pictures already and is used whole.")
    if found is None:
        return crop, (*said, "No pair of eyes was found; the face is framed by its outline, not turned.")
    return crop, (*said, "Framed by the eyes that were found.")


@dataclass(frozen=True)
class Prepared:
    """A user's picture as the models take it.

    `image` is uint8 (3, size, size). `box` is in pixels of the upright original, whose (width, height) is
    `original_size`. `notices` say how it was read and why it is this square.
    """

    image: Tensor
    box: CropBox
    notices: tuple[str, ...]
    original_size: tuple[int, int]


def prepare_upload(
    path: str | Path,
    *,
    size: int,
    box: CropBox | None = None,
    eyes: Eyes | None = None,
    framing: Framing | None = ALIGNED_FRAMING,
) -> Prepared:
    """From a file to a model's input: decoded, upright, and cropped to `box` where one is given, else by `choose_crop`.

    Raises:
        UserError: the file is not a picture that can be used; see `load_picture`.
    """
    picture = load_picture(path)
    notices = picture.notices
    if box is None:
        box, said = choose_crop(picture.image, framing, eyes)
        notices += said
    return Prepared(crop_square(picture.image, box, size), box, notices, picture.image.size)
