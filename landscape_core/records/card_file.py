"""The text of a run card in a file from anybody: the JSON itself, or the zip of an export."""

from __future__ import annotations

import io
import json
import zipfile

from landscape_core.errors import UserError, reading
from landscape_core.records.export import CARD
from landscape_core.storage.archives import opened, unpacked

MAX_CARD = 20_000_000  # bytes: what was observed of the largest picture, as numbers


def card_text(data: bytes, name: str = "this zip") -> str:
    """The JSON text in an uploaded file, which is untrusted: sizes are checked before anything is unpacked.

    Raises:
        UserError: too large, a zip without a card in it or one that cannot be read, or no text.
    """
    if zipfile.is_zipfile(io.BytesIO(data)):
        with opened(io.BytesIO(data), name) as archive:
            data = unpacked(archive, CARD, name, MAX_CARD)
    if len(data) > MAX_CARD:
        raise UserError(f"A run card has at most {MAX_CARD:,} bytes; this file has {len(data):,}.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"This is not a run card: give {CARD}, or the zip of an export.") from error


def card_kind(text: str, name: str = "this file") -> str:
    """What kind of run card a text is; "none" where it does not say.

    Raises:
        UserError: it is no JSON.
    """
    with reading(name, "is not a run card that can be replayed"):
        content = json.loads(text)
    return str(content.get("kind")) if isinstance(content, dict) else "none"
