"""Zips from anybody: how much a member unpacks to is known before it is unpacked."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from landscape_core.errors import UserError, reading

MAX_MEMBER = 64 * 2**20  # bytes; far above any picture that is accepted


@contextmanager
def opened(source: Path | BinaryIO, name: str) -> Iterator[zipfile.ZipFile]:
    """The zip, for `unpacked`; `name` is for the sentences.

    Raises:
        UserError: no zip, or a damaged one.
    """
    with reading(name, "is not a zip that can be read"):
        archive = zipfile.ZipFile(source)
    with archive:
        yield archive


def unpacked(archive: zipfile.ZipFile, member: str, name: str, limit: int = MAX_MEMBER) -> bytes:
    """The bytes of one member of the zip called `name`.

    Raises:
        UserError: no such member, more than `limit` bytes, or an encrypted, damaged or unknown packing.
    """
    if member not in archive.NameToInfo:
        raise UserError(f"There is no {member} in {name}.")
    info = archive.getinfo(member)
    if info.file_size > limit:
        raise UserError(f"{member} in {name} unpacks to {info.file_size:,} bytes; at most {limit:,} are accepted.")
    if info.flag_bits & 1:
        raise UserError(f"{member} in {name} is encrypted; give a zip without a password.")
    with reading(f"{member} in {name}"), archive.open(info) as file:
        return file.read(limit + 1)[:limit]  # a member never gives more than its header says
