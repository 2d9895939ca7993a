"""Starts the user interface: python app.py [--host HOST] [--port PORT] [--name NAME]. See --help."""

from __future__ import annotations

import typer

from app.start import main

if __name__ == "__main__":
    typer.run(main)
