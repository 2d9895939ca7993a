"""What the server remembers of a visitor of the Landscape tab: the surfaces that stand."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from app.session import MAX_SESSIONS
from app.standing import Standing
from landscape_core.surface_averages import Averages
from landscape_core.surface_panels import Panel


@dataclass
class Drawing:
    """One press of Run, in progress or at rest. `stop` is asked between steps and between batches of points; `messages`
    are what the browser was sent, `averages` what experiments found, `live` what was measured here the `measured`th time.
    """

    number: int
    standing: Standing | None = None
    panels: list[Panel] = field(default_factory=list)
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    stop: threading.Event = field(default_factory=threading.Event)
    messages: list[dict[str, Any]] = field(default_factory=list)
    averages: list[Averages] = field(default_factory=list)
    live: Averages | None = None
    measured: int = 0


class Drawings:
    """The latest drawing of every visitor by Gradio's session hash, the least recently used dropped beyond `capacity`."""

    def __init__(self, capacity: int = MAX_SESSIONS) -> None:
        self._drawings: OrderedDict[str, Drawing] = OrderedDict()
        self._capacity = capacity
        self._lock = threading.Lock()

    def get(self, key: str | None) -> Drawing | None:
        """What stands for that visitor, if anything."""
        with self._lock:
            return self._drawings.get(key or "")

    def begin(self, key: str | None) -> Drawing:
        """A new drawing in place of the one before, which is stopped."""
        with self._lock:
            before = self._drawings.pop(key or "", None)
            drawing = self._drawings[key or ""] = Drawing(1 if before is None else before.number + 1)
            dropped = [self._drawings.popitem(last=False)[1] for _ in range(len(self._drawings) - self._capacity)]
        for each in (before, *dropped):
            if each is not None:
                each.stop.set()
        return drawing

    def stop(self, key: str | None) -> None:
        """Ask the visitor's drawing to stop."""
        drawing = self.get(key)
        if drawing is not None:
            drawing.stop.set()

    def drop(self, key: str | None) -> None:
        """Forget a visitor and stop what is being drawn."""
        self.stop(key)
        with self._lock:
            self._drawings.pop(key or "", None)

    def missed(self, drawing_id: str, since: int) -> list[dict[str, Any]]:
        """A drawing's messages from number `since` on. The id is a secret that only its own page was told."""
        with self._lock:
            drawings = list(self._drawings.values())
        return next((d.messages[since:] for d in drawings if secrets.compare_digest(d.id.encode(), drawing_id.encode())), [])
