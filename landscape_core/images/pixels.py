"""Between tensors and pixels: value ranges, Pillow's pictures, PNG and WebP."""

from __future__ import annotations

import base64
import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from landscape_core.errors import UserError, reading
from landscape_core.images.reading import open_picture

MAX_SIDE = 1024  # of a picture on a run card
LARGEST_PNG = 4_500_000  # characters of its base64: what does not compress at all


def to_image(picture: Tensor) -> Image.Image:
    """uint8 (3, H, W) as Pillow has it."""
    return Image.fromarray(picture.permute(1, 2, 0).contiguous().cpu().numpy())


def webp(picture: Tensor) -> str:
    """uint8 (3, H, W) -> WebP, base64."""
    buffer = io.BytesIO()
    to_image(picture).save(buffer, "WEBP", quality=90, method=1)
    return base64.b64encode(buffer.getvalue()).decode()


def to_unit(images: Tensor) -> Tensor:
    """uint8 (…) in 0..255 -> float32 in [-1, 1], the range of every picture inside the core."""
    return images.float() / 127.5 - 1.0


def to_bytes(images: Tensor) -> Tensor:
    """float in [-1, 1] -> uint8 in 0..255, clipped and rounded."""
    return ((images.detach().clamp(-1.0, 1.0) + 1.0) * 127.5).round().to("cpu", torch.uint8)


def png_bytes(picture: Tensor | Image.Image) -> bytes:
    """Encode a picture, uint8 (3, H, W) where it is a tensor, as PNG without metadata."""
    buffer = io.BytesIO()
    (to_image(picture) if isinstance(picture, Tensor) else picture).save(buffer, "PNG")
    return buffer.getvalue()


def png_base64(picture: Tensor) -> str:
    """uint8 (3, H, W) -> PNG, base64."""
    return base64.b64encode(png_bytes(picture)).decode()


def png_tensor(text: str, *, side: int | None = None) -> Tensor:
    """The inverse of `png_base64`, for squares only: of `side` pixels, or without one, of at most `MAX_SIDE`.

    Raises:
        UserError: not base64, not a PNG that can be read, or one of another size.
    """
    name = "The card's picture"
    with reading(name):
        content = base64.b64decode(text, validate=True)
    with open_picture(io.BytesIO(content), name, ("PNG",)) as image:
        if image.width != image.height or image.width > MAX_SIDE or side not in (None, image.width):
            wanted = f"a square of at most {MAX_SIDE} pixels" if side is None else f"{side}x{side}"
            raise UserError(f"{name} is {image.width}x{image.height}; {wanted} is needed.")
        with reading(name):
            pixels = np.asarray(image.convert("RGB"))
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)
