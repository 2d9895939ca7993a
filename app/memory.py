"""Giving memory that was freed back to the system, where the C library is glibc; elsewhere nothing needs to be done.

glibc keeps freed memory in arenas, by default eight for each core, and a thread takes from its own. A run's steps are computed
by whichever thread of the pool is free, so that every arena comes to hold as much as the largest run once needed: after some
minutes with eight visitors, half of the process's memory was in use by nothing.
"""

from __future__ import annotations

import ctypes
import os
import threading
from contextlib import suppress
from functools import cache

ARENAS = 2
M_ARENA_MAX = -8  # of malloc.h

_trimming = threading.Lock()


def few_arenas() -> None:
    """Let threads share a few arenas: before they are made. Who sets MALLOC_ARENA_MAX has decided otherwise."""
    library = _glibc()
    if library is not None and "MALLOC_ARENA_MAX" not in os.environ:
        library.mallopt(M_ARENA_MAX, ARENAS)


def give_back() -> None:
    """Return whole free pages of all arenas to the system, which takes tens of milliseconds, unless that is being done."""
    library = _glibc()
    if library is not None and _trimming.acquire(blocking=False):
        try:
            library.malloc_trim(0)
        finally:
            _trimming.release()


@cache
def _glibc() -> ctypes.CDLL | None:
    """The C library of this process, if it is glibc."""
    with suppress(OSError, AttributeError, TypeError):
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018  # no other has it
        return library
    return None
