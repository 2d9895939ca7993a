"""The loop that every resumable run goes through: update, report, save now and then, look now and then, stop when asked."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from landscape_core import processes
from landscape_core.errors import UserError
from landscape_core.progress import Report

READ_EVERY = 0.2  # seconds between two readings of an update's figures: each makes the processor wait for the accelerator


class Trainer(Protocol):
    """A run that can be stopped after any update: `seen` of about `total` samples are done, `fraction` of its budget is spent.
    `seconds` is kept by the loop."""

    seen: int
    seconds: float

    @property
    def total(self) -> int: ...

    @property
    def fraction(self) -> float: ...

    def step(self) -> Mapping[str, float] | Mapping[str, Tensor]:
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


def check_alone() -> None:
    """Make sure that a training that cannot be shared is one process's.

    Raises:
        UserError: several were started.
    """
    if processes.count() > 1:
        raise UserError(
            "This training is one process's; Algorithm 1, `train generator` and `train features-decoder` can be shared by "
            "several."
        )


def train(
    trainer: Trainer, report: Report, *, save_every: float = 60.0, watch: Watch | None = None, shared: bool = False
) -> bool:
    """Run the remaining updates, saving every so many seconds and at the end; False where `report` stopped it.

    The budget's clock stands still while it saves and looks; of several processes it is the main one's, which looks alone.
    `shared` says that an update can be shared by several.

    Raises:
        UserError: several processes were started for one that is not shared.
    """
    if not shared:
        check_alone()
    figures: dict[str, float] = {}
    read = saved = -float("inf")
    while trainer.fraction < 1.0:
        began = time.perf_counter()
        latest = trainer.step()
        if processes.count() > 1 or time.perf_counter() - read >= READ_EVERY:  # several wait for each other anyway
            figures = {name: float(value) for name, value in latest.items()}
            read = time.perf_counter()
        trainer.seconds += float(processes.same(torch.tensor(time.perf_counter() - began, dtype=torch.float64)))
        stop = processes.any_of(report(trainer.seen, trainer.total, figures))
        look = watch is not None and watch.due(trainer)
        if stop or look or trainer.fraction >= 1.0 or time.perf_counter() - saved >= save_every:
            trainer.save()
            saved = time.perf_counter()
        if watch is not None and look and processes.is_main():
            watch(trainer)
        if stop:
            break
    return trainer.fraction >= 1.0
