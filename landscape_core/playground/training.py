"""Training a playground's Θ buffer by buffer, with every buffer at hand: to go back to, and to go on from."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

from landscape_core.playground.task import EXACT, LEARNED, Playground, untrained_theta
from landscape_core.search.spaces import SearchSpace, ZSpace
from landscape_core.training.alternating import MappingTrainer
from landscape_core.training.rollout import Phase

KEPT = 64  # snapshots at most; buffers between two of them are trained again, which gives the same numbers


class LiveTraining:
    """Algorithm 1 on one playground, by the very trainer that makes the Θs for faces.

    Left in the middle of a buffer, it stands where that buffer began.
    """

    def __init__(self, playground: Playground) -> None:
        settings, task = playground.settings, playground.task
        self.playground = playground
        self.trainer = MappingTrainer(
            untrained_theta(playground), settings.z_dim, task.forward, task.objective, task.sampled, settings.training(), None
        )
        self.furthest = 0
        self._here = self.trainer.snapshot()
        self._kept = {0: self._here}
        self._every = 1

    @property
    def buffer(self) -> int:
        """How many buffers Θ was trained on."""
        return self.trainer.progress.buffer

    @property
    def done(self) -> bool:
        return self.buffer >= self.playground.settings.buffers

    @property
    def history(self) -> list[dict[str, float]]:
        """Each buffer's mean losses: at its trajectories' start, middle and end, and while θ descended."""
        return self.trainer.progress.history

    def space(self) -> SearchSpace:
        """The space of Θ as it stands, a copy that training leaves alone; the exact one where the settings ask for it."""
        if not self.playground.settings.learned:
            return self.playground.task.mappings[EXACT]
        return ZSpace(copy.deepcopy(self.trainer.mapping), self.playground.settings.z_dim)

    @property
    def name(self) -> str:
        return LEARNED if self.playground.settings.learned else EXACT

    def phases(self) -> Iterator[Phase]:
        """One buffer, a pause before each update. Left early, the buffer is dropped at the next call."""
        self.trainer.restore(self._here)
        yield from self.trainer.phases()
        self._here = self.trainer.snapshot()
        self._keep()

    def rewind(self, buffer: int) -> None:
        """Go to any buffer that was reached: to the nearest snapshot before it, and by training again from there."""
        start = max(number for number in self._kept if number <= buffer)
        self.trainer.restore(self._kept[start])
        while self.buffer < buffer:
            self.trainer.buffer_step()
        self._here = self.trainer.snapshot()
        self.furthest = max(self.furthest, self.buffer)

    def run(self, tick: Callable[[], bool] = lambda: False) -> None:
        """All remaining buffers; `tick` is asked before each update whether to stop."""
        while not self.done:
            for _ in self.phases():
                if tick():
                    self.trainer.restore(self._here)
                    return

    def _keep(self) -> None:
        """Keep this buffer's snapshot; of too many, every second one goes."""
        self.furthest = max(self.furthest, self.buffer)
        if self.buffer % self._every == 0:
            self._kept[self.buffer] = self._here
        if len(self._kept) > KEPT:
            self._every *= 2
            self._kept = {number: kept for number, kept in self._kept.items() if number % self._every == 0}
