"""Judges of what a search found that were not optimised: is the lower loss also the better result?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from landscape_core.search.objectives import FeatureDistance, Target, masked_mean
from landscape_core.search.solver import Lane, LaneState, Solver
from landscape_core.search.spaces import Prior
from landscape_core.search.summary import columns, figures

LOSS = "loss"
DRAWS = 10_000
ALIKE = 0.05  # figures this close are called the same


@dataclass(frozen=True)
class Found:
    """What a lane found: losses (B,), inputs x (B, d) and F's outputs (B, ...)."""

    loss: Tensor
    x: Tensor
    output: Tensor


@dataclass(frozen=True)
class Judge:
    """`measure` gives a number per sample (B,), the lower the better, so that ratios compare them; `shown` is how people read
    their mean. A judge that does not `compare` only informs: neither side of it is better."""

    name: str
    explained: str
    measure: Callable[[Found, Target], Tensor]
    shown: Callable[[float], str] = figures
    compares: bool = True

    @torch.no_grad()
    def of(self, found: Found, target: Target) -> Tensor:
        """What it says of every sample (B,)."""
        return self.measure(found, target)


Judgements = Mapping[str, Mapping[str, float]]
"""By lane: its mean loss, and by judge the mean of what that says."""


def compared_with(target: Target) -> Target:
    """What outputs are held against: the whole truth where it is known, else what was seen."""
    return target if target.truth is None else Target(target.truth)


def squared_error(output: Tensor, target: Target) -> Tensor:
    """Mean squared error (B,) to the truth where it is known, else of what was seen, of pictures as a screen shows them: in
    [-1, 1]."""
    seen = compared_with(target)
    return masked_mean((seen.observation(output).clamp(-1.0, 1.0) - seen.value).square(), seen.mask)


def decibels(error: Tensor) -> Tensor:
    """Squared errors of pictures in [-1, 1] as PSNR."""
    return 10.0 * torch.log10(4.0 / error.clamp_min(1e-12))


def psnr(output: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB per sample: pictures (B, 3, H, W) in [-1, 1] -> (B,). Higher is better."""
    return decibels(squared_error(output, Target(target)))


PSNR = Judge(
    "PSNR", "Peak signal-to-noise ratio in dB, to the whole picture where it is known, else of what was seen.",
    lambda found, target: squared_error(found.output, target),
    lambda error: f"{float(decibels(torch.tensor(error))):.1f}\u00a0dB",
)  # fmt: skip


def features_judge(distance: FeatureDistance, name: str, explained: str) -> Judge:
    """A perceptual distance to the truth where it is known, else of what was seen, with hidden pixels grey."""

    def measure(found: Found, target: Target) -> Tensor:
        held = compared_with(target)
        both = (held.observation(found.output), held.value)
        seen, wanted = (each if held.mask is None else each * held.mask for each in both)
        return distance.distance(distance.features(seen), distance.features(wanted), held.mask)

    return Judge(name, explained, measure)


def robust_judge(distance: FeatureDistance) -> Judge:
    """The distance on robust features."""
    words = "Distance on features of a classifier trained against attacks; lower is better."
    return features_judge(distance, "robust features", words)


def input_judge(true: Tensor) -> Judge:
    """How far x̂ is from the input (1, d) that the target was drawn from."""
    words = "How far the found input is from the one that the target was drawn from; lower is better."
    return Judge("‖x̂ − x*‖", words, lambda found, _: (found.x - true).norm(dim=1))


def prior_judge(prior: Prior) -> Judge:
    """How much of the prior lies as far out as x̂."""
    words = f"Share of {DRAWS:,} inputs drawn from the prior that lie at least as far from its mean as the found one."
    share = lambda value: f"{100 * value:.3g}\u00a0%"  # noqa: E731
    return Judge("as far out", words, lambda found, _: share_beyond(prior, found.x), share, compares=False)


@torch.no_grad()
def share_beyond(prior: Prior, x: Tensor) -> Tensor:
    """The share (B,) of `DRAWS` inputs drawn from the prior that lie at least as far from its mean as each x (B, d), in its own
    deviations (Mahalanobis): 0 says that the prior hardly makes such inputs."""
    factor, away = prior.factor.cpu(), (x - prior.mean).T.cpu()  # elsewhere a factor that is not of full rank is not solved
    noise = torch.linalg.lstsq(factor, away).solution.norm(dim=0)
    draws = torch.randn(DRAWS, prior.factor.shape[1], generator=torch.Generator().manual_seed(0)).norm(dim=1)
    return (draws >= noise[:, None]).double().mean(dim=1)


@torch.no_grad()
def best_of(solver: Solver, lane: Lane, now: LaneState) -> Found:
    """A lane's best so far."""
    x = lane.space.to_x(now.best_variable)
    return Found(now.best_loss, x, solver.forward(x))


@torch.no_grad()
def last_of(lane: Lane, now: LaneState) -> Found:
    """Where a lane stands."""
    return Found(now.loss, lane.space.to_x(now.variable), now.output)


def judge(found: Mapping[str, Found], target: Target, judges: Sequence[Judge]) -> Judgements:
    """What every judge says of every lane, on average over its samples."""
    return {
        lane: {LOSS: float(each.loss.mean()), **{one.name: float(one.of(each, target).mean()) for one in judges}}
        for lane, each in found.items()
    }


def disagreement(judges: Sequence[Judge], said: Judgements) -> str:
    """Where the lane with the lower loss of a column does not have the better result by a judge, that in a sentence each."""
    return " ".join(sentence for x, z in columns(list(said)) if (sentence := _disagree(judges, said, x, z)))


def _disagree(judges: Sequence[Judge], said: Judgements, x: str, z: str) -> str:
    low, high = (x, z) if said[x][LOSS] <= said[z][LOSS] else (z, x)
    others = [
        f"{one.name} ({one.shown(said[high][one.name])} against {one.shown(said[low][one.name])})"
        for one in judges
        if one.compares and said[high][one.name] < said[low][one.name] * (1 - ALIKE)
    ]
    return f"{low} has the lower loss, but {high} the better result by {' and by '.join(others)}." if others else ""
