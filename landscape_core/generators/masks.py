"""Masks: which pixels of a picture were observed (1) and which are hidden (0)."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from landscape_core.errors import UserError, reading
from landscape_core.images.reading import CropBox, open_picture, turned_square


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

    With a photograph of `box_in` (width, height) that was cropped to `box`, a mask of its proportions lies on the whole
    photograph, at whatever scale, and is cropped like it; any other must be square and lies on the crop. Where the
    photograph is square too, only a mask of `size` x `size` pixels lies on the crop.

    Raises:
        UserError: the file is missing, not a picture, or too large; other proportions; or a mask that `check_mask` refuses.
    """
    name = f"The mask {path.name}"
    with reading(str(path)):
        content = path.read_bytes()
    with open_picture(io.BytesIO(content), name) as image, reading(name, "cannot be decoded"):
        light = _light(ImageOps.exif_transpose(image))
    if box is not None and box_in is not None and _same_proportions(light.size, box_in) and light.size != (size, size):
        painted = _under(light, box, light.width / box_in[0], size)
    elif light.width == light.height:
        painted = _fitted(light, size)
    else:
        whole = f", or as the picture in the proportions {box_in[0]}:{box_in[1]}" if box_in else ""
        raise UserError(f"{name} is {light.width}x{light.height}; it must be square, to lie on the crop{whole}.")
    return check_mask((painted <= 127.0).float()[None])


def _same_proportions(mask: tuple[int, int], picture: tuple[int, int]) -> bool:
    """Whether the mask is the picture scaled, give or take the pixel that rounding costs."""
    scale = max(mask) / max(picture)
    return all(abs(ours - theirs * scale) <= 1.0 for ours, theirs in zip(mask, picture, strict=True))


def _under(light: Image.Image, box: CropBox, scale: float, size: int) -> Tensor:
    """Lightness (1, size, size) of the photograph's crop box on a mask `scale` times as large, 0 beyond the mask."""
    box = replace(box, left=box.left * scale, top=box.top * scale, side=box.side * scale)
    if box.angle % 360.0:
        return turned_square(light, box, size, beyond="zeros")
    edges = (box.left, box.top, box.left + box.side, box.top + box.side)
    return _fitted(light.crop(tuple(round(edge) for edge in edges)), size)  # type: ignore[arg-type]


def _fitted(light: Image.Image, size: int) -> Tensor:
    """Lightness (1, size, size), each pixel the average of the area it covers."""
    fitted = ImageOps.fit(light, (size, size), Image.Resampling.BOX)
    return torch.from_numpy(np.array(fitted))[None]


def _light(image: Image.Image) -> Image.Image:
    """Lightness in 0..255, 0 where transparent, as a picture of one float channel."""
    grey, alpha = image.convert("RGBA").convert("LA").split()
    return Image.fromarray(np.asarray(grey, dtype=np.float32) * np.asarray(alpha, dtype=np.float32) / 255.0)
