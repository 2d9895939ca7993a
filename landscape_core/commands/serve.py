"""`serve`: start the app in the browser."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 127.0.0.1 is this machine only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 7860,
) -> None:
    """Start the app; the same as `python app.py`."""
    script = Path(__file__).resolve().parents[2] / "app.py"
    os.execv(sys.executable, [sys.executable, str(script), "--host", host, "--port", str(port)])
