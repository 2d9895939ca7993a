"""What of a preset fits into a budget: inputs, then targets, then buffers are left out, and a plan once made is kept."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from landscape_core.errors import UserError
from landscape_core.search.mapping import MappingConfig
from landscape_core.training.budget import LEAST, Budget, Plan, fitted, kept, pace
from landscape_core.training.settings import MappingTraining
from landscape_core.training.theta import MappingPreset, evaluations_per_buffer
from tests.tiny.models import tiny_task

DIM, LOOKING = 64, 72
TRAINING = MappingTraining(buffers=14, targets=192, steps=8, keep_start=True)
PRESET = MappingPreset(MappingConfig("residual"), TRAINING, curvature_inputs=8)


def evaluations(plan: Plan) -> int:
    """What a plan takes, with a look before the first buffer (X and Z) and one after each."""
    assert plan.buffers
    assert plan.targets
    assert plan.inputs
    training = replace(PRESET.training, buffers=plan.buffers, targets=plan.targets)
    return plan.inputs * DIM + 2 * LOOKING + plan.buffers * (evaluations_per_buffer(training) + LOOKING)


def test_all_of_a_preset_is_taken_where_it_fits() -> None:
    assert fitted(PRESET, DIM, 3600.0, 1e-3, LOOKING) == Plan(14, 192, 8)


@pytest.mark.parametrize("seconds", [10.0, 20.0, 40.0])
def test_what_is_planned_fits_into_the_time(seconds: float) -> None:
    plan = fitted(PRESET, DIM, seconds, 1e-3, LOOKING)
    assert evaluations(plan) * 1e-3 <= seconds
    assert plan.targets is not None
    assert LEAST <= plan.targets < 192


def test_targets_go_before_buffers_and_one_of_each_stays() -> None:
    assert fitted(PRESET, DIM, 30.0, 1e-3, LOOKING).buffers == 14
    few = fitted(PRESET, DIM, 2.0, 1e-3, LOOKING)
    assert few.targets == LEAST
    assert few.buffers is not None
    assert 1 <= few.buffers < 14
    assert fitted(PRESET, DIM, 0.001, 1.0) == Plan(1, LEAST, 1)


def test_a_plan_is_kept_for_when_the_training_goes_on(tmp_path: Path) -> None:
    assert kept(tmp_path, lambda: Plan(3, 16, 1)) == Plan(3, 16, 1)
    assert kept(tmp_path, lambda: Plan(9, 99, 9)) == Plan(3, 16, 1)
    (tmp_path / "plan.json").write_text("[]")
    with pytest.raises(UserError, match=r"plan\.json is not a training's plan"):
        kept(tmp_path, lambda: Plan(3, 16, 1))


def test_a_budget_runs_from_its_beginning_on() -> None:
    budget = Budget(60.0, began=time.monotonic() - 50.0)
    assert budget.ends
    assert 50.0 <= budget.spent <= 60.0 - budget.left + 1e-3
    assert Budget(60.0, began=time.monotonic() - 70.0).left < -9.0
    assert not Budget().ends


def test_the_pace_is_seconds_an_evaluation() -> None:
    moments = iter([10.0, 42.0])
    assert pace(tiny_task(), clock=lambda: next(moments)) == 1.0
