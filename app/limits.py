"""Every limit of the server, in one place. SECURITY.md says what each is for."""

from __future__ import annotations

MB = 10**6

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

# How long the end may take.
CLOSING_SECONDS = 5
