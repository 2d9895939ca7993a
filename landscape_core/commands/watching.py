"""Writing down how a training goes: how far it is, and after each buffer X against Z on what it never saw."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from landscape_core import processes
from landscape_core.commands.learning import Learning
from landscape_core.console import leave
from landscape_core.errors import writing
from landscape_core.progress import Report
from landscape_core.storage.files import whole
from landscape_core.training.alternating import MappingTrainer
from landscape_core.training.budget import Budget
from landscape_core.training.diary import Diary, Reader
from landscape_core.training.theta import updates_per_buffer

EVERY = 1.0  # seconds between two lines on how far it is
QUALITY = 88  # of the sheets of pictures


class Watching:
    """A `Report` around another, and what `train_mapping` calls after each buffer.

    The training ends once the budget is spent; with a `diary` also when the process that began this one is gone: that was
    who read it, and begins it again.
    """

    def __init__(self, learning: Learning, report: Report, diary: Diary | None, budget: Budget) -> None:
        self.learning, self.trainer, self.forward, self.diary = learning, learning.trainer, report, diary
        written = [] if diary is None else [entry for entry in Reader(diary.folder).new() if entry["kind"] in ("at", "look")]
        self.before = max((float(entry["seconds"]) for entry in written), default=self.trainer.progress.seconds)
        self.looked = max((int(entry["buffer"]) for entry in written if entry["kind"] == "look"), default=-1)
        self.budget, self.parent = budget, os.getppid()
        self.total, self.within, self.buffer, self.told = updates_per_buffer(self.trainer.config), 0, -1, -math.inf

    @property
    def seconds(self) -> float:
        """What this training has taken so far, in earlier processes too."""
        return self.before + self.budget.spent

    @property
    def orphaned(self) -> bool:
        """Whether whoever read the diary is gone."""
        return self.diary is not None and os.getppid() != self.parent

    def __call__(self, done: int, total: int, figures: Mapping[str, float]) -> bool:
        """Called before every update; answers whether to stop."""
        self.within = self.within + 1 if done == self.buffer else 0
        self.buffer = done
        if self.diary is not None and time.monotonic() - self.told >= EVERY:
            self.told = time.monotonic()
            share = min(self.within / max(self.total, 1), 1.0)
            self.diary.write("at", buffer=done, of=total, share=round(share, 3), seconds=round(self.seconds, 1))
        enough = self.diary is not None and self.diary.finishes
        return self.forward(done, total, figures) or self.orphaned or enough

    def after(self, trainer: MappingTrainer) -> bool:
        """Look at what a buffer brought; answers whether the time is spent."""
        self.look()
        return self.seconds >= self.budget.limit

    def look(self) -> None:
        """Write down X against Z where this buffer was not looked at yet."""
        if self.diary is not None:
            processes.from_main(partial(self._look, self.diary))

    def _look(self, diary: Diary) -> None:
        looks, progress = self.learning.looks, self.trainer.progress
        if looks is None or self.looked >= progress.buffer:
            return
        found, name = looks.look(self.trainer.mapping, self.trainer.z_dim), f"look-{progress.buffer:05d}.webp"
        with whole(diary.folder / name) as partial, writing(partial):
            found.sheet.save(partial, "WEBP", quality=QUALITY)
        compared = found.comparison
        self.looked = progress.buffer
        diary.write(
            "look", buffer=progress.buffer, of=self.trainer.config.buffers, seconds=round(self.seconds, 1),
            x=found.x, z=found.z, n=compared.n, ratio=compared.ratio, sheet=name,
            interval=[_finite(each) for each in compared.interval],
            optimizer=looks.chosen.advised.name, losses=_figures(progress.history),
        )  # fmt: skip

    def leave_if_orphaned(self) -> None:
        """End without publishing where whoever read the diary is gone. Raises typer.Exit."""
        if self.orphaned:
            leave(stopped=True)


def _figures(history: list[dict[str, float]]) -> dict[str, Any]:
    """The mean losses of the last buffer, by name."""
    return {name: _finite(value) for name, value in (history or [{}])[-1].items()}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
