"""Masks: which pixels of a picture were observed (1) and which are hidden (0)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.images.reading import FORMATS, MAX_PIXELS, CropBox, turned_square


def check_mask(mask: Tensor) -> Tensor:
    """The mask as float (B, 1, H, W) in {0, 1}, after refusing those that make no completion problem.

    Raises:
        UserError: a mask of the batch hides nothing or everything, or hides or shows a single pixel.
        ValueError: not of shape (B, 1, H, W), or a value that is neither 0 nor 1.
    """
    if mask.dim() != 4 or mask.shape[1] != 1:
        raise ValueError(f"a mask has shape (B, 1, H, W), not {tuple(mask.shape)}")
    values = mask.float()
    if not bool(((values == 0) | (values == 1)).all()):
        raise ValueError("a mask holds 0 (hidden) and 1 (visible) only")
    total = values[0].numel()
    for visible in values.flatten(1).sum(dim=1).tolist():
        _check_count(int(visible), total)
    return values


def _check_count(visible: int, total: int) -> None:
    hidden = total - visible
    if hidden == 0:
        raise UserError("Nothing is hidden. Hide the part of the picture that is to be completed, at least two pixels of it.")
    if visible == 0:
        raise UserError("Everything is hidden, so nothing says what to look for. Leave at least two pixels visible.")
    if hidden == 1:
        raise UserError("Only one pixel is hidden, which leaves nothing to complete. Hide at least two pixels.")
    if visible == 1:
        raise UserError("Only one pixel is visible, which says nothing about the rest. Leave at least two pixels visible.")


def rectangle(size: int, left: float, top: float, right: float, bottom: float) -> Tensor:
    """1 inside a rectangle and 0 outside: (1, 1, size, size); the edges are fractions of the side, rounded to pixels."""
    inside = torch.zeros(1, 1, size, size)
    x0, y0, x1, y1 = (round(edge * size) for edge in (left, top, right, bottom))
    inside[..., y0:y1, x0:x1] = 1.0
    return inside


def centre_only(size: int) -> Tensor:
    """Only the middle half of each side is visible (Fig. 6, row 1)."""
    return rectangle(size, 0.25, 0.25, 0.75, 0.75)


def without_mouth(size: int) -> Tensor:
    """All but the mouth of an aligned face is visible (Fig. 6, row 2)."""
    return 1.0 - rectangle(size, 0.31, 0.62, 0.69, 0.84)


def without_eyes(size: int) -> Tensor:
    """All but the eyes of an aligned face is visible."""
    return 1.0 - rectangle(size, 0.22, 0.41, 0.78, 0.58)


def without_left_half(size: int) -> Tensor:
    """The right half is visible."""
    return rectangle(size, 0.5, 0.0, 1.0, 1.0)


def without_border(size: int) -> Tensor:
    """Outpainting: a frame of an eighth of the side is hidden."""
    return rectangle(size, 0.125, 0.125, 0.875, 0.875)


PRESETS: Mapping[str, Callable[[int], Tensor]] = MappingProxyType(
    {
        "centre": centre_only,
        "mouth": without_mouth,
        "eyes": without_eyes,
        "left-half": without_left_half,
        "border": without_border,
    }
)


def preset(name: str, size: int) -> Tensor:
    """A preset mask (1, 1, size, size) by name.

    Raises:
        UserError: there is no such preset.
    """
    if name not in PRESETS:
        raise UserError(f"There is no mask {name!r}; there are: {', '.join(PRESETS)}.")
    return PRESETS[name](size)


def read_mask(path: Path, size: int, *, box: CropBox | None = None, box_in: tuple[int, int] | None = None) -> Tensor:
    """A mask picture as (1, 1, size, size), checked: what is painted light and opaque is hidden, the rest is visible.

    A mask of `box_in` (width, height) is the photograph's own size and is cropped to `box` like the photograph; any
    other is taken for the crop itself: it loses the margins of its longer side and is scaled.

    Raises:
        UserError: the file is missing, not a picture, or has more than MAX_PIXELS; or a mask that `check_mask` refuses.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UserError(f"The mask {path.name} has {image.width} x {image.height} pixels, more than {MAX_PIXELS:,}.")
            upright = ImageOps.exif_transpose(image)
            cropped = box if upright.size == box_in else None
            if cropped is not None and cropped.angle % 360.0:
                light = turned_square(_light(upright), cropped, size, beyond="zeros")
            else:
                light = _fitted(upright, cropped, size)
    except UserError:
        raise
    except Exception as error:  # a broken file makes Pillow's decoders raise many unrelated types
        raise UserError(f"The mask {path.name} cannot be read as a picture: {error}") from error
    return check_mask((light <= 127.0).float()[None])


def _fitted(image: Image.Image, box: CropBox | None, size: int) -> Tensor:
    """Lightness (1, size, size) in 0..255 of a box, else of the middle, each pixel the average of the area it covers."""
    if box is not None:
        edges = (box.left, box.top, box.left + box.side, box.top + box.side)
        image = image.convert("RGBA").crop(tuple(round(edge) for edge in edges))  # type: ignore[arg-type]
    fitted = ImageOps.fit(_light(image), (size, size), Image.Resampling.BOX)
    return torch.from_numpy(np.array(fitted))[None]


def _light(image: Image.Image) -> Image.Image:
    """Lightness in 0..255, 0 where transparent, as a picture of one float channel."""
    grey, alpha = image.convert("RGBA").convert("LA").split()
    return Image.fromarray(np.asarray(grey, dtype=np.float32) * np.asarray(alpha, dtype=np.float32) / 255.0)
