"""What of a preset fits into a budget of time: measured on this machine before a training begins, and kept to go on with."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from landscape_core import processes
from landscape_core.errors import reading
from landscape_core.search.task import Task
from landscape_core.storage.files import write_text
from landscape_core.training.theta import MappingPreset, evaluations_per_buffer

LEAST = 16  # targets of a buffer: with fewer, buffers are left out instead
MEASURING = 0.25  # of the time, at most, goes into the curvature; one input's is always measured
BATCH, PASSES = 16, 2
FILE = "plan.json"


@dataclass(frozen=True)
class Budget:
    """Seconds for all that a process does from `began` on: loading, measuring, looking and training; no end without `limit`."""

    limit: float = math.inf
    began: float = field(default_factory=time.monotonic)

    @property
    def spent(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.began

    @property
    def ends(self) -> bool:
        """Whether what is done has to fit into it."""
        return math.isfinite(self.limit)

    @property
    def left(self) -> float:
        """Seconds that are left, negative once there are none."""
        return self.limit - self.spent


@dataclass(frozen=True)
class Plan:
    """Buffers, targets in each, and inputs at which the curvature is measured; None leaves the preset's own number."""

    buffers: int | None
    targets: int | None = None
    inputs: int | None = None


def pace(task: Task, *, clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds that one evaluation of F and L takes, forward and backward, in a batch; the first pass, which warms up, is not
    counted."""
    random = torch.Generator().manual_seed(0)
    loss = task.objective.bind(task.sampled(BATCH, random).to(task.device))
    began = 0.0
    for index in range(1 + PASSES):
        began = clock() if index == 1 else began
        x = task.prior.sample(BATCH, random).requires_grad_()
        torch.autograd.grad(loss(task.forward(x)).sum(), x)[0].sum().item()
    return (clock() - began) / (PASSES * BATCH)


def fitted(chosen: MappingPreset, dim: int, seconds: float, per_evaluation: float, looking: int = 0) -> Plan:
    """The preset's own numbers where they fit into `seconds`, else fewer inputs, then fewer targets, then fewer buffers.

    `dim` is the number of F's inputs, `looking` how many evaluations each look at held-out targets takes; there is one before
    the first buffer, too.
    """
    affordable, training = seconds / max(per_evaluation, 1e-9), chosen.training
    share = MEASURING if training.buffers else 1.0
    inputs = min(max(int(share * affordable / dim), 1), chosen.curvature_inputs)
    affordable -= inputs * dim + 2 * looking
    each = evaluations_per_buffer(training) / training.targets
    targets = int((affordable / max(training.buffers, 1) - looking) / each)
    targets = min(max(targets, LEAST), training.targets)
    buffers = int(affordable / (each * targets + looking))
    return Plan(min(max(buffers, 1), training.buffers), targets, inputs)


def kept(folder: Path, make: Callable[[], Plan]) -> Plan:
    """The plan of the training in a folder, made the first time: a training that goes on must not change its numbers.

    Raises:
        UserError: the folder cannot be written, or holds something else under that name.
    """
    path = folder / FILE

    def known() -> Plan:
        if not path.exists():
            write_text(path, json.dumps(asdict(make())))
        with reading(str(path), "is not a training's plan"):
            return Plan(**json.loads(path.read_text(encoding="utf-8")))

    return processes.from_main(known)  # each would measure another time
