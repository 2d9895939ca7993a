"""What the server remembers of a visitor's edits: up to two results of runs, and directions of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from app.runs.session import Run, Streamed
from landscape_core.errors import UserError
from landscape_core.search.task import Task

ENDS = ("A", "B")
MOST_OWN = 8  # directions of a visitor's own


@dataclass(frozen=True)
class Result:
    """What a run found: F's inputs (1, d) by lane, at a step of a sample, for a model."""

    label: str
    task: Task
    inputs: Mapping[str, Tensor]


@dataclass
class EditSession:
    """`ends` are the results that are edited, A and where two are blended B; `axes` (n, d) the principal directions of their
    model, `own` directions (d,) by name, made of two sets of pictures whose inputs `sets` holds until then."""

    ends: dict[str, Result] = field(default_factory=dict)
    axes: Tensor = field(default_factory=lambda: torch.empty(0, 0))
    own: dict[str, Tensor] = field(default_factory=dict)
    sets: dict[str, Tensor] = field(default_factory=dict)

    def stop(self) -> None:
        """Nothing goes on here."""

    def streamed(self) -> Streamed | None:
        """Nothing is sent but answers."""
        return None

    def weight(self) -> int:
        """The bytes that it keeps: a few inputs of F."""
        tensors = [
            self.axes,
            *self.own.values(),
            *self.sets.values(),
            *(x for end in self.ends.values() for x in end.inputs.values()),
        ]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


@torch.no_grad()
def result_of(run: Run[Any] | None, sample: int, step: object) -> Result:
    """What a run's lanes had of a sample at a step; where that is None, at the last.

    Raises:
        UserError: nothing was run, it is still going, or the step was not taken.
    """
    if run is None or run.trajectory.last is None:
        raise UserError("There is no result to edit yet; press Run first.")
    if run.lock.locked():
        raise UserError("The run is still going; wait for its end, or stop it, and edit its result then.")
    steps = run.trajectory.steps
    at = steps[-1] if step is None else step
    if not isinstance(at, int) or at not in steps:
        raise UserError(f"The run has no step {str(at)[:20]}; it has steps from 0 to {steps[-1]}.")
    place, part = steps.index(at), slice(sample, sample + 1)
    inputs = {
        lane.name: lane.space.to_x(record.variables[place][part])
        for lane, record in zip(run.solver.lanes, run.trajectory.lanes, strict=True)
    }
    which = "" if len(run.solver.target) == 1 else f", completion {sample + 1}"
    return Result(f"run {run.number}{which}, step {at}", run.task, inputs)
