"""How many steps descents took to arrive, as numbers to compare: medians and shares with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

Interval = tuple[float, float]


@dataclass(frozen=True)
class Arrivals:
    """Steps to tolerance over many targets: the median with its 95 % bootstrap interval, and the share that arrived within
    `limit` steps with its 95 % Wilson interval. `limit` + 1 stands for never."""

    n: int
    limit: int
    median: float
    median_interval: Interval
    share: float
    share_interval: Interval


def arrivals(steps: Tensor, limit: int) -> Arrivals:
    """The summary of steps (B,), never arriving counted as limit + 1."""
    values: NDArray[np.float64] = steps.double().numpy()
    reached = int((values <= limit).sum())
    wilson = stats.binomtest(reached, len(values)).proportion_ci(method="wilson")
    return Arrivals(
        len(values), limit, float(np.median(values)), _bootstrapped(values), reached / len(values),
        (float(wilson.low), float(wilson.high)),
    )  # fmt: skip


def median_ratio(ours: Tensor, baseline: Tensor) -> tuple[float, Interval]:
    """The ratio of two medians over the same targets (B,) each, with a 95 % interval by resampling the targets."""
    pairs = np.stack([ours.double().numpy(), baseline.double().numpy()])

    def ratio(a: NDArray[np.float64], b: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
        return np.median(a, axis=axis) / np.median(b, axis=axis)

    found = stats.bootstrap(
        tuple(pairs), ratio, paired=True, vectorized=True, n_resamples=2000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    return float(ratio(pairs[0], pairs[1])), (float(found.low), float(found.high))


def share_gain(ours: Tensor, baseline: Tensor, limit: int) -> tuple[float, Interval]:
    """By how much the share that arrives is larger than the baseline's on the same targets, with a 95 % interval."""
    gain = (ours <= limit).double().numpy() - (baseline <= limit).double().numpy()
    return float(gain.mean()), _bootstrapped(gain, np.mean)


def _bootstrapped(values: NDArray[np.float64], statistic: object = np.median) -> Interval:
    if len(set(values.tolist())) < 2:
        return float(values[0]), float(values[0])
    found = stats.bootstrap(
        (values,), statistic, n_resamples=2000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    return float(found.low), float(found.high)
