"""Reading a run card from an uploaded file: the JSON itself, or the zip of an export."""

from __future__ import annotations

import io
import zipfile
from typing import overload

from landscape_core.errors import UserError
from landscape_core.export import CARD
from landscape_core.runs import Card, CardKind, RunCard, read_card

MAX_CARD = 1_000_000


@overload
def read_card_file(data: bytes) -> RunCard: ...
@overload
def read_card_file(data: bytes, kind: type[CardKind]) -> CardKind: ...
def read_card_file(data: bytes, kind: type[Card] = RunCard) -> Card:
    """The card of a kind in an uploaded file, which is untrusted: sizes are checked before anything is unpacked.

    Raises:
        UserError: neither a run card nor an export with one.
    """
    if zipfile.is_zipfile(io.BytesIO(data)):
        data = _from_zip(data)
    if len(data) > MAX_CARD:
        raise UserError(f"A run card has at most {MAX_CARD:,} bytes; this file has {len(data):,}.")
    try:
        return read_card(data.decode("utf-8"), kind)
    except UnicodeDecodeError as error:
        raise UserError(f"This is not a run card: give {CARD}, or the zip of an export.") from error


def _from_zip(data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            info = archive.getinfo(CARD)
            if info.file_size > MAX_CARD:
                raise UserError(f"{CARD} in this zip unpacks to {info.file_size:,} bytes; at most {MAX_CARD:,} are accepted.")
            with archive.open(info) as file:
                return file.read(MAX_CARD + 1)
    except KeyError as error:
        raise UserError(f"This zip has no {CARD} in it; give an export of a run.") from error
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
        raise UserError(f"This zip cannot be read: {error}.") from error
