"""`python -m landscape_core`."""

from landscape_core.cli import main

main()
