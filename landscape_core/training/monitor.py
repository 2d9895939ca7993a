"""Looking at a generator while it trains: a line of numbers in `log.jsonl` and a sheet of samples, next to its checkpoint."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from landscape_core.sheets import grid
from landscape_core.training.gan import GanTrainer
from landscape_core.training.quality import Judge

LOG = "log.jsonl"
SIDE = 8  # a sheet is SIDE x SIDE samples


class Monitor:
    """Called with the trainer; every `every` pictures it draws, judges and writes. It never touches the run's random streams.

    Samples come from the Gaussian of the encoder's codes, as the published model's do, and every sheet from the same
    noise, so that one sees the same faces come into being.
    """

    def __init__(self, decoder: nn.Module, judge: Judge, folder: Path, *, every: int, seed: int = 0) -> None:
        self.decoder, self.judge, self.folder = decoder, judge, folder
        self.every, self.seed = every, seed
        lines = (folder / LOG).read_text().splitlines() if (folder / LOG).exists() else []
        self.latest: dict[str, Any] = (
            {k: v for k, v in json.loads(lines[-1]).items() if k.startswith("frechet")} if lines else {}
        )

    def due(self, trainer: GanTrainer) -> bool:
        """Whether the last update crossed a multiple of `every`, or was the run's last."""
        return trainer.seen % self.every < trainer.config.batch or trainer.seen >= trainer.config.images

    def __call__(self, trainer: GanTrainer) -> None:
        started = time.perf_counter()
        score = self.judge.score(Drawing(trainer, self.decoder, self.seed))
        self.folder.mkdir(parents=True, exist_ok=True)
        sheet = grid(Drawing(trainer, self.decoder, self.seed + 1)(SIDE * SIDE), SIDE)
        sheet.save(self.folder / f"samples-{trainer.seen:09d}.png", optimize=True)
        self.latest = self.judge.figures(score)
        seconds = {"training_seconds": round(trainer.seconds, 1), "seconds": round(time.perf_counter() - started, 2)}
        with (self.folder / LOG).open("a") as log:
            log.write(json.dumps({"images": trainer.seen, **self.latest, **seconds}) + "\n")


class Drawing:
    """Pictures of the averaged generator from its own random stream."""

    def __init__(self, trainer: GanTrainer, decoder: nn.Module, seed: int) -> None:
        self.trainer, self.decoder = trainer, decoder
        self.random = torch.Generator().manual_seed(seed)

    @torch.no_grad()
    def __call__(self, n: int) -> Tensor:
        trainer = self.trainer
        noise = torch.randn(n, trainer.config.style_dim, generator=self.random).to(trainer.device)
        with trainer.autocast():
            # Along the axes of W, not the principal ones, which turn: so the same noise stays the same picture.
            w = trainer.codes.color(noise @ trainer.codes.get_buffer("axes"))
            latents = trainer.generator_ema.synthesis(w)
            return self.decoder(latents).float().cpu()
