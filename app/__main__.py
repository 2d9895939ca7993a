"""`python -m app` in the repository; `python -m landscape_core.app` where the library is installed, with the app below it."""

import sys

if __package__ != "app":  # its modules call each other app.…, and no top-level package is installed under that name
    sys.modules["app"] = sys.modules[str(__package__)]

import typer

from app.start import main

typer.run(main)
