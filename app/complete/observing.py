"""What the Complete tab's search is told of a picture: what is observed, simulated of the picture or the picture itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from app.runs.session import Picked
from landscape_core.errors import UserError
from landscape_core.generators.masks import check_mask
from landscape_core.generators.observing import PAINTED_MASK, Instrument, as_picture
from landscape_core.images.pixels import to_bytes, to_unit
from landscape_core.search.objectives import Target

CHOICES = (
    ("What a painted mask leaves", PAINTED_MASK),
    ("Low resolution, a 4th of the side", "low-resolution:4"),
    ("Low resolution, an 8th of the side", "low-resolution:8"),
    ("Low resolution, a 16th of the side", "low-resolution:16"),
    ("Blurred", "blur:gaussian:3"),
    ("Shaken", "blur:motion:9:45"),
    ("Grey", "grey"),
    ("With noise", "noise:0.2"),
    ("With salt and pepper", "salt-and-pepper:0.3"),
    ("One pixel in twenty", "scattered:0.05"),
    ("256 random measurements", "measurements:256"),
    ("Blurred, behind a mask that you paint", "blur:gaussian:2+mask"),
)
TAKEN = {"simulated": False, "taken": True}


@dataclass(frozen=True)
class Asked:
    """`instrument` sees the picture; or with `taken`, took it."""

    instrument: Instrument
    taken: bool = False


USUAL = Asked(Instrument.of(PAINTED_MASK))


def from_values(values: Mapping[str, Any]) -> Asked:
    """What the form asks for, which is untrusted; where it does not say, a painted mask.

    Raises:
        UserError: there is no such observation.
    """
    source = values.get("source", "simulated")
    if source not in TAKEN:
        raise UserError(f"Where it comes from is one of {', '.join(TAKEN)}.")
    asked = Asked(Instrument.of(str(values.get("observation") or PAINTED_MASK)), TAKEN[source])
    if asked.taken and "measurements" in asked.instrument.parts:
        raise UserError("Measurements are no picture that could be uploaded; simulate them from a whole one.")
    return asked


def values_of(asked: Asked) -> dict[str, Any]:
    """The form's values."""
    return {"observation": str(asked.instrument), "source": "taken" if asked.taken else "simulated"}


def side_of(asked: Asked, side: int) -> int:
    """The side of the picture that is asked for, with a model of that side."""
    return side // asked.instrument.factor if asked.taken else side


def target_of(asked: Asked, picked: Picked, mask: Tensor | None, side: int) -> Target:
    """The target (1, ...) for a model of that side; `mask` (1, 1, side, side) is the painted one.

    Raises:
        UserError: a mask without a problem in it.
    """
    picture = to_unit(picked.at(side_of(asked, side)).picture)[None]
    if asked.taken:
        return asked.instrument.taken(picture, mask, side)
    return asked.instrument.observe(picture, mask)


def preview(asked: Asked, picked: Picked, side: int) -> Tensor:
    """What is observed as a picture, uint8 (3, side, side); where a mask is painted, without it."""
    bare = replace(asked, instrument=asked.instrument.unpainted)
    return to_bytes(as_picture(target_of(bare, picked, None, side), side))[0]


def read_mask(asked: Asked, text: Any, side: int) -> Tensor | None:
    """The painted mask (1, 1, side, side) that a browser sent, where one is asked for.

    Raises:
        UserError: not one character 0 or 1 per pixel, or a mask that `check_mask` refuses.
    """
    return read_painted(text, side) if asked.instrument.painted else None


def read_painted(text: Any, side: int) -> Tensor:
    """A painted mask (1, 1, side, side) from the browser, which is untrusted.

    Raises:
        UserError: not one character 0 or 1 per pixel, or a mask that `check_mask` refuses.
    """
    if not isinstance(text, str) or len(text) != side * side or set(text) - {"0", "1"}:
        raise UserError(f"A mask is {side} × {side} pixels, each 0 (hidden) or 1 (visible).")
    return check_mask(torch.tensor([float(c) for c in text]).reshape(1, 1, side, side))
