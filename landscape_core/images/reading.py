"""One picture from a user, decoded safely, and a square of it, turned or not, at a model's resolution."""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import torch
import torch.nn.functional as F
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from landscape_core.errors import UserError, listed, reading

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "AVIF")  # and HEIC, where the package for it is installed
ANIMATED = ("PNG", "WEBP", "GIF", "AVIF")  # a JPEG's further frames are thumbnails and depth maps, not an animation
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
MAX_PIXELS = 40_000_000
MAX_SIDE = 16_384
FAR = 1e7  # pixels; a turned square that lies further out, or is larger, is taken for one of this size
_ACCEPTED = "PNG, JPEG, WebP, GIF, AVIF and HEIC pictures are accepted"
_SIZES = f"at most {MAX_PIXELS // 1_000_000} megapixels and {MAX_SIDE:,} pixels a side are accepted"


@dataclass(frozen=True)
class CropBox:
    """A square in pixels of the upright picture; it may reach beyond the picture's edges.

    `left` and `top` are its corner before it is turned by `angle` degrees clockwise about its centre.

    Raises:
        UserError: a value is not finite, or the side is not positive.
    """

    left: float
    top: float
    side: float
    angle: float = 0.0

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.left, self.top, self.side, self.angle))) or self.side <= 0:
            raise UserError(
                "A crop is finite numbers: left, top and a side above 0 in pixels, and where it is turned an angle in degrees."
            )

    @property
    def centre(self) -> tuple[float, float]:
        """(x, y) in pixels."""
        return self.left + self.side / 2, self.top + self.side / 2

    @classmethod
    def around(cls, x: float, y: float, side: float, angle: float = 0.0) -> CropBox:
        """The square with its centre at (x, y)."""
        return cls(x - side / 2, y - side / 2, side, angle)


@dataclass(frozen=True)
class Picture:
    """An upright RGB picture without metadata, and what a user should know about how it was read."""

    image: Image.Image
    notices: tuple[str, ...] = ()


def load_picture(path: str | Path) -> Picture:
    """Decode one PNG, JPEG, WebP, GIF, AVIF or HEIC file to 8-bit RGB; see `decode_picture`.

    Raises:
        UserError: no such file, or one that `decode_picture` refuses.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"There is no file {path.name}; {_ACCEPTED}.")
    with reading(path.name):
        content = path.read_bytes()
    return decode_picture(io.BytesIO(content), path.name)


def decode_picture(file: BinaryIO, name: str) -> Picture:
    """Decode to 8-bit RGB, turned upright by the EXIF tag; `name` is for the sentences.

    Transparency is composited onto white, 16 bits are scaled to 8, the first frame of an animation is taken,
    colours are read as sRGB, and metadata is dropped. The size is checked before any pixel is decoded.

    Raises:
        UserError: an empty or broken file, another format, or more than MAX_PIXELS or MAX_SIDE.
    """
    with open_picture(file, name) as image:
        return _decode(image, name)


def open_picture(file: BinaryIO, name: str, formats: tuple[str, ...] = FORMATS) -> Image.Image:
    """The picture behind a header of one of the formats, of a size that is accepted; no pixel is decoded yet.

    Raises:
        UserError: as `decode_picture`.
    """
    accepted = _ACCEPTED if formats is FORMATS else f"{listed(formats)} pictures are accepted"
    start = file.read(12)
    if not start:
        raise UserError(f"{name} is empty (0 bytes); {accepted}.")
    file.seek(0)
    if formats is FORMATS and start[4:8] == b"ftyp" and start[8:12] in _HEIC_BRANDS:
        _read_heic(name)
        formats = ("HEIF",)
    try:
        with reading(name, "is damaged: its header cannot be read"), warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(file, formats=formats)
    except UserError as error:  # Pillow's own limits and its list of formats speak through ours
        if isinstance(error.__cause__, Image.DecompressionBombError | Image.DecompressionBombWarning):
            raise UserError(f"{name} is too large; {_SIZES}.") from error
        if isinstance(error.__cause__, UnidentifiedImageError):
            raise UserError(f"{name} is not a picture that can be read; {accepted}.") from error
        raise
    _check_size(image, name)
    return image


def _read_heic(name: str) -> None:
    """Teach Pillow the pictures of telephones, where the package for them is installed."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        raise UserError(
            f"{name} is a HEIC picture, which needs the package pillow-heif (pip install pillow-heif); or save it as JPEG."
        ) from error
    register_heif_opener(thumbnails=False)


def _check_size(image: Image.Image, name: str) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise UserError(f"{name} has {width:,}×{height:,} pixels; {_SIZES}.")


def _decode(image: Image.Image, name: str) -> Picture:
    with reading(name, "is damaged or incomplete and cannot be decoded"):
        frames = getattr(image, "n_frames", 1) if image.format in ANIMATED else 1
        image.load()
    notices = [f"The first of {frames} frames is used."] if frames > 1 else []
    try:
        with reading(name):
            orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except UserError:  # a broken tag directory spoils no pixel
        orientation = 1
        notices.append("The orientation tag cannot be read; the picture is used as stored.")
    return Picture(_upright(to_rgb(image), orientation), tuple(notices))


def to_rgb(image: Image.Image) -> Image.Image:
    """8-bit RGB: deep greyscale scaled (Pillow would clip it), transparency composited onto white."""
    if image.mode == "I" or image.mode.startswith("I;16"):
        deep = np.asarray(image).astype(np.float64)  # (H, W) in 0..65535
        return Image.fromarray((deep / 257.0).round().clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        coloured = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), coloured).convert("RGB")
    return image.convert("RGB")


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    """The pixels alone, turned. Only the orientation tag is handed on: other EXIF may be broken."""
    bare = Image.fromarray(np.asarray(image))
    bare.getexif()[ExifTags.Base.Orientation] = orientation
    ImageOps.exif_transpose(bare, in_place=True)
    bare.info.clear()
    return bare


def centre_box(image: Image.Image) -> CropBox:
    """The largest centred square, on whole pixels as in `datasets.load_images`."""
    side = min(image.size)
    return CropBox((image.width - side) // 2, (image.height - side) // 2, side)


def crop_square(image: Image.Image, box: CropBox, size: int) -> Tensor:
    """The square `box` of an RGB picture, resampled once, by Lanczos or, turned, by `turned_square`: uint8 (3, size, size).

    Beyond the picture its outermost row or column is repeated. A side below one pixel counts as one.
    """
    if box.angle % 360.0:
        return turned_square(image, box, size).round().clamp(0.0, 255.0).byte()
    side = max(box.side, 1.0)
    columns, x0, x1 = _visible(box.left, side, image.width, size)
    rows, y0, y1 = _visible(box.top, side, image.height, size)
    inside = image.resize((len(columns), len(rows)), Image.Resampling.LANCZOS, box=(x0, y0, x1, y1))
    beyond = ((rows.start, size - rows.stop), (columns.start, size - columns.stop), (0, 0))
    return _to_tensor(np.pad(np.asarray(inside), beyond, mode="edge"))


def _visible(start: float, side: float, length: int, size: int) -> tuple[range, float, float]:
    """Along one axis, the output pixels wholly inside the picture, and the interval of the picture they show.

    Where not even one is, a single pixel that shows what is nearest; padding spreads it.
    """
    step, slack = side / size, 1e-6  # rounding must not cost a pixel of a box that ends on the edge
    low = math.ceil(min(max(-start / step - slack, 0), size))
    high = math.floor(min(max((length - start) / step + slack, 0), size))
    if low < high:
        return range(low, high), max(start + low * step, 0.0), min(start + high * step, length)
    near = min(max(start, 0.0), length - 1.0)
    return range(1), near, min(max(start + side, near + 1.0), length)


def turned_square(image: Image.Image, box: CropBox, size: int, *, beyond: Literal["border", "zeros"] = "border") -> Tensor:
    """The square `box` of a picture by one affine resampling: float (C, size, size) in the picture's own range, not clipped.

    Whole pixels are averaged until at most four go into a pixel of the result along each side; then each pixel is the mean
    of as many bicubic samples. `beyond` says what lies around the picture.
    """
    side = min(max(box.side, 1.0), FAR)
    (x, y), turn = (min(max(place, -FAR), FAR) for place in box.centre), math.radians(box.angle)
    shrink = int(min(max(side / size / 2, 1.0), max(image.size)))
    samples = math.ceil(min(side / size / shrink, 4.0))
    reach = side * 0.5**0.5 + 3 * shrink  # half the diagonal, and what a bicubic sample looks at
    left, right = _interval(x, reach, image.width)
    top, bottom = _interval(y, reach, image.height)
    reduced = np.array(image.reduce(shrink, box=(left, top, right, bottom)), dtype=np.float32)
    part = torch.from_numpy(reduced.reshape(*reduced.shape[:2], -1)).permute(2, 0, 1)[None]  # (1, C, h, w)
    along = ((torch.arange(size * samples, dtype=torch.float64) + 0.5) / (size * samples) - 0.5) * side
    down, across = torch.meshgrid(along, along, indexing="ij")
    columns = (x - left + across * math.cos(turn) - down * math.sin(turn)) / shrink
    rows = (y - top + across * math.sin(turn) + down * math.cos(turn)) / shrink
    grid = torch.stack([2 * columns / part.shape[3] - 1, 2 * rows / part.shape[2] - 1], dim=-1)[None].float()
    fine = F.grid_sample(part, grid, mode="bicubic", padding_mode=beyond, align_corners=False)
    return F.avg_pool2d(fine, samples)[0]


def _interval(centre: float, reach: float, length: int) -> tuple[int, int]:
    """The whole pixels of one axis within `reach` of a place; the outermost where there are none."""
    low = math.floor(min(max(centre - reach, 0.0), length - 1.0))
    return low, math.ceil(min(max(centre + reach, low + 1.0), length))


def _to_tensor(pixels: np.ndarray) -> Tensor:
    """uint8 (H, W, 3) -> (3, H, W)"""
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).contiguous()
