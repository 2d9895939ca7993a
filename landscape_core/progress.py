"""What every training loop tells its caller, and how a caller stops it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol


class Report(Protocol):
    """Called after every update with (done, total, figures); returning True stops the run after saving."""

    def __call__(self, done: int, total: int, figures: Mapping[str, float]) -> bool: ...


def silent(done: int, total: int, figures: Mapping[str, float]) -> bool:
    """Report nothing, never stop."""
    return False


Tick = Callable[[str, int, int], None]
