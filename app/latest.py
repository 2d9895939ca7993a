"""Jobs that are not races, by visitor: one each, found again by its secret id, stopped when another begins."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from app.session import MAX_SESSIONS


@dataclass
class Job:
    """One press of Run. `stop` is asked between pieces of work; `messages` are what the browser was sent."""

    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    stop: threading.Event = field(default_factory=threading.Event)
    messages: list[dict[str, Any]] = field(default_factory=list)


class Jobs:
    """The latest job of every visitor by Gradio's session hash, the least recently begun dropped beyond `capacity`."""

    def __init__(self, capacity: int = MAX_SESSIONS) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._capacity = capacity
        self._lock = threading.Lock()

    def begin(self, key: str | None) -> Job:
        """A new job in place of the one before, which is stopped."""
        job = Job()
        with self._lock:
            gone = [self._jobs.pop(key or "", None)]
            self._jobs[key or ""] = job
            while len(self._jobs) > self._capacity:
                gone.append(self._jobs.popitem(last=False)[1])
        for each in gone:
            if each is not None:
                each.stop.set()
        return job

    def stop(self, key: str | None) -> None:
        """Ask the visitor's job to stop."""
        with self._lock:
            job = self._jobs.get(key or "")
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
