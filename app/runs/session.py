"""What the server remembers of a visitor: the target, the photo being cropped, the run that stands, earlier runs' settings.

Nothing here is a model. Sessions are found by Gradio's session hash, bounded in number and dropped when the page closes.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from PIL import Image
from torch import Tensor

from landscape_core.generators.run_card import RunCard
from landscape_core.images.faces import Framing
from landscape_core.images.reading import CropBox
from landscape_core.search.race import RunSettings
from landscape_core.search.solver import Solver
from landscape_core.search.task import Task
from landscape_core.search.trajectory import Trajectory

MAX_SESSIONS = 24
MAX_EARLIER = 50


@dataclass(frozen=True)
class Picked:
    """A chosen target: uint8 (3, H, W), what to call it, and the URL parameters that bring it back (none for a photo)."""

    picture: Tensor
    label: str
    query: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Photo:
    """A visitor's picture with the square that is used of it, what was noticed when it was read, how faces are framed where the
    model shows faces, and why it is this square."""

    image: Image.Image
    box: CropBox
    notices: tuple[str, ...] = ()
    framing: Framing | None = None
    framed: tuple[str, ...] = ()


@dataclass
class Run:
    """One race, running or at rest. `stop` is asked before each step; `messages` are what the browser was sent."""

    number: int
    settings: RunSettings
    target: Picked
    task: Task
    solver: Solver
    trajectory: Trajectory
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    messages: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Earlier:
    """What is kept of a run once another began."""

    id: str
    number: int
    settings: RunSettings
    target: Picked


@dataclass
class Session:
    """One page of one visitor; `mask` is what they painted, `sample` the one they picked of a run with several."""

    target: Picked | None = None
    photo: Photo | None = None
    run: Run | None = None
    card: RunCard | None = None
    earlier: list[Earlier] = field(default_factory=list)
    count: int = 0
    mask: str = ""
    sample: int = 0

    def begin(self, run: Run) -> None:
        """Make `run` the one that stands; the one before is stopped and only its settings are kept."""
        if self.run is not None:
            self.run.stop.set()
            self.earlier.append(Earlier(self.run.id, self.run.number, self.run.settings, self.run.target))
            del self.earlier[:-MAX_EARLIER]
        self.run, self.sample = run, 0
        self.count = run.number

    def stop(self) -> None:
        """Ask the run to stop before its next step."""
        if self.run is not None:
            self.run.stop.set()

    def find(self, run_id: str) -> Earlier | Run | None:
        """The run of that id, standing or earlier."""
        runs: list[Earlier | Run] = [*self.earlier, *([self.run] if self.run else [])]
        return next((run for run in runs if run.id == run_id), None)


class Sessions:
    """All sessions of this process, the least recently used dropped beyond `capacity`."""

    def __init__(self, capacity: int = MAX_SESSIONS) -> None:
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._capacity = capacity
        self._lock = threading.Lock()

    def get(self, key: str | None) -> Session:
        """The session of that hash, made if there is none."""
        with self._lock:
            session = self._sessions.setdefault(key or "", Session())
            self._sessions.move_to_end(key or "")
            while len(self._sessions) > self._capacity:
                _, dropped = self._sessions.popitem(last=False)
                dropped.stop()
            return session

    def drop(self, key: str | None) -> None:
        """Forget a session and stop its run."""
        with self._lock:
            session = self._sessions.pop(key or "", None)
        if session is not None:
            session.stop()

    def missed(self, run_id: str, since: int) -> list[dict[str, Any]]:
        """A run's messages from number `since` on. The id is a secret that only its own page was told."""
        with self._lock:
            runs = [s.run for s in self._sessions.values() if s.run is not None]
        run = next((r for r in runs if secrets.compare_digest(r.id.encode(), run_id.encode())), None)
        return run.messages[since:] if run is not None else []
