"""A mask in the page's address: a preset by its name, any other as its packed bits, compressed."""

from __future__ import annotations

import base64
import binascii
import zlib
from math import isqrt

import numpy as np

from app.complete.stream import mask_text
from landscape_core.errors import UserError
from landscape_core.generators.masks import PRESETS, preset

PAINTED = "painted"  # what is said in place of a mask too intricate for an address
LONGEST = 4000  # characters; a mask of 128 x 128 always fits, even of noise
MAX_SIDE = 1024


def mask_name(text: str) -> str | None:
    """The preset that a painted mask is, if it is one."""
    side = isqrt(len(text))
    return next((name for name in PRESETS if side and mask_text(preset(name, side)) == text), None)


def to_link(text: str) -> str:
    """A mask, a character per pixel, row by row, as the address has it: its preset's name, "0" and its bits (zlib, base64url),
    or `PAINTED`."""
    name = mask_name(text)
    if name is not None:
        return name
    bits = np.packbits(np.frombuffer(text.encode(), np.uint8) == ord("1"))
    packed = "0" + base64.urlsafe_b64encode(zlib.compress(bits.tobytes(), 9)).decode().rstrip("=")
    return packed if len(packed) <= LONGEST else PAINTED


def from_link(text: str, side: int) -> str:
    """The mask of an address, which is untrusted, for a model of that side, a character per pixel; of packed bits, at their own
    side.

    Raises:
        UserError: no preset's name, and no packed bits of a square.
    """
    if text in PRESETS:
        return mask_text(preset(text, side))
    if text == PAINTED:
        raise UserError("This link was made with a painted mask too intricate for an address; paint it again.")
    try:
        packed = base64.urlsafe_b64decode(text[1:LONGEST] + "=" * (-len(text[1:LONGEST]) % 4))
        bits = zlib.decompressobj().decompress(packed, MAX_SIDE**2 // 8)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise UserError(f"The address asked for the mask “{text[:40]}”, which there is not; it was ignored.") from error
    square = isqrt(8 * len(bits))
    square -= square % 4  # squares of sides that are no multiple of 4 have bits left over; no model has such a side
    if not text.startswith("0") or not square or square * square != 8 * len(bits):
        raise UserError(f"The address asked for the mask “{text[:40]}”, which there is not; it was ignored.")
    return "".join("1" if bit else "0" for bit in np.unpackbits(np.frombuffer(bits, np.uint8)))
