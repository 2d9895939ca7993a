"""Contact sheets: many pictures in one, to be looked at."""

from __future__ import annotations

from collections.abc import Mapping

from PIL import Image, ImageDraw
from torch import Tensor

from landscape_core.images.pixels import to_bytes, to_image

_LABEL = 14  # pixels above each row


def grid(pictures: Tensor, columns: int) -> Image.Image:
    """Pictures (n, 3, H, W) in [-1, 1], row by row, without gaps."""
    n, _, height, width = pictures.shape
    sheet = Image.new("RGB", (columns * width, -(-n // columns) * height), "white")
    for index, picture in enumerate(to_bytes(pictures)):
        sheet.paste(to_image(picture), (index % columns * width, index // columns * height))
    return sheet


def labelled_rows(rows: Mapping[str, Tensor], *, scale: int = 1) -> Image.Image:
    """One row of pictures (n, 3, H, W) under each label; every pixel becomes `scale` x `scale`."""
    strips = {label: grid(pictures, len(pictures)) for label, pictures in rows.items()}
    strips = {label: strip.resize((strip.width * scale, strip.height * scale), 0) for label, strip in strips.items()}
    size = (max(strip.width for strip in strips.values()), sum(strip.height + _LABEL for strip in strips.values()))
    sheet, top = Image.new("RGB", size, "white"), 0
    for label, strip in strips.items():
        ImageDraw.Draw(sheet).text((2, top + 1), label, fill="black")
        sheet.paste(strip, (0, top + _LABEL))
        top += strip.height + _LABEL
    return sheet
