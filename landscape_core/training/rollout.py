"""The first half of a buffer of Algorithm 1 (lines 4 to 11): descent on z with Θ fixed, for every target at once."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from landscape_core import processes
from landscape_core.search.objectives import Objective, Target
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.spaces import ZSpace
from landscape_core.training.settings import MappingTraining

RAN_AWAY = 1e3  # times the loss at the start: a trial step too long, whose gradient would drown all others in the buffer


@dataclass(frozen=True)
class Phase:
    """Where a buffer stands before its next update: `done` of `total` steps of z were collected, or of updates of θ taken.

    `variable` is where the z's stand on their way (n, z_dim), or all that the buffer holds (T·N, z_dim); `owner` is the
    number of each one's target.
    """

    name: Literal["collect", "descend"]
    done: int
    total: int
    variable: Tensor
    owner: Tensor


@dataclass(frozen=True)
class Rollout:
    """Every z_t (T·N, z_dim), the number of its target (T·N,), and the mean losses on the way."""

    variable: Tensor
    owner: Tensor
    figures: dict[str, float]


@dataclass(frozen=True)
class Descents:
    """Descents on z towards N targets through a Θ, `rollout_chunk` of them at a time. Of several processes each descends on its
    share of every chunk."""

    space: ZSpace
    forward: nn.Module
    objective: Objective
    target: Target
    config: MappingTraining
    random: torch.Generator

    def chunks(self) -> Iterator[tuple[Tensor, Solver, Tensor]]:
        """By chunk the numbers of its targets (n,), and the descent on this process's share of them with its starts
        (n, z_dim)."""
        for first in range(0, len(self.target), self.config.rollout_chunk):
            owner = torch.arange(first, min(first + self.config.rollout_chunk, len(self.target)))
            start, part = self._start(len(owner)), self.target.select(processes.share(owner))
            solver = Solver(self.forward, self.objective, part, [Lane("Z", self.space, self.config.descent())])
            yield owner, solver, processes.share(start)

    def _start(self, n: int) -> Tensor:
        """z_0 (n, z_dim)."""
        origin = self.space.mean_start(n)
        if self.config.start == 0.0:
            return origin
        return self.config.start * torch.randn(n, self.space.dim, generator=self.random).to(origin.device)

    def collect(self) -> Generator[Phase, None, Rollout]:
        """All z_t, t = 1..T, a pause before each step. Where a step ran away, the z before it is kept in its place."""
        visited: list[Tensor] = []
        owners: list[Tensor] = []
        totals = torch.zeros(self.config.steps + 1, device=self.target.value.device)
        for owner, solver, start in self.chunks():
            with self.config.autocast(start.device):
                state = solver.init([start])
            z, loss, limit = state.lanes[0].variable, state.lanes[0].loss, RAN_AWAY * state.lanes[0].loss
            path = [z] if self.config.keep_start else []
            totals[0] += loss.sum()
            for t in range(1, self.config.steps + 1):
                yield Phase("collect", t - 1, self.config.steps, state.lanes[0].variable, processes.share(owner))
                with self.config.autocast(start.device):
                    state = solver.step(state)
                near = state.lanes[0].loss <= limit  # false where the loss is not a number
                z = torch.where(near.unsqueeze(1), state.lanes[0].variable, z)
                loss = torch.where(near, state.lanes[0].loss, loss)
                path.append(z)
                totals[t] += loss.sum()
            visited.extend(processes.joined(torch.stack(path, dim=1)).unbind(dim=1))  # (chunk, T, z_dim) step by step
            owners.extend([owner] * len(path))
        mean = processes.total(totals) / len(self.target)
        figures = {"start": float(mean[0]), "middle": float(mean[self.config.steps // 2]), "end": float(mean[-1])}
        return Rollout(torch.cat(visited), torch.cat(owners), figures)
