"""The loop that every resumable run goes through: update, report, save now and then, look now and then, stop when asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from landscape_core.progress import Report


class Trainer(Protocol):
    """A run that can be stopped after any update; `seen` of `total` samples are done, `batch` an update."""

    seen: int
    seconds: float

    @property
    def total(self) -> int: ...

    @property
    def batch(self) -> int: ...

    def step(self) -> Mapping[str, float]:
        """One update; returns figures to show."""
        ...

    def save(self) -> None:
        """Write the checkpoint."""
        ...


class Watch(Protocol):
    """Looks at a run from time to time; the checkpoint is written just before it does."""

    def due(self, trainer: Trainer) -> bool:
        """Whether to look after this update."""
        ...

    def __call__(self, trainer: Trainer) -> None:
        """Look."""
        ...


def train(trainer: Trainer, report: Report, *, save_every: int = 200, watch: Watch | None = None) -> bool:
    """Run the remaining updates, saving every `save_every` of them and at the end; False where `report` stopped it."""
    while trainer.seen < trainer.total:
        figures = trainer.step()
        stop = report(trainer.seen, trainer.total, figures)
        look = watch is not None and watch.due(trainer)
        if stop or look or (trainer.seen // trainer.batch) % save_every == 0 or trainer.seen >= trainer.total:
            trainer.save()
        if watch is not None and look:
            watch(trainer)
        if stop:
            break
    return trainer.seen >= trainer.total
