"""Completions of what was observed of a picture (Fig. 6 and 9): K random starts in X and in Z, one batch, what fits."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.generators.masks import check_mask
from landscape_core.generators.run_card import MAX_K, MIN_K
from landscape_core.search.judges import psnr
from landscape_core.search.objectives import FeatureDistance, Objective, PerceptualObjective, Target
from landscape_core.search.optimizers import OptimizerName
from landscape_core.search.race import DEFAULT_PERCEPTUAL, Perceptual, RunSettings, prepare
from landscape_core.search.solver import Lane, Solver, State
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import Trajectory, states
from landscape_core.threads import Threads


def completion_settings(
    task: Task, *, space: str, steps: int = 100, seed: int = 0, x_optimizer: OptimizerName | None = None,
    z_lr: float | None = None, prior_weight: float = 0.0, perceptual: Perceptual = DEFAULT_PERCEPTUAL,
) -> RunSettings:  # fmt: skip
    """Random starts, and in both spaces the optimiser advised for Z, unless X is given another. `perceptual` is the distance
    the task was loaded with."""
    z = task.advice(space, start="random", lr=z_lr)
    x = task.advice(X, x_optimizer or z.name, start="random")
    kept: dict[str, Any] = {"perceptual": perceptual, "steps": steps, "seed": seed, "prior_weight": prior_weight}
    return RunSettings.pair(space, x, z, task=task.name, start="random", **kept)


def completion_solver(
    task: Task, target: Target, k: int, settings: RunSettings, threads: Threads | None = None
) -> tuple[Solver, list[Tensor]]:  # fmt: skip
    """The race of X against Z from K random starts each on one observation (1, ...), and those starts.

    The solver's batch is the K hypotheses, its lanes are X and Z; the target is the same K times. As in `prepare`, threads
    share the passes of F.

    Raises:
        UserError: a mask without a problem in it, K outside 2..64, or no such space.
    """
    if not MIN_K <= k <= MAX_K:
        raise UserError(f"The number of completions must be between {MIN_K} and {MAX_K}, not {k}.")
    if target.mask is not None:
        target = replace(target, mask=check_mask(target.mask))
    return prepare(task, settings.model_copy(update={"start": "random"}), target.repeat(k), threads)


def completions(
    task: Task, target: Target, k: int, settings: RunSettings, *, stop: Callable[[], bool] = lambda: False
) -> Iterator[State]:
    """Stream the states of `completion_solver`'s run: lane 0 is X, lane 1 is Z, each with K samples."""
    solver, starts = completion_solver(task, target, k, settings)
    yield from states(solver, solver.init(starts), stop=stop)


def complete(
    task: Task, target: Target, k: int, settings: RunSettings, *, stop: Callable[[], bool] = lambda: False
) -> Trajectory:
    """`completions` to the end, with every step's variables and losses kept."""
    trajectory = Trajectory.empty(["X", "Z"])
    for state in completions(task, target, k, settings, stop=stop):
        trajectory.record(state)
    return trajectory


def pasted(pictures: Tensor, picture: Tensor, mask: Tensor) -> Tensor:
    """Completions (K, 3, H, W) with the visible part replaced by what was observed."""
    return torch.where(mask.bool().to(pictures.device), picture.to(pictures), pictures)


@dataclass(frozen=True)
class CompletionSet:
    """One lane's K completions: pictures (K, 3, H, W), losses of what was observed (K,), and their diversity.

    `diversity` is the mean perceptual distance between two completions, where something is hidden in the hidden region;
    `fidelity` is the mean loss of what was observed, without the prior's term (lower is closer). Variety is only worth
    something at equal fidelity. `truth` is the mean PSNR in dB to the whole picture, where that is known.
    """

    name: str
    pictures: Tensor
    losses: Tensor
    diversity: float
    truth: float | None = None

    @property
    def fidelity(self) -> float:
        return float(self.losses.mean())

    @property
    def order(self) -> list[int]:
        """Indices of the completions, the closest to the visible part first."""
        return self.losses.argsort().tolist()


def completion_sets(task: Task, lanes: Sequence[Lane], state: State, target: Target) -> list[CompletionSet]:
    """What each lane of a state has, measured on the observation (1 or K, ...).

    Raises:
        UserError: the objective has no perceptual distance, so that diversity is not defined.
    """
    distance, hidden_by = perceptual_distance(task.objective), whole_mask(target)
    made = []
    for lane, now in zip(lanes, state.lanes, strict=True):
        with torch.no_grad():
            losses = now.loss - task.input_term(lane.space.to_x(now.variable))
        truth = None if target.truth is None else float(psnr(now.output, target.truth[:1].to(now.output)).mean())
        made.append(CompletionSet(lane.name, now.output, losses, diversity(distance, now.output, hidden_by), truth))
    return made


def whole_mask(target: Target) -> Tensor | None:
    """The mask of a target's first sample where it lies on whole pictures, as they are: what can be put back is behind it."""
    return None if target.mask is None or target.observation.operators else target.mask[:1]


def perceptual_distance(objective: Objective) -> FeatureDistance:
    """The perceptual distance of Eq. 5."""
    if not isinstance(objective, PerceptualObjective):
        raise UserError("Diversity is a perceptual distance, and this task's objective has none.")
    return objective.distance


@torch.no_grad()
def diversity(distance: FeatureDistance, pictures: Tensor, mask: Tensor | None) -> float:
    """Mean perceptual distance over all pairs of pictures (K, 3, H, W), in the hidden region alone where there is a mask.

    The visible region is greyed first, so that differences in it count for nothing. K pictures cost K passes.

    Raises:
        ValueError: fewer than two pictures.
    """
    if len(pictures) < 2:
        raise ValueError("diversity needs at least two pictures")
    hidden = None if mask is None else 1.0 - mask[:1].to(pictures)
    features = distance.features(pictures if hidden is None else pictures * hidden)
    first, second = torch.triu_indices(len(pictures), len(pictures), offset=1)
    # One row of the table of pairs at a time: all pairs of K = 64 at once would take gigabytes.
    rows = [distance.distance(_at(features, i), _at(features, second[first == i]), hidden) for i in first.unique()]
    return float(torch.cat(rows).mean())


def _at(features: tuple[Tensor, ...], index: Tensor) -> tuple[Tensor, ...]:
    return tuple(feature[index.reshape(-1)] for feature in features)


@torch.no_grad()
def hidden_influence(objective: Objective, target: Target, output: Tensor, *, seed: int = 0) -> float:
    """Largest change of any loss when the hidden pixels of `output` (B, 3, H, W) are replaced by noise.

    Exactly 0 for an objective that hides pixels before features are taken.

    Raises:
        ValueError: nothing is hidden.
    """
    if target.mask is None:
        raise ValueError("the target has no mask")
    noise = torch.rand(output.shape, generator=torch.Generator().manual_seed(seed)).to(output) * 2 - 1
    loss = objective.bind(target.to(output.device))
    changed = torch.where(target.mask.bool().to(output.device), output, noise)
    return float((loss(changed) - loss(output)).abs().max())


@dataclass(frozen=True)
class BorderEffect:
    """What greying the hidden region does to the features of visible pixels, by distance from the border.

    `edges` in pixels: ring i holds the visible pixels from edges[i] to edges[i + 1] away from the nearest hidden
    one. `rings` is the perceptual distance in each ring between the greyed picture and the whole one, None where no
    pixel is that far; `overall` the same over the whole visible part; `against` the mean distance between two
    different pictures there, for scale.
    """

    edges: tuple[float, ...]
    rings: tuple[float | None, ...]
    overall: float
    against: float

    @property
    def share(self) -> float:
        """The leak: greying's effect as a share of what tells two pictures apart."""
        return self.overall / self.against


@torch.no_grad()
def border_effect(
    distance: FeatureDistance, pictures: Tensor, mask: Tensor, *, edges: tuple[float, ...] = (0, 2, 4, 8, 16, 128)
) -> BorderEffect:
    """Measure the leak at the border on pictures (B >= 2, 3, H, W), averaged, with one mask (1, 1, H, W).

    Hidden pixels never reach the loss, but features near the border see grey in their place, in the target and in
    the output alike. This is how far that reaches and how large it is.

    Raises:
        ValueError: fewer than two pictures.
    """
    if len(pictures) < 2:
        raise ValueError("the border effect needs two pictures, one to compare the other with")
    mask = check_mask(mask).to(pictures)
    whole, greyed = distance.features(pictures), distance.features(pictures * mask)
    away = torch.from_numpy(distance_transform_edt(np.asarray(mask[0, 0].cpu()))).to(pictures)[None, None]
    rings: list[float | None] = []
    for near, far in itertools.pairwise(edges):
        ring = ((away > near) & (away <= far)).to(pictures)
        rings.append(float(distance.distance(greyed, whole, ring).mean()) if ring.any() else None)
    others = tuple(feature.roll(1, dims=0) for feature in greyed)
    return BorderEffect(
        edges,
        tuple(rings),
        float(distance.distance(greyed, whole, mask).mean()),
        float(distance.distance(greyed, others, mask).mean()),
    )
