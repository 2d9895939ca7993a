"""`serve`: start the app in the browser."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

import typer

INSTALLED, HERE = "landscape_core.app", "app"  # where the wheel puts the app, and where the repository has it


def serve(context: typer.Context) -> None:
    """Start the app in the browser. Its options are those of `python app.py`: --host, --port, --name, --task, --device, --work,
    --train, and --settings, a TOML file of them."""
    module = INSTALLED if find_spec(INSTALLED) is not None else HERE
    os.execv(sys.executable, [sys.executable, "-m", module, *context.args])
