"""Zips from anybody: what cannot be unpacked is a sentence, and what is too large is not unpacked."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from landscape_core.errors import UserError
from landscape_core.storage.archives import opened, unpacked


def zipped(method: int = zipfile.ZIP_DEFLATED, content: bytes = b"a" * 1000) -> bytearray:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("a.txt", content)
    return bytearray(buffer.getvalue())


def changed(offset: int, *values: int) -> bytes:
    """The zip with bytes of its local and its central header changed, `offset` counted in the local one."""
    data = zipped()
    central = data.index(b"PK\x01\x02") + 2  # the central header has two bytes more in front
    for start in (offset, central + offset):
        data[start : start + len(values)] = bytes(values)
    return bytes(data)


def garbled() -> bytes:
    data = zipped(content=bytes(range(256)) * 9)
    data[60:120] = b"\xff" * 60
    return bytes(data)


def read(data: bytes, limit: int = 10_000) -> bytes:
    with opened(io.BytesIO(data), "b.zip") as archive:
        return unpacked(archive, "a.txt", "b.zip", limit)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_come_back(method: int) -> None:
    assert read(bytes(zipped(method))) == b"a" * 1000


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "b.zip is not a zip that can be read: File is not a zip file"),
        (bytes(zipped())[:-30], "not a zip that can be read"),
        (changed(6, 1), "a.txt in b.zip is encrypted"),
        (changed(8, 99), "a.txt in b.zip cannot be read: .*not supported"),
        (changed(6, 32), "a.txt in b.zip cannot be read"),
        (changed(14, 1, 2, 3, 4), "a.txt in b.zip cannot be read: Bad CRC"),
        (garbled(), "a.txt in b.zip cannot be read"),
        (bytes(zipped()).replace(b"a.txt", b"c.txt"), "There is no a.txt in b.zip"),
    ],
    ids=["empty", "cut", "encrypted", "method", "patch", "checksum", "deflate", "name"],
)  # fmt: skip
def test_what_cannot_be_unpacked_is_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        read(data)


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytes(zipped(content=bytes(1_000_000)))
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("unpacked"))
    with pytest.raises(UserError, match=r"a.txt in b.zip unpacks to 1,000,000 bytes; at most 10,000"):
        read(data)


def test_a_header_that_lies_about_the_size_gives_no_more_than_it_says() -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read(changed(22, 10, 0, 0, 0))


def test_a_path_is_read_like_a_buffer(tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_bytes(zipped())
    with opened(tmp_path / "b.zip", "b.zip") as archive:
        assert unpacked(archive, "a.txt", "b.zip") == b"a" * 1000
    with pytest.raises(UserError, match="There is no file"), opened(tmp_path / "c.zip", "c.zip"):
        pass
