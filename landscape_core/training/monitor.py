"""Looking at a generator while it trains: a line of numbers in `log.jsonl` and a sheet of samples, next to its checkpoint."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from landscape_core.sheets import grid
from landscape_core.training.loop import Trainer
from landscape_core.training.quality import Draw, Judge

LOG = "log.jsonl"
SIDE = 8  # a sheet is SIDE x SIDE samples


class Monitor:
    """Called with the trainer; every `every` pictures it draws, judges and writes. It never touches the run's random streams.

    `drawing(seed)` begins a stream of samples as the published model draws them. Every sheet is drawn from the same
    noise, so that one sees the same pictures come into being.
    """

    def __init__(self, drawing: Callable[[int], Draw], judge: Judge, folder: Path, *, every: int, seed: int = 0) -> None:
        self.drawing, self.judge, self.folder = drawing, judge, folder
        self.every, self.seed = every, seed
        lines = (folder / LOG).read_text().splitlines() if (folder / LOG).exists() else []
        self.latest: dict[str, Any] = (
            {k: v for k, v in json.loads(lines[-1]).items() if k.startswith("frechet")} if lines else {}
        )

    def due(self, trainer: Trainer) -> bool:
        """Whether the last update crossed a multiple of `every`, or was the run's last."""
        return trainer.seen % self.every < trainer.batch or trainer.seen >= trainer.total

    def __call__(self, trainer: Trainer) -> None:
        started = time.perf_counter()
        score = self.judge.score(self.drawing(self.seed))
        self.folder.mkdir(parents=True, exist_ok=True)
        sheet = grid(self.drawing(self.seed + 1)(SIDE * SIDE), SIDE)
        sheet.save(self.folder / f"samples-{trainer.seen:09d}.png", optimize=True)
        self.latest = self.judge.figures(score)
        seconds = {"training_seconds": round(trainer.seconds, 1), "seconds": round(time.perf_counter() - started, 2)}
        with (self.folder / LOG).open("a") as log:
            log.write(json.dumps({"images": trainer.seen, **self.latest, **seconds}) + "\n")
