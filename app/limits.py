"""Every limit of the server, in one place. SECURITY.md says what each is for, and that a settings file may have others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from landscape_core.errors import UserError, listed

MB = 10**6
MOST = 1000  # times what a limit is here, it may be in a settings file

# A request.
JSON_BODY = 2 * MB
UPLOAD_BODY = 100 * MB
UPLOAD_FILE = 12 * MB
UPLOAD_FILES = 64

# What is waited for and computed at the same time.
WAITING = 32
WAITING_A_PAGE = 4
WAITING_AN_ADDRESS = 16  # of another machine
RUNS_AT_ONCE = 4  # or as many as there are cores, if these are fewer
SHORT_AT_ONCE = 4  # uploads and cards, which have a lane of their own
EXPORTS_AT_ONCE = 2  # and so have these

# What is kept in memory.
PAGES = 64  # pages whose form the server knows; about half a megabyte each
PAGES_AN_ADDRESS = 32  # of another machine
SESSIONS = 64  # in each tab
HELD_BY_RUN = 400 * MB
HELD_BY_TAB = 600 * MB  # by all runs of a tab that rest

# What is kept on the disk, in the temporary folder.
SCRATCH = 1000 * MB
SCRATCH_SECONDS = 3600

# Trainings, which lie in a folder of their own.
TRAININGS = 32  # that are kept, finished ones too
TRAINING_PICTURES = 2000
TRAINING_MINUTES = 24 * 60

# When the server ends, what is being trained gets so long to end by itself.
CLOSING_SECONDS = 5


def runs_at_once() -> int:
    """Runs computed at the same time; more wait in the queue. More than there are cores would slow everybody down."""
    return max(1, min(RUNS_AT_ONCE, os.cpu_count() or 1))


DEFAULTS: dict[str, int] = {
    name.lower(): value for name, value in list(globals().items()) if name.isupper() and name not in ("MB", "MOST")
}  # by the names that a settings file has for them


def checked(others: Mapping[str, Any]) -> dict[str, int]:
    """Limits by name, as a settings file has them.

    Raises:
        UserError: a name that is no limit's, or a value that is no whole number or out of range.
    """
    for name, value in others.items():
        if name not in DEFAULTS:
            raise UserError(f"There is no limit {name[:40]!r}; there are: {listed(DEFAULTS, len(DEFAULTS))}.")
        most = MOST * DEFAULTS[name]
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise UserError(f"The limit {name} is a whole number from 1 to {most:,}, not {str(value)[:40]!r}.")
    return dict(others)


def put(others: Mapping[str, int]) -> None:
    """Let these hold in place of the usual ones in this process: once, where it starts, before the app is laid out. Everything
    asks this module when it needs a limit, and nothing while it is imported.

    Raises:
        UserError: as `checked`.
    """
    globals().update({name.upper(): value for name, value in checked(others).items()})
