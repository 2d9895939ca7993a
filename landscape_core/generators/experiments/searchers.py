"""Ways to invert F with a given number of its evaluations per picture: descents, restarts, evolution first, no descent at all.

An evaluation is one pass of F and L for one picture, with its backward pass where a gradient is taken: CMA-ES takes none, and
is charged the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from landscape_core.experiments.curves import encoder_loss
from landscape_core.generators.experiments.rivals import BarzilaiBorwein, ConjugateGradients, RefinedGuess
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerName, OptimizerSettings
from landscape_core.search.race import START_STREAM, starts_in
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.spaces import Start
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import states


class Searcher(Protocol):
    """One way of searching; `rates` are the learning rates to choose among, one where there is nothing to choose."""

    @property
    def rates(self) -> tuple[float, ...]: ...

    def __call__(self, task: Task, pictures: Tensor, evaluations: int, rate: float, seed: int) -> Tensor:
        """Lowest loss (n,) on pictures (n, 3, H, W) that at most `evaluations` evaluations of F per picture found."""
        ...


def descend(task: Task, space: str, pictures: Tensor, start: Tensor, optimizer: OptimizerSettings, evaluations: int) -> Tensor:
    """Lowest loss (n,) of a descent from variables (n, dim); the start is the first evaluation."""
    steps = evaluations - 1
    lane = Lane(space, task.space(space), optimizer.build(max(steps, 1)))
    solver = Solver(task.forward, task.objective, Target(pictures).to(task.device), [lane], max_steps=steps)
    *_, last = states(solver, solver.init([start]))
    return last.lanes[0].best_loss


@dataclass(frozen=True)
class Descent:
    """From the mean, or from the encoder's guess, in X or in a learned space."""

    optimizer: OptimizerName
    rates: tuple[float, ...]
    space: str = X
    start: Start = "mean"

    def __call__(self, task: Task, pictures: Tensor, evaluations: int, rate: float, seed: int) -> Tensor:
        (start,) = starts_in([task.space(self.space)], task, self.start, Target(pictures).to(task.device), seed)
        chosen = task.advice(self.space, self.optimizer, lr=rate)
        return descend(task, self.space, pictures, start, chosen, evaluations)


@dataclass(frozen=True)
class Guess:
    """The encoder's guess, no descent: one evaluation, whatever the budget."""

    rates: tuple[float, ...] = (0.0,)

    def __call__(self, task: Task, pictures: Tensor, evaluations: int, rate: float, seed: int) -> Tensor:
        return encoder_loss(task, Target(pictures))


@dataclass(frozen=True)
class BestOf:
    """Descents from k random inputs, a k-th of the budget each; the best one counts."""

    k: int
    optimizer: OptimizerName
    rates: tuple[float, ...]

    def __call__(self, task: Task, pictures: Tensor, evaluations: int, rate: float, seed: int) -> Tensor:
        chosen = task.advice(X, self.optimizer, lr=rate)
        best = torch.full((len(pictures),), torch.inf)
        for index in range(min(self.k, evaluations)):
            start = task.prior.sample(len(pictures), torch.Generator().manual_seed(seed + index + START_STREAM))
            each = descend(task, X, pictures, task.space(X).at(start), chosen, evaluations // self.k or 1)
            best = torch.minimum(best, each.cpu())
        return best


@dataclass(frozen=True)
class EvolveThenDescend:
    """CMA-ES on the prior's coordinates for half the budget, then a descent from its best (Huh et al. 2020).

    The covariance is diagonal (Ros and Hansen 2008): a full one of hundreds of dimensions would learn nothing from so few.
    """

    optimizer: OptimizerName
    rates: tuple[float, ...]

    def __call__(self, task: Task, pictures: Tensor, evaluations: int, rate: float, seed: int) -> Tensor:
        found = [evolve(task, each[None], evaluations // 2, seed + i) for i, each in enumerate(pictures)]
        start = torch.cat([x for x, _, _ in found])
        spent = max(used for _, _, used in found)
        chosen = task.advice(X, self.optimizer, lr=rate)
        best = torch.tensor([loss for _, loss, _ in found])
        if spent >= evaluations:
            return best
        descent = descend(task, X, pictures, task.space(X).at(start), chosen, evaluations - spent)
        return torch.minimum(best, descent.cpu())


@torch.no_grad()
def evolve(task: Task, picture: Tensor, evaluations: int, seed: int) -> tuple[Tensor, float, int]:
    """The best input of F (1, d) that whole generations of CMA-ES find, its loss, and how many evaluations they took.

    `picture` (1, 3, H, W). Fewer evaluations than one generation takes find the mean, at no cost.
    """
    from cmaes import SepCMA

    prior = task.prior
    optimizer = SepCMA(mean=np.zeros(prior.factor.shape[1]), sigma=0.5, seed=seed)
    size = optimizer.population_size
    loss = task.objective.bind(Target(picture.expand(size, *picture.shape[1:])).to(task.device))
    best, lowest, used = prior.mean[None], float("inf"), 0
    while used + size <= evaluations:
        noise = [optimizer.ask() for _ in range(size)]
        x = prior.mean + torch.tensor(np.stack(noise), dtype=prior.mean.dtype).to(task.device) @ prior.factor.T
        losses = loss(task.forward(x))
        optimizer.tell(list(zip(noise, losses.tolist(), strict=True)))
        used += size
        if float(losses.min()) < lowest:
            best, lowest = x[losses.argmin()][None], float(losses.min())
    return best, lowest, used


RATES = {"gd": (0.5, 2.0, 8.0, 32.0), "adam": (0.05, 0.1, 0.2), "fine": (0.01, 0.03, 0.1), "lbfgs": (1.0,)}
Z_SPACE = "residual"
SEARCHERS: dict[str, Searcher] = {
    "encoder": Guess(),
    "X, gradient descent": Descent("gd", RATES["gd"]),
    "X, Adam": Descent("adam", RATES["adam"]),
    "X, Adam with ramps": Descent("adam-ramps", RATES["adam"]),
    "X, best of 4, Adam": BestOf(4, "adam", RATES["adam"]),
    "X, CMA-ES, then Adam": EvolveThenDescend("adam", RATES["adam"]),
    "X, L-BFGS": Descent("lbfgs", RATES["lbfgs"]),
    "X, conjugate gradients": ConjugateGradients(),
    "X, Barzilai-Borwein": BarzilaiBorwein((0.5, 2.0, 8.0)),
    "encoder, refined by its own error": RefinedGuess((0.3, 1.0)),
    "X, encoder, then Adam": Descent("adam", RATES["fine"], start="encoder"),
    "X, encoder, then L-BFGS": Descent("lbfgs", RATES["lbfgs"], start="encoder"),
    "Z, L-BFGS": Descent("lbfgs", RATES["lbfgs"], Z_SPACE),
    "Z, encoder, then L-BFGS": Descent("lbfgs", RATES["lbfgs"], Z_SPACE, start="encoder"),
}
