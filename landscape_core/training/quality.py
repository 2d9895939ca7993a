"""How far a generator's pictures are from real ones: the Fréchet distance between features, as in FID.

FID proper needs Inception's weights. Here the features are the last map of the embedded perceptual network
(adversarially robust, trained on CIFAR-10), averaged over space, so the numbers compare models of this project with each
other and with nothing else. Like every such distance it is biased upwards at finite n, by about as much as real pictures
of the training data score against those of `val` at the same n: that floor is reported beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from landscape_core import zoo
from landscape_core.data import to_unit
from landscape_core.perceptual import EmbeddedDistance

FEATURES = "mean over space of the last map of the embedded perceptual network"

Extractor = Callable[[Tensor], Tensor]
Draw = Callable[[int], Tensor]


def embedded_features(device: torch.device | str = "cpu") -> Extractor:
    """Pictures (B, 3, H, W) in [-1, 1] -> features (B, D) that need no network connection."""
    card, tensors = zoo.load("perceptual")
    network = EmbeddedDistance.from_state(tensors, card.architecture).to(device).network

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
