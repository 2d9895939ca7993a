"""`python -m landscape_core`."""

from __future__ import annotations

from landscape_core.cli import main

main()
