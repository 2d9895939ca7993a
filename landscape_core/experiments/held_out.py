"""X against Z on targets that a training never sees, after each of its buffers: one optimiser in both, paired."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from PIL import Image
from torch import Tensor, nn

from landscape_core.experiments.paired import FLOOR, SMALLEST, Comparison, best_so_far, compare
from landscape_core.images.sheets import grid
from landscape_core.search.judges import best_of
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.spaces import ZSpace
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import run
from landscape_core.training.theta import MappingPreset

TARGETS, STEPS, SHOWN = 8, 8, 4
EVALUATIONS = TARGETS * (STEPS + 1)  # of F in one look: X is searched once, Z each time
OWN = "trained"


@dataclass(frozen=True)
class Look:
    """Geometric means over the targets of the lowest loss so far, step by step; Z against X after the last; and a sheet of
    pictures: what is looked for, X's answers and Z's, in rows."""

    x: list[float]
    z: list[float]
    comparison: Comparison
    sheet: Image.Image


class HeldOut:
    """Searches `TARGETS` held-out targets (n, ...) by the optimiser that the preset advises for Z, in X at the best settings
    known for it there; each space begins at its own origin."""

    def __init__(self, task: Task, chosen: MappingPreset, target: Target) -> None:
        self.task, self.chosen, self.target = task, chosen, target.to(task.device)
        self.floor = FLOOR if task.picture is None else 0.0
        self._x: tuple[Tensor, Tensor] | None = None

    def look(self, mapping: nn.Module, z_dim: int) -> Look:
        """Search with Θ as it is now; it is not changed."""
        mapping.requires_grad_(False)
        own = {OWN: ZSpace(mapping, z_dim)}
        advised = {**self.task.advised, OWN: self.chosen.advised}
        task = replace(self.task, mappings=own, advised=advised, tuned={**self.task.tuned, OWN: self.chosen.tuned})
        if self._x is None:
            self._x = self._searched(task, X)
        (x, in_x), (z, in_z) = self._x, self._searched(task, OWN)
        comparison = compare(best_so_far(z)[-1], best_so_far(x)[-1], floor=self.floor)
        return Look(_means(x), _means(z), comparison, self._sheet(in_x, in_z))

    def _searched(self, task: Task, space: str) -> tuple[Tensor, Tensor]:
        """Losses (steps + 1, n) and the best outputs (n, ...)."""
        settings = RunSettings.table(task, OWN, [self.chosen.advised.name], steps=STEPS)
        settings = settings.model_copy(update={"lanes": tuple(lane for lane in settings.lanes if lane.space == space)})
        solver, starts = prepare(task, settings, self.target)
        trajectory = run(solver, starts)
        assert trajectory.last is not None  # its start is always recorded
        found = best_of(solver, solver.lanes[0], trajectory.last.lanes[0])
        return torch.stack(list(trajectory.lanes[0].losses)), found.output

    def _sheet(self, in_x: Tensor, in_z: Tensor) -> Image.Image:
        shown = range(min(SHOWN, len(self.target)))
        one = [self.target.select(slice(i, i + 1)) for i in shown]
        wanted = [self.task.shown(None, target) for target in one]
        found = [self.task.shown(output[i : i + 1], one[i]) for output in (in_x, in_z) for i in shown]
        return grid(torch.cat([*wanted, *found]), len(one))


def _means(losses: Tensor) -> list[float]:
    """Geometric means (steps + 1,) of the best so far (steps + 1, n); a loss of zero counts as the smallest number."""
    best = best_so_far(losses).cpu().double().clamp_min(SMALLEST)
    return [value if math.isfinite(value) else 1e30 for value in best.log().mean(dim=1).exp().tolist()]
