"""The one way to compare two searches on the same targets: best so far, tuned alike, paired, with an interval.

Losses differ by orders of magnitude between targets, so ratios are taken target by target and averaged as logarithms:
what is reported is a geometric mean, which no single hard target decides. The arithmetic means stand beside it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from scipy import stats
from torch import Tensor

FLOOR = 5e-4  # losses of pictures below it look the same, and count as equal
FAILED = 3.0  # times the median of both sides' losses: a target that was not found
RESAMPLES = 2000
SMALLEST = 1e-30  # stands for a loss of zero where there is no floor

Setting = TypeVar("Setting")


@dataclass(frozen=True)
class Comparison:
    """Our loss over theirs on n targets: 0.75 means 25 % lower.

    `ratio` is the geometric mean of the paired ratios, both losses clipped to the floor from below, `interval` its 95 %
    bootstrap interval. `means` are the arithmetic means, `failures` the shares of failed targets, ours first.
    """

    n: int
    ratio: float
    interval: tuple[float, float]
    means: tuple[float, float]
    failures: tuple[float, float]

    @property
    def change(self) -> float:
        """-0.25 means 25 % lower."""
        return self.ratio - 1.0

    @property
    def change_interval(self) -> tuple[float, float]:
        """The interval of `change`."""
        return self.interval[0] - 1.0, self.interval[1] - 1.0

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, for a results file."""
        return asdict(self)


@dataclass(frozen=True)
class Choice(Generic[Setting]):
    """The setting with the lowest geometric mean on training targets. `sweep` has all of them by name, in their order."""

    name: str
    setting: Setting
    sweep: Mapping[str, float]

    @property
    def at_the_edge(self) -> bool:
        """Whether the best one is the sweep's first or last, so that a wider sweep might find a better one."""
        return len(self.sweep) > 1 and self.name in (next(iter(self.sweep)), list(self.sweep)[-1])


def best_so_far(losses: Tensor) -> Tensor:
    """(steps + 1, n) -> the lowest loss up to each step; what is not finite never counts as low."""
    return torch.cummin(losses.nan_to_num(nan=math.inf, neginf=math.inf), dim=0).values


def geometric_mean(losses: Tensor, floor: float = FLOOR) -> float:
    """Of losses (n,), those below the floor counting as the floor; infinite where one is not finite."""
    return float(losses.cpu().double().nan_to_num(nan=math.inf).clamp_min(max(floor, SMALLEST)).log().mean().exp())


def choose_rates(
    settings: Mapping[str, Setting], losses: Callable[[Setting], Tensor], budgets: Sequence[int], floor: float = FLOOR
) -> dict[int, Choice[Setting]]:
    """For each budget (a number of steps) the setting that is best there on training targets.

    `losses` gives a setting's curves (steps + 1, n), in any order of steps taken: best so far is taken here.
    """
    curves = {name: best_so_far(losses(setting)) for name, setting in settings.items()}
    found = {}
    for budget in budgets:
        sweep = {name: geometric_mean(curve[budget], floor) for name, curve in curves.items()}
        best = min(sweep, key=lambda name: sweep[name])
        found[budget] = Choice(best, settings[best], sweep)
    return found


def compare(ours: Tensor, theirs: Tensor, *, floor: float = FLOOR, seed: int = 0, restarts: int = 1) -> Comparison:
    """Losses (n,) of two searches on the same n targets; or with `restarts` (restarts * n,), all targets of the first restart,
    then all of the next. Searches of one target are alike, so that the interval is over targets: of each its mean ratio counts.

    A target failed where its loss is not finite, or above `FAILED` times the median of all 2 n losses. In ratio and means
    a loss that is not finite counts as the largest finite one.

    Raises:
        ValueError: the sizes differ, are no multiple of the restarts, or nothing is finite.
    """
    if ours.shape != theirs.shape or ours.dim() != 1 or not len(ours):
        raise ValueError(f"two losses for each of some targets are needed, not {tuple(ours.shape)} and {tuple(theirs.shape)}")
    both = torch.stack([ours, theirs]).detach().cpu().double()
    finite = both[torch.isfinite(both)]
    if not len(finite):
        raise ValueError("no loss is finite")
    failed = ~(both <= FAILED * max(float(finite.median()), floor))
    both = torch.where(torch.isfinite(both), both, finite.max())
    logs = both.clamp_min(max(floor, SMALLEST)).log()
    ratios = (logs[0] - logs[1]).numpy()
    low, high = _interval(ratios.reshape(restarts, -1).mean(axis=0), seed)
    means, failures = both.mean(dim=1).tolist(), failed.double().mean(dim=1).tolist()
    return Comparison(
        len(ours) // restarts,
        math.exp(ratios.mean()),
        (math.exp(low), math.exp(high)),
        (means[0], means[1]),
        (failures[0], failures[1]),
    )


def worst(comparisons: Mapping[int, Comparison]) -> tuple[int, Comparison]:
    """The step whose interval reaches highest: if that end is at most 1, ours is nowhere worse."""
    return max(comparisons.items(), key=lambda each: each[1].interval[1])


def worst_step(ours: Tensor, theirs: Tensor, *, floor: float = FLOOR) -> tuple[int, Comparison]:
    """The worst of all steps but the start: curves (steps + 1, n) of two searches on the same targets."""
    return worst({step: compare(ours[step], theirs[step], floor=floor) for step in range(1, len(ours))})


def _interval(values: np.ndarray, seed: int) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of (n,): bias-corrected and accelerated, by percentiles where that does not exist."""
    if len(values) < 2:
        return math.nan, math.nan
    if np.ptp(values) < 1e-9:  # equal but for rounding
        return float(values.min()), float(values.max())
    for method in ("BCa", "percentile"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # told by the result, which is nan
            found = stats.bootstrap(
                (values,), np.mean, n_resamples=RESAMPLES, method=method, rng=np.random.default_rng(seed)
            ).confidence_interval
        if math.isfinite(found.low) and math.isfinite(found.high):
            break
    return float(found.low), float(found.high)
