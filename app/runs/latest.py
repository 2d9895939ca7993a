"""A visitor's latest job that is no race: one each, found again by its secret id, stopped when another begins."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from app.runs.session import MAX_SESSIONS


@dataclass
class Job:
    """The `number`th press of Run. `stop` is asked between pieces of work; `messages` are what the browser was sent."""

    number: int = 1
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    stop: threading.Event = field(default_factory=threading.Event)
    messages: list[dict[str, Any]] = field(default_factory=list)


J = TypeVar("J", bound=Job)


class Latest(Generic[J]):
    """The latest job of every visitor by Gradio's session hash, the least recently begun dropped beyond `capacity`. `make`
    is called with a job's number."""

    def __init__(self, make: Callable[[int], J], capacity: int = MAX_SESSIONS) -> None:
        self._make, self._capacity = make, capacity
        self._jobs: OrderedDict[str, J] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str | None) -> J | None:
        """What stands for that visitor, if anything."""
        with self._lock:
            return self._jobs.get(key or "")

    def begin(self, key: str | None) -> J:
        """A new job in place of the one before, which is stopped."""
        with self._lock:
            before = self._jobs.pop(key or "", None)
            job = self._jobs[key or ""] = self._make(1 if before is None else before.number + 1)
            dropped = [self._jobs.popitem(last=False)[1] for _ in range(len(self._jobs) - self._capacity)]
        for each in (before, *dropped):
            if each is not None:
                each.stop.set()
        return job

    def stop(self, key: str | None) -> None:
        """Ask the visitor's job to stop."""
        job = self.get(key)
        if job is not None:
            job.stop.set()

    def drop(self, key: str | None) -> None:
        """Forget a visitor and stop their job."""
        self.stop(key)
        with self._lock:
            self._jobs.pop(key or "", None)

    def missed(self, job_id: str, since: int) -> list[dict[str, Any]]:
        """A job's messages from number `since` on. The id is a secret that only its own page was told."""
        with self._lock:
            jobs = list(self._jobs.values())
        return next((j.messages[since:] for j in jobs if secrets.compare_digest(j.id.encode(), job_id.encode())), [])
