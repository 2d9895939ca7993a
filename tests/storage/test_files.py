"""Files appear whole or not at all, nothing is written over, and a disk that cannot be written is a sentence."""

from __future__ import annotations

import errno
import os
import stat
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from landscape_core.errors import UserError
from landscape_core.storage.files import check_writable, unused, whole, write_bytes, write_text


class FullDisk:
    """A file that takes some bytes and then finds the disk full."""

    def __init__(self, path: Path, room: int) -> None:
        self.file, self.room = path.open("wb", buffering=0), room

    def write(self, content: bytes) -> int:
        self.room -= len(content)
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self.file.write(content)

    def tell(self) -> int:
        return self.file.tell()

    def flush(self) -> None:
        self.file.flush()

    def close(self) -> None:
        self.file.close()


def test_a_full_disk_leaves_the_earlier_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"the earlier one")

    def export() -> None:
        with whole(path) as partial, closing(FullDisk(partial, 1000)) as disk, zipfile.ZipFile(disk, "w") as archive:
            archive.writestr("large", bytes(5000))

    with pytest.raises(UserError, match=r"a.zip cannot be written: no space left on device\."):
        export()
    assert path.read_bytes() == b"the earlier one"
    assert list(tmp_path.iterdir()) == [path]


def test_whatever_else_goes_wrong_leaves_nothing_either(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), whole(tmp_path / "a.txt") as partial:
        partial.write_text(str(1 / 0))


def test_an_interrupt_leaves_nothing_either(tmp_path: Path) -> None:
    def stopped() -> None:
        with whole(tmp_path / "a.txt") as partial:
            partial.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert list(tmp_path.iterdir()) == []


def test_files_are_readable_for_those_for_whom_new_files_are(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with whole(tmp_path / "deep" / "a.bin") as partial:
            partial.unlink()
            os.close(os.open(partial, os.O_CREAT | os.O_WRONLY, 0o600))  # as safetensors makes its files
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "deep" / "a.bin").stat().st_mode) == 0o644


def test_text_and_bytes_replace_what_was_there(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "Θ and more")
    write_bytes(tmp_path / "a", b"b")
    assert (tmp_path / "a").read_bytes() == b"b"


def test_two_who_write_one_file_at_once_both_write_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with whole(path) as first:
        first.write_text("first")
        with whole(path) as second:
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    assert [*tmp_path.iterdir()] == [path]


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    assert unused(tmp_path / "a.zip") == tmp_path / "a.zip"
    (tmp_path / "a.zip").touch()
    (tmp_path / "a-2.zip").mkdir()
    assert unused(tmp_path / "a.zip") == tmp_path / "a-3.zip"


def test_a_folder_that_cannot_be_written_is_refused_and_one_that_can_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_writable(tmp_path / "new" / "deeper") == tmp_path / "new" / "deeper"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    for inside in ("file", "file/below"):
        with pytest.raises(UserError, match=r"cannot be a folder: .*file is a file|cannot be written: not a directory"):
            check_writable(tmp_path / inside)
    with pytest.raises(UserError, match="cannot be written: file name too long"):
        check_writable(tmp_path / ("a" * 300))

    def read_only(**_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("tempfile.TemporaryFile", read_only)
    with pytest.raises(UserError, match="cannot be written: read-only file system"):
        check_writable(tmp_path)
