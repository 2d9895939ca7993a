"""Files that appear whole or not at all, under names that nothing else has."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from landscape_core import processes
from landscape_core.errors import UserError, writing


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` to write into; it takes the name when the block ends well, and is deleted otherwise.

    The bytes are on the disk before the name is: after a crash or a full disk the earlier file is there unharmed. Of several
    processes only the main one writes; what the others would write is dropped.

    Raises:
        UserError: the folder or file cannot be written.
    """
    if not processes.is_main():
        with tempfile.TemporaryDirectory() as dropped:
            yield Path(dropped) / path.name
        return
    partial = path.with_name(f".{path.stem}.{os.getpid()}-{secrets.token_hex(4)}.partial{path.suffix}")  # threads may meet
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.touch()
            mode = partial.stat().st_mode
            yield partial
            with partial.open("rb+") as file:
                os.fsync(file.fileno())
            partial.chmod(mode)  # some writers make files for their owner alone
            os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole. Raises UserError where it cannot be written."""
    with whole(path) as partial:
        partial.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file whole. Raises UserError where it cannot be written."""
    write_bytes(path, text.encode("utf-8"))


def unused(path: Path) -> Path:
    """`path`, or where something has that name already the first free one of a-2.zip, a-3.zip, …: nothing is written over.

    Raises:
        UserError: the folder cannot be looked into.
    """
    number, candidate = 1, path
    with writing(path):
        while candidate.exists():
            number += 1
            candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


def check_writable(folder: Path) -> Path:
    """The folder itself, after making sure that files can be written in it; nothing is left there.

    Raises:
        UserError: it, or the nearest folder above that is there, cannot be written to.
    """
    with writing(folder):
        nearest = next((each for each in (folder, *folder.absolute().parents) if each.exists()), folder)
        if not nearest.is_dir():
            raise UserError(f"{folder} cannot be a folder: {nearest} is a file.")
        with tempfile.TemporaryFile(dir=nearest) as probe:
            probe.write(b"0")
            probe.flush()
    return folder
