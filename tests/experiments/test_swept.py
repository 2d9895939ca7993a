"""Searches at their best rates: how far each goes."""

from __future__ import annotations

import pytest
import torch

from landscape_core.experiments.curves import Searches, Watch
from landscape_core.experiments.paired import Choice
from landscape_core.experiments.swept import Choices, Descent, Row, measured
from landscape_core.search.judges import PSNR
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.task import X
from tests.tiny.models import tiny_task


def silent(label: str, done: int, total: int) -> None:
    pass


def chosen(lr: float) -> Choice[OptimizerSettings]:
    return Choice(f"{lr:g}", OptimizerSettings(name="adam", lr=lr), {})


@pytest.fixture(scope="module")
def target() -> Target:
    task = tiny_task()
    with torch.no_grad():
        return Target(task.forward(task.prior.sample(3, torch.Generator().manual_seed(0))))


def test_a_rate_for_few_steps_goes_no_further_and_finds_the_same(target: Target) -> None:
    task = tiny_task()
    rows = [Row("two", X, {}), Row("one", "residual", {})]
    choices: Choices = {"two": {2: chosen(0.3), 5: chosen(0.1)}, "one": {2: chosen(0.2), 5: chosen(0.2)}}
    told: dict[str, set[int]] = {}

    def tick(label: str, done: int, total: int) -> None:
        told.setdefault(label, set()).add(total)

    found = measured(task, rows, choices, target, Descent(5, [2, 5]), tick, "drawn", Watch([PSNR], (1, 2, 5)))
    assert told == {"drawn, 2 steps": {6}, "drawn, 5 steps": {15}}
    shapes = {name: {budget: tuple(each.loss.shape) for budget, each in by.items()} for name, by in found.items()}
    assert shapes == {"two": {2: (3, 3), 5: (6, 3)}, "one": {2: (6, 3), 5: (6, 3)}}
    assert [tuple(found["two"][budget].judged[PSNR.name].shape) for budget in (2, 5)] == [(2, 3), (3, 3)]
    lanes = {f"{lr}": (X, OptimizerSettings(name="adam", lr=lr).build(5)) for lr in (0.3, 0.1)}
    whole = Searches(task, silent).curves(target, lanes, 5, "")
    torch.testing.assert_close(found["two"][2].loss, whole["0.3"].loss[:3])
    torch.testing.assert_close(found["two"][5].loss, whole["0.1"].loss)
