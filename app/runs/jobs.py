"""A visitor's work that is no race: one job each, found again by its secret id, stopped when another begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.runs.session import Streamed, Visitors


@dataclass
class Job(Streamed):
    """The `number`th press of Run."""

    number: int = 1


J = TypeVar("J", bound=Job)


class Latest(Generic[J]):
    """The job of a visitor that was begun last, if any."""

    job: J | None = None

    def stop(self) -> None:
        """Ask it to stop."""
        if self.job is not None:
            self.job.stop.set()

    def streamed(self) -> J | None:
        """What the page is sent messages of."""
        return self.job

    def weight(self) -> int:
        """The bytes that it keeps."""
        return 0 if self.job is None else self.job.weight


class Jobs(Visitors[Latest[J]]):
    """The latest job of every visitor. `make` is called with a job's number."""

    def __init__(self, make: Callable[[int], J], capacity: int | None = None) -> None:
        super().__init__(Latest, capacity)
        self._job = make

    def begin(self, key: str | None) -> J:
        """A new job in place of the one before, which is stopped."""
        latest = self.get(key)
        latest.stop()
        latest.job = self._job(1 if latest.job is None else latest.job.number + 1)
        return latest.job

    def latest(self, key: str | None) -> J | None:
        """The job that stands for that visitor, if any."""
        return self.get(key).job
