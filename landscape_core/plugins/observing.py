"""Reading what a user observed, where a plug-in does not say how: numbers from NPY, CSV or JSON, or a picture."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from landscape_core.errors import UserError, reading
from landscape_core.images.pixels import to_unit
from landscape_core.images.reading import centre_box, crop_square, load_picture
from landscape_core.search.objectives import Target

NUMBERS = (".npy", ".csv", ".txt", ".json")
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif")
MOST = 64 * 2**20  # bytes of a file of numbers


def is_pictures(output: Tensor) -> bool:
    """Whether F's output is pictures: (B, 3, side, side)."""
    return output.dim() == 4 and output.shape[1] == 3 and output.shape[2] == output.shape[3]


def observe(path: Path, output: Tensor) -> Target:
    """A file's numbers as a target shaped like F's output (1, ...); what is not a number (NaN, null, empty) is hidden.

    Raises:
        UserError: a file of another kind, one that cannot be read, or one with another number of values.
    """
    if path.suffix.lower() in PICTURES and is_pictures(output):
        image = load_picture(path).image
        return Target(to_unit(crop_square(image, centre_box(image), output.shape[-1]))[None])
    if path.suffix.lower() not in NUMBERS:
        kinds = ", ".join((*NUMBERS, *PICTURES) if is_pictures(output) else NUMBERS)
        raise UserError(f"{path.name} is not a file of observations; there are: {kinds}.")
    numbers = _numbers(path).reshape(-1)
    shape = output.shape[1:]
    if len(numbers) != shape.numel():
        raise UserError(f"{path.name} holds {len(numbers):,} numbers; this F makes {shape.numel():,}, shaped {tuple(shape)}.")
    value = torch.from_numpy(numbers).reshape(1, *shape).to(output.dtype)
    seen = torch.isfinite(value)
    if not seen.any():
        raise UserError(f"{path.name} holds no number at all.")
    return Target(value.nan_to_num(0.0, 0.0, 0.0), None if seen.all() else seen.to(value))


def _numbers(path: Path) -> np.ndarray:
    with reading(str(path)):
        size = path.stat().st_size
    if size > MOST:
        raise UserError(f"{path.name} has {size:,} bytes; at most {MOST:,} are read.")
    with reading(path.name, "does not hold numbers that can be read"):
        content = path.read_bytes()
        if path.suffix.lower() == ".npy":
            return np.load(io.BytesIO(content), allow_pickle=False).astype(np.float64)
        if path.suffix.lower() == ".json":
            return np.array(json.loads(content), dtype=np.float64)
        return np.genfromtxt(io.BytesIO(content), delimiter="," if b"," in content else None, dtype=np.float64)
