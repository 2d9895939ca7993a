"""Rivals of Θ that are trained on the same kind of targets: a meta-learned start, and a learned optimiser. Each is taught with
a given number of evaluations of F, and is a `Searcher` then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from landscape_core.generators.experiments.budget import made_of
from landscape_core.generators.experiments.rivals import evaluated
from landscape_core.generators.experiments.searchers import Searcher, descend
from landscape_core.progress import Tick
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.race import starts_in
from landscape_core.search.task import Task, X
from landscape_core.storage.cache import Kept
from landscape_core.storage.fingerprint import fingerprint

BATCH = 8
ROLLED = 10  # steps of a lesson
PACE = 0.3  # Reptile's: the share of the way to where a batch ended, falling to nought over the lessons
MOMENTA = (0.5, 0.9, 0.99)
WIDTH = 32


@dataclass(frozen=True)
class TaughtStart:
    """L-BFGS in X from `start` (dim,), variables of X that Reptile found."""

    start: Tensor
    rates: tuple[float, ...] = (1.0,)

    def __call__(self, task: Task, pictures: Tensor, evaluations: int, rate: float, seed: int) -> Tensor:
        start = self.start.to(task.device).expand(len(pictures), -1)
        return descend(task, X, pictures, start, task.advice(X, "lbfgs", lr=rate), evaluations)


def reptile(task: Task, train: Tensor, evaluations: int, seed: int, tick: Tick) -> TaughtStart:
    """Reptile (Nichol et al. 2018) on pictures (n, 3, H, W): a start moves a share of the way to where Adam takes a batch from
    it in a few steps."""
    (start,) = starts_in([task.space(X)], task, "mean", Target(train[:1]).to(task.device), seed)
    start, lessons = start[0], max(1, evaluations // (BATCH * ROLLED))
    advised = task.advice(X, "adam")
    for lesson, pictures in enumerate(_batches(train, lessons, seed)):
        end = _ended(task, pictures, start, advised)
        start = start + PACE * (1 - lesson / lessons) * (end.mean(dim=0) - start)
        tick("Reptile", lesson + 1, lessons)
    return TaughtStart(start)


def _ended(task: Task, pictures: Tensor, start: Tensor, optimizer: OptimizerSettings) -> Tensor:
    value, at = evaluated(task, Target(pictures).to(task.device)), start.repeat(len(pictures), 1).requires_grad_()
    adam = torch.optim.Adam([at], lr=optimizer.lr)
    for _ in range(ROLLED):
        _, at.grad = value(at)
        adam.step()
    return at.detach()


class StepNet(nn.Module):
    """A learned optimiser: the same small MLP for every coordinate, from its gradient and its means over the past, each in
    units of the picture's own root mean square, to a step (after Andrychowicz et al. 2016 and Metz et al. 2019)."""

    def __init__(self) -> None:
        super().__init__()
        features = 2 * (1 + len(MOMENTA)) + 1
        self.layers = nn.Sequential(
            nn.Linear(features, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, 2)
        )

    def forward(self, gradient: Tensor, means: Tensor, step: int) -> Tensor:
        """Gradients (n, d) and their running means (momenta, n, d) at a step -> what is taken off the variables (n, d)."""
        seen = torch.cat([gradient[None], means])
        unit = seen / seen.square().mean(dim=-1, keepdim=True).sqrt().clamp_min(1e-12)
        time = torch.full_like(unit[:1], step / (step + 10.0))
        direction, size = self.layers(torch.cat([unit, unit.tanh(), time]).movedim(0, -1)).unbind(-1)
        taken: Tensor = (unit[2] + direction) * 0.1 * size.clamp(-5, 3).exp()  # it begins as momentum of one length
        return taken


@dataclass(frozen=True)
class LearnedOptimizer:
    """Steps by a `StepNet`, from the mean. `rates` multiply its steps."""

    net: StepNet
    rates: tuple[float, ...] = (0.5, 1.0, 2.0)

    @torch.no_grad()
    def __call__(self, task: Task, pictures: Tensor, evaluations: int, rate: float, seed: int) -> Tensor:
        target = Target(pictures).to(task.device)
        (start,) = starts_in([task.space(X)], task, "mean", target, seed)
        best = torch.full((len(pictures),), torch.inf, device=task.device)
        for losses, _, _ in _rolled(self.net, task, target, start, evaluations, rate):
            best = torch.fmin(best, losses)
        return best


def _rolled(
    net: StepNet, task: Task, target: Target, start: Tensor, evaluations: int, rate: float = 1.0
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Losses (n,), gradients (n, d) and the step (n, d) that follows, an evaluation of F each."""
    value, at = evaluated(task, target), start
    means = torch.zeros(len(MOMENTA), *start.shape, device=start.device)
    momenta = torch.tensor(MOMENTA, device=start.device)[:, None, None]
    for step in range(evaluations):
        losses, gradient = value(at)
        means = momenta * means + (1 - momenta) * gradient
        taken = rate * net(gradient, means, step)
        at = at - taken.detach()
        yield losses, gradient, taken


def teach_optimizer(task: Task, train: Tensor, evaluations: int, seed: int, tick: Tick) -> LearnedOptimizer:
    """A `StepNet` trained on pictures (n, 3, H, W) to lower the mean log loss of short searches.

    A step u_s moves all later variables, so that d log L_t / dφ is minus the sum over s < t of (g_t / L_t) · du_s/dφ, where
    gradients themselves are held fixed: what a search evaluates anyway is all that its lesson costs.
    """
    net = _new(seed).to(task.device)
    adam = torch.optim.Adam(net.parameters(), lr=3e-3)
    lessons = max(1, evaluations // (BATCH * ROLLED))
    for lesson, pictures in enumerate(_batches(train, lessons, seed + 1)):
        target = Target(pictures).to(task.device)
        (start,) = starts_in([task.space(X)], task, "mean", target, seed)
        losses, gradients, taken = zip(*_rolled(net, task, target, start, ROLLED), strict=True)
        slopes = torch.stack(gradients) / torch.stack(losses).clamp_min(1e-12)[..., None]
        later = slopes.flip(0).cumsum(0).flip(0)[1:]  # of all evaluations after each step but the last
        lowered = (torch.stack(taken[:-1]) * later).sum(dim=-1).mean()
        adam.zero_grad()
        (-lowered).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        adam.step()
        tick("a learned optimiser", lesson + 1, lessons)
    return LearnedOptimizer(net.requires_grad_(False))


def taught(
    task: Task, train: Tensor, evaluations: int, seed: int, tick: Tick, work: Path | None = None
) -> Mapping[str, Searcher]:
    """Both, each taught with so many evaluations of F on pictures (n, 3, H, W); what they learned is kept below `work`."""
    kept = Kept(work, fingerprint(made_of(task), train, evaluations, seed))
    start = kept.get("Reptile", lambda: reptile(task, train, evaluations, seed, tick).start)
    net = _new(seed).to(task.device).requires_grad_(False)

    def learned() -> Tensor:
        return parameters_to_vector(teach_optimizer(task, train, evaluations, seed, tick).net.parameters())

    vector_to_parameters(kept.get("a learned optimiser", learned).to(task.device), net.parameters())
    return {"X, a start by Reptile, then L-BFGS": TaughtStart(start), "X, a learned optimiser": LearnedOptimizer(net)}


def _new(seed: int) -> StepNet:
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        return StepNet()


def _batches(train: Tensor, count: int, seed: int) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    for _ in range(count):
        yield train[torch.randint(len(train), (min(BATCH, len(train)),), generator=generator)]
