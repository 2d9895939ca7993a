"""The temporary folder: one for each server, which goes with it, and with what a killed one left."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from anyio import to_thread
from filelock import FileLock, Timeout
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app import limits
from app.guard import refusal
from landscape_core.errors import UserError, reason, writing

PREFIX = "loss-landscapes-"


@contextmanager
def scratch() -> Iterator[Path]:
    """A new folder in which everything temporary of this process is written, uploads and exports too, and nothing else.

    Folders of servers that were killed are removed first: those whose lock, a file beside the folder, nobody holds.

    Raises:
        UserError: the system's temporary folder cannot be written.
    """
    home = Path(tempfile.gettempdir())
    for left in home.glob(f"{PREFIX}*.lock"):
        with suppress(Timeout, OSError), FileLock(left, timeout=0):  # another user's is not ours to touch
            _remove(left.with_suffix(""), left)
    folder = home / f"{PREFIX}{secrets.token_hex(6)}"
    lock = FileLock(folder.with_suffix(".lock"))
    with writing(home), lock:  # held before there is a folder, so that no other server takes it for a dead one's
        folder.mkdir(mode=0o700)
        os.environ["GRADIO_TEMP_DIR"], tempfile.tempdir = str(folder), str(folder)
        try:
            yield folder
        finally:
            tempfile.tempdir = str(home)
            del os.environ["GRADIO_TEMP_DIR"]
            _remove(folder, folder.with_suffix(".lock"))


def export_path(name: str) -> Path:
    """Where a file of this name is written for a visitor to download: in a new folder, which `make_room` removes with it an
    hour later; the server's end does so sooner."""
    return Path(tempfile.mkdtemp(prefix="export-")) / name


def exported(write: Callable[[], Path]) -> Path:
    """The file that `write` makes for a visitor to download, after room was made for it.

    Raises:
        UserError: as `write`; or the temporary folder is full.
    """
    with writing("The export"):
        make_room()
        return write()


def together(paths: Sequence[Path]) -> Path:
    """One file of several exports: the only one, or a zip of all.

    Raises:
        UserError: there is none.
    """
    if not paths:
        raise UserError("There is no run to export.")
    if len(paths) == 1:
        return paths[0]
    path = paths[0].with_name("runs.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for each in paths:
            archive.write(each, each.name)
    return path


def make_room(size: int = 0) -> None:
    """Remove this server's temporary files that are older than an hour, and the oldest of the others until `size` more
    bytes fit below the limit."""
    folder = Path(tempfile.gettempdir())
    if not folder.name.startswith(PREFIX):
        return  # the folder is everybody's
    files = sorted((status.st_mtime, status.st_size, path) for path, status in _files(folder))
    held, oldest = sum(each for _, each, _ in files), time.time() - limits.SCRATCH_SECONDS
    for changed, each, path in files:
        if changed >= oldest and held + size <= limits.SCRATCH:
            break
        with suppress(OSError):
            path.unlink()
            if path.parent != folder:
                path.parent.rmdir()  # if that was its last
        held -= each


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in folder.rglob("*"):
        with suppress(OSError):  # gone meanwhile
            if path.is_file():
                yield path, path.stat()


def _remove(folder: Path, lock: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.unlink(missing_ok=True)


class Room:
    """Makes room before a file comes in; a full disk is a sentence."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].rstrip("/").endswith("/upload"):
            await self.app(scope, receive, send)
            return
        try:
            told = Headers(scope=scope).get("content-length", "")
            await to_thread.run_sync(make_room, int(told) if told.isdecimal() else 0)
            await self.app(scope, receive, send)  # answers once the file is whole
        except OSError as error:
            sentence = f"The server's temporary folder cannot be written: {reason(error)}. The file was not kept."
            await refusal(507, sentence)(scope, receive, send)
