"""Rivals that are trained: on their kind of target they beat what they began as, and lessons cost what was allowed."""

from __future__ import annotations

import torch

from landscape_core.generators.experiments.searchers import Descent
from landscape_core.generators.experiments.taught import LearnedOptimizer, StepNet, reptile, taught, teach_optimizer
from tests.generators.test_budget import counted
from tests.tiny.tables import pictures, quadratic, silent

TRAIN = torch.tensor([5.0, 20.0]) + torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
OTHERS = torch.tensor([5.0, 20.0]) + torch.randn(8, 2, generator=torch.Generator().manual_seed(1))


def test_a_start_by_reptile_is_nearer_to_its_kind_of_target() -> None:
    mean, one = Descent("lbfgs", (1.0,)), 1
    found = reptile(quadratic(), TRAIN, 8000, 0, silent)
    at_mean, at_start = (search(quadratic(), OTHERS, one, 1.0, 0).mean() for search in (mean, found))
    assert at_start < 0.5 * at_mean
    assert torch.equal(found.start, reptile(quadratic(), TRAIN, 8000, 0, silent).start)


def test_a_learned_optimiser_is_ahead_of_itself_before_its_lessons() -> None:
    torch.manual_seed(0)
    untaught = LearnedOptimizer(StepNet().requires_grad_(False))
    found = teach_optimizer(quadratic(), TRAIN, 16_000, 0, silent)
    before, after = (search(quadratic(), OTHERS, 10, 1.0, 0).mean() for search in (untaught, found))
    assert after < 0.5 * before


def test_lessons_cost_what_was_allowed_and_the_taught_keep_to_the_budget() -> None:
    task, counting = counted()
    rivals = taught(task, pictures(12), 400, 0, silent)
    assert counting.drawn <= 2 * 400
    for search in rivals.values():
        counting.drawn = 0
        assert torch.isfinite(search(task, pictures(2), 7, 1.0, 0)).all()
        assert 0 < counting.drawn <= 2 * 7
