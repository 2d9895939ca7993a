"""A race on a tiny model, for tests of the surfaces around it."""

from __future__ import annotations

import pytest
import torch

from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.task import Task
from landscape_core.search.trajectory import Trajectory, run
from tests.tiny.models import tiny_task


@pytest.fixture(scope="module")
def task() -> Task:
    return tiny_task()


@pytest.fixture(scope="module")
def targets(task: Task) -> Target:
    with torch.no_grad():
        return Target(task.forward(task.prior.sample(4, torch.Generator().manual_seed(1))))


@pytest.fixture(scope="module")
def race(task: Task, targets: Target) -> Trajectory:
    return run(*prepare(task, RunSettings.pair(space="paper", steps=5), targets))
