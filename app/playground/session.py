"""What the server remembers of one visitor of the playground: a training, the y that is searched, and what was sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from torch import Tensor

from app.runs.jobs import Job
from app.runs.session import Message
from landscape_core.errors import UserError
from landscape_core.playground.descent import unseen_targets
from landscape_core.playground.task import Playground
from landscape_core.playground.training import LiveTraining
from landscape_core.training.rollout import Phase

PATIENCE = 20.0  # seconds to wait for work that was asked to stop


@dataclass
class Play(Job):
    """One forward model with one training of its Θ, and the y (m,) that is searched.

    `others` are further y's whose paths are drawn, `chosen` says whether a visitor named y. `paused` is a buffer that was left
    in its middle, `phase` where it stands or the last one stood. `lock` is held by whoever trains or searches.
    """

    training: LiveTraining = field(init=False)
    y: Tensor = field(init=False)
    others: Tensor | None = None
    chosen: bool = False
    paused: Iterator[Phase] | None = None
    phase: Phase | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    telling: threading.Lock = field(default_factory=threading.Lock)

    def take(self, training: LiveTraining, y: Tensor | None = None) -> None:
        """Begin with this training; without a y the first of the unseen targets is searched."""
        self.training = training
        self.y, self.chosen = unseen_targets(training.playground, 1).value[0] if y is None else y, y is not None

    def change(self, **changes: object) -> None:
        """Other settings for what does not train Θ: the start and the descents that are shown."""
        self.training.playground = self.training.playground.changed(**changes)

    @property
    def playground(self) -> Playground:
        return self.training.playground

    def rewind(self, buffer: int) -> None:
        """Stand at a buffer that was reached; one under way is dropped."""
        self.paused, self.phase = None, None
        self.training.rewind(buffer)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Work that nobody may disturb; what is going on is asked to stop and waited for.

        Raises:
            UserError: it does not stop.
        """
        self.stop.set()
        if not self.lock.acquire(timeout=PATIENCE):
            raise UserError("What was going on has not stopped yet; try again in a moment.")
        try:
            self.stop.clear()
            self.going = True
            yield
        finally:
            self.going = False
            self.lock.release()

    def numbered(self, message: Message) -> Message:
        """A message with its place in the order in which the page must take them; it is kept for a page that missed it."""
        with self.telling:
            message = {**message, "run": self.id, "seq": len(self.messages)}
            self.messages.append(message)
        return message
