"""How far a generator's pictures are from real ones: the Fréchet distance between features, as in FID.

FID proper needs Inception's weights. Here the features are the last map of the embedded perceptual network
(adversarially robust, trained on CIFAR-10), averaged over space, so the numbers compare models of this project with each
other and with nothing else. Like every such distance it is biased upwards at finite n, by about as much as real pictures
of the training data score against those of `val` at the same n: that floor is reported beside it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from landscape_core.errors import reading
from landscape_core.features.perceptual import RobustDistance
from landscape_core.images.pixels import to_unit
from landscape_core.images.sheets import grid
from landscape_core.storage import zoo
from landscape_core.storage.files import whole, write_text
from landscape_core.training.loop import Trainer

FEATURES = "mean over space of the last map of the embedded perceptual network"

Extractor = Callable[[Tensor], Tensor]
Draw = Callable[[int], Tensor]


def embedded_features(device: torch.device | str = "cpu") -> Extractor:
    """Pictures (B, 3, H, W) in [-1, 1] -> features (B, D) that need no network connection."""
    card, tensors = zoo.load("perceptual")
    network = RobustDistance.from_state(tensors, card.architecture).to(device).network

    @torch.no_grad()
    def extract(pictures: Tensor) -> Tensor:
        return network.features(pictures.to(device).clamp(-1.0, 1.0))[-1].mean(dim=(2, 3)).float().cpu()

    return extract


@dataclass(frozen=True)
class Moments:
    """Mean (D,) and covariance (D, D) of n features, in double precision."""

    mean: Tensor
    covariance: Tensor
    n: int

    @staticmethod
    def of(features: Tensor) -> Moments:
        """Of features (n, D), n at least 2."""
        exact = features.double()
        return Moments(exact.mean(dim=0), torch.cov(exact.T), len(exact))


def frechet(a: Moments, b: Moments) -> float:
    """Squared Fréchet distance of two Gaussians, |m_a - m_b|² + tr(C_a + C_b - 2 (C_a C_b)^½) (Heusel et al. 2017, eq. 6).

    The root's trace is that of (C_a^½ C_b C_a^½)^½, whose matrix is symmetric also where n is below D.
    """
    values, axes = torch.linalg.eigh(a.covariance)
    root = (axes * values.clamp_min(0.0).sqrt()) @ axes.T
    cross = torch.linalg.eigvalsh(root @ b.covariance @ root).clamp_min(0.0).sqrt().sum()
    trace = a.covariance.trace() + b.covariance.trace() - 2.0 * cross
    return max(float((a.mean - b.mean).square().sum() + trace), 0.0)


@dataclass(frozen=True)
class Judge:
    """Real pictures to be compared with: their moments, and what as many real pictures of another set score."""

    extract: Extractor
    real: Moments
    floor: float
    n: int

    @staticmethod
    def of(extract: Extractor, val: Tensor, train: Tensor, n: int = 2000) -> Judge:
        """From uint8 pictures (N, 3, H, W); `n` pictures are drawn of whatever is judged."""
        real, others = (Moments.of(_features(extract, pictures, n)) for pictures in (val, train))
        return Judge(extract, real, frechet(real, others), n)

    def score(self, draw: Draw) -> float:
        """The distance of n pictures that `draw(k)` gives k at a time."""
        sizes = [min(100, self.n - first) for first in range(0, self.n, 100)]
        with torch.no_grad():
            return frechet(self.real, Moments.of(torch.cat([self.extract(draw(size)) for size in sizes])))

    def figures(self, score: float) -> dict[str, Any]:
        """What a card or a log says beside the number itself."""
        return {
            "frechet": float(f"{score:.5g}"),
            "frechet_floor": float(f"{self.floor:.5g}"),
            "frechet_n": {"drawn": self.n, "real": self.real.n},
            "frechet_features": FEATURES,
        }


def _features(extract: Extractor, images: Tensor, n: int) -> Tensor:
    """Features of up to n uint8 pictures, evenly spread over all of them."""
    picked = images[torch.linspace(0, len(images) - 1, min(n, len(images))).long()]
    return torch.cat([extract(to_unit(part)) for part in picked.split(100)])


LOG = "log.jsonl"
SIDE = 8  # a sheet is SIDE x SIDE samples


class Monitor:
    """Called with the trainer; `looks` times on the way it draws a sheet, and with a judge also measures what it draws. It
    never touches the run's random streams.

    `drawing(seed)` begins a stream of samples as the published model draws them. Every sheet is drawn from the same
    noise, so that one sees the same pictures come into being.
    """

    def __init__(
        self, drawing: Callable[[int], Draw], folder: Path, *, looks: int, judge: Judge | None = None, seed: int = 0
    ) -> None:
        self.drawing, self.judge, self.folder = drawing, judge, folder
        self.looks, self.seed = looks, seed
        with reading(str(folder / LOG), "is not a log of this training"):
            last: dict[str, Any] = json.loads((_lines(folder / LOG) or ['{"look": 0}'])[-1])
            self._reached = int(last["look"])
        self.latest: dict[str, Any] = {key: value for key, value in last.items() if key.startswith("frechet")}

    def due(self, trainer: Trainer) -> bool:
        """Whether the last update brought the run to the next of its looks; the last is at its end."""
        before, self._reached = self._reached, int(trainer.fraction * self.looks)
        return self._reached > before

    def __call__(self, trainer: Trainer) -> None:
        started = time.perf_counter()
        sheet = grid(self.drawing(self.seed + 1)(SIDE * SIDE), SIDE)
        with whole(self.folder / f"samples-{trainer.seen:09d}.png") as partial:
            sheet.save(partial, optimize=True)
        if self.judge is not None:
            self.latest = self.judge.figures(self.judge.score(self.drawing(self.seed)))
        seconds = {"training_seconds": round(trainer.seconds, 1), "seconds": round(time.perf_counter() - started, 2)}
        line = json.dumps({"look": self._reached, "images": trainer.seen, **self.latest, **seconds})
        write_text(self.folder / LOG, "\n".join([*_lines(self.folder / LOG), line, ""]))


def _lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8").splitlines() if log.exists() else []
