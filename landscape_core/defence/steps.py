"""Taking the defence's few steps on many pictures, and counting right answers after each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from landscape_core import processes
from landscape_core.defence.objective import Defence, random_starts, restored
from landscape_core.search.objectives import Target
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.trajectory import states


@dataclass(frozen=True)
class Steps:
    """Whether every picture is classified rightly, and its loss (Eq. 7), after each step: (steps + 1, n) each."""

    right: Tensor
    loss: Tensor


def run_steps(
    defence: Defence, lanes: Sequence[Lane], pictures: Tensor, labels: Tensor, steps: int, seed: int, batch: int
) -> dict[str, Steps]:
    """Every lane, by name, from random starts."""
    starts = random_starts([lane.space for lane in lanes], len(pictures), seed)

    def answered(first: int) -> dict[str, Steps]:
        part = slice(first, first + batch)
        solver = Solver(defence.task.forward, defence.task.objective, Target(pictures[part]), lanes, max_steps=steps)
        rows: dict[str, list[Steps]] = {lane.name: [] for lane in lanes}
        for state in states(solver, solver.init([start[part] for start in starts])):
            for lane, now in zip(lanes, state.lanes, strict=True):
                answer = defence.logits(restored(pictures[part], now.output)).argmax(dim=1)
                rows[lane.name].append(Steps(answer == labels[part], now.loss))
        return {
            name: Steps(torch.stack([row.right for row in each]).cpu(), torch.stack([row.loss for row in each]).cpu())
            for name, each in rows.items()
        }

    parts = [*processes.in_turns(answered, range(0, len(pictures), batch))]
    return {
        lane.name: Steps(
            torch.cat([part[lane.name].right for part in parts], dim=1),
            torch.cat([part[lane.name].loss for part in parts], dim=1),
        )
        for lane in lanes
    }


def steps_right(
    defence: Defence, lanes: Sequence[Lane], pictures: Tensor, labels: Tensor, steps: int, seed: int, batch: int
) -> dict[str, Tensor]:
    """The answers alone of `run_steps`."""
    return {name: each.right for name, each in run_steps(defence, lanes, pictures, labels, steps, seed, batch).items()}


def evaluation_seed(seed: int) -> int:
    """Of the random starts that results are measured with; an attacker's starts are others."""
    return seed + 1_000_003
