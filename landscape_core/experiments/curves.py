"""Best losses so far of lanes on many targets, what judges think of them, and the choice of X's rate on training pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from landscape_core import processes
from landscape_core.experiments.paired import best_so_far
from landscape_core.progress import Tick
from landscape_core.search.judges import Judge, best_of
from landscape_core.search.objectives import Target
from landscape_core.search.race import starts_in
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.spaces import Start
from landscape_core.search.task import Task
from landscape_core.search.updates import Optimizer
from landscape_core.storage.cache import FolderCache
from landscape_core.storage.fingerprint import fingerprint

Lanes = Mapping[str, tuple[str, Optimizer]]
ADAM_SWEEP = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
# Samples times lanes in one pass of F. On a CPU more than this falls out of the cache and costs twice as much each.
PASS, PASS_ON_ACCELERATOR = 16, 256


@dataclass(frozen=True)
class Curves:
    """One lane on n targets: best loss so far (steps + 1, n), and by judge (marks, n) what was best at every mark."""

    loss: Tensor
    judged: Mapping[str, Tensor]


@dataclass(frozen=True)
class Watch:
    """What else is measured of the best so far: by these judges, after these numbers of steps."""

    judges: Sequence[Judge]
    marks: tuple[int, ...]


NOTHING = Watch((), ())


@dataclass(frozen=True)
class Searches:
    """How a table's targets are searched: all lanes from the same kind of start, those of `batch` targets in one pass of F.

    What was computed is kept below `work` where that is given, a few targets to a file, and found there when the very same is
    asked again: same weights, targets, starts and settings. Several processes take the batches in turns.
    """

    task: Task
    tick: Tick
    start: Start = "mean"
    seed: int = 0
    batch: int | None = None
    work: Path | None = None

    def curves(self, target: Target, lanes: Lanes, steps: int, label: str, watch: Watch = NOTHING) -> dict[str, Curves]:
        """Every lane, {name: (space, optimiser)}, on every target."""
        task = self.task
        batch = self.batch or max((PASS if task.device.type == "cpu" else PASS_ON_ACCELERATOR) // len(lanes), 1)
        spaces = {space: task.space(space) for space, _ in lanes.values()}
        built = [Lane(name, spaces[space], optimizer) for name, (space, optimizer) in lanes.items()]

        def part_from(first: int) -> dict[str, Tensor]:
            part = target.select(slice(first, first + batch)).to(task.device)
            solver = Solver(task.forward, task.objective, part, built, max_steps=steps, input_term=task.input_term)
            begin = dict(zip(spaces, starts_in([*spaces.values()], task, self.start, part, self.seed + first), strict=True))
            starts = [begin[space] for space, _ in lanes.values()]

            def step_done(step: int) -> None:
                self.tick(label, first * steps + len(part) * step, len(target) * steps)

            return _kept(solver, starts, watch, step_done, self.work)

        parts = [*processes.in_turns(part_from, range(0, len(target), batch))]
        joined = {key: torch.cat([part[key] for part in parts], dim=1) for key in parts[0]}
        return {
            name: Curves(best_so_far(joined[name]), {each.name: joined[f"{name}/{each.name}"] for each in watch.judges})
            for name in lanes
        }

    def losses(self, pictures: Tensor, lanes: Lanes, steps: int, label: str) -> dict[str, Tensor]:
        """Best losses so far (steps + 1, n) of every lane on pictures (n, 3, H, W)."""
        return {name: curves.loss for name, curves in self.curves(Target(pictures), lanes, steps, label).items()}


def _kept(
    solver: Solver, starts: list[Tensor], watch: Watch, step_done: Callable[[int], None], work: Path | None
) -> dict[str, Tensor]:
    if work is None:
        return _run(solver, starts, watch, step_done)
    asked = (solver.forward, solver.objective, solver.input_term, solver.target, solver.lanes, solver.max_steps, starts)
    key = fingerprint(*asked, sorted(watch.judges, key=lambda each: each.name), watch.marks)[:24]
    cache = FolderCache(work)
    if key not in cache:
        cache[key] = _run(solver, starts, watch, step_done)
    step_done(solver.max_steps)
    return dict(cache[key])


def _run(solver: Solver, starts: list[Tensor], watch: Watch, step_done: Callable[[int], None]) -> dict[str, Tensor]:
    found: dict[str, list[Tensor]] = {}
    state = solver.init(starts)
    for step in range(solver.max_steps + 1):  # also where every lane was given up: all parts of a table are as long
        state = solver.step(state) if step else state
        for lane, now in zip(solver.lanes, state.lanes, strict=True):
            found.setdefault(lane.name, []).append(now.loss)
            if step in watch.marks:
                best = best_of(solver, lane, now)
                for each in watch.judges:
                    found.setdefault(f"{lane.name}/{each.name}", []).append(each.of(best, solver.target))
        step_done(step)
    return {key: torch.stack(values).cpu() for key, values in found.items()}


def encoder_loss(task: Task, target: Target) -> Tensor:
    """(n,): the loss of the encoder's guess, no optimisation; not a number where there is no encoder."""
    if task.encode is None:
        return torch.full((len(target),), float("nan"))
    with torch.no_grad():
        parts = [target.select(slice(first, first + 50)).to(task.device) for first in range(0, len(target), 50)]
        return torch.cat([task.objective.bind(each)(task.forward(task.encode(each.value))).cpu() for each in parts])


COLOURS = {"X Adam": "#c2410c", "X L-BFGS": "#a16207", "Z": "#0369a1", "Z paper": "#7c3aed", "encoder": "#6b7280"}
