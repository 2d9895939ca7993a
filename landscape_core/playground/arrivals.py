"""How many steps descents took to arrive, as numbers to compare: medians and shares with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from landscape_core.experiments.results import wilson

Interval = tuple[float, float]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Arrivals:
    """Steps to tolerance over n targets: the median with its 95 % bootstrap interval, and the share that arrived within
    `limit` steps with its 95 % Wilson interval. `limit` + 1 stands for never."""

    n: int
    limit: int
    median: float
    median_interval: Interval
    share: float
    share_interval: Interval


def arrivals(steps: Tensor, limit: int) -> Arrivals:
    """The summary of steps (n,), never arriving counted as limit + 1."""
    values, arrived = steps.double().numpy(), steps <= limit
    interval = _bootstrapped((values,), np.median)
    return Arrivals(len(steps), limit, float(np.median(values)), interval, float(arrived.float().mean()), wilson(arrived))


def median_ratio(ours: Tensor, baseline: Tensor) -> tuple[float, Interval]:
    """The ratio of the medians of two descents to the same targets, (n,) each, with a 95 % interval by resampling targets."""
    pair = (ours.double().numpy(), baseline.double().numpy())

    def ratio(a: Numbers, b: Numbers, axis: int = -1) -> Numbers:
        return np.median(a, axis=axis) / np.median(b, axis=axis)

    return float(ratio(*pair)), _bootstrapped(pair, ratio)


def _bootstrapped(samples: tuple[Numbers, ...], statistic: object) -> Interval:
    found = stats.bootstrap(
        samples, statistic, paired=True, n_resamples=2000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    return float(found.low), float(found.high)
