"""One training at a time in a folder."""

from __future__ import annotations

from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from landscape_core import processes
from landscape_core.errors import UserError, writing


def hold(folder: Path) -> BaseFileLock:
    """Keep every other process from training in this folder, created where missing, for as long as the lock is referred to.

    The system holds the lock for this process: it ends with it, however that ends, so none is ever left behind. Within
    one process a folder may be held several times. Of several processes that train as one the main one holds it.

    Raises:
        UserError: another process holds it, or the folder cannot be written.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock", timeout=0, thread_local=False, is_singleton=True)
        try:
            if processes.is_main():
                lock.acquire()
        except Timeout as error:
            raise UserError(
                f"Another training is running in {folder}. Wait until it ends, or give this one another folder with --work."
            ) from error
    return lock


def free(folder: Path) -> bool:
    """Whether no other process trains in a folder, or below it."""
    for path in folder.rglob(".lock"):
        try:
            with FileLock(path, timeout=0):
                pass
        except Timeout:
            return False
    return True
