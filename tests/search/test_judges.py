"""Judges that were not optimised: what they measure, and when they contradict the loss."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from landscape_core.search.judges import (
    LOSS,
    PSNR,
    Found,
    Judge,
    best_of,
    decibels,
    disagreement,
    features_judge,
    input_judge,
    judge,
    last_of,
    psnr,
    share_beyond,
    squared_error,
)
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.trajectory import states
from tests.tiny.models import PooledDistance, tiny_task
from tests.tiny.tables import pictures


def of(output: torch.Tensor) -> Found:
    return Found(torch.zeros(len(output)), torch.zeros(len(output), 1), output)


def test_psnr_of_known_errors() -> None:
    target = torch.zeros(2, 3, 4, 4)
    output = torch.stack([torch.full((3, 4, 4), 0.2), torch.full((3, 4, 4), 2.0)])  # the second is clipped to 1
    torch.testing.assert_close(psnr(output, target), torch.tensor([20.0, 10 * torch.log10(torch.tensor(4.0)).item()]))
    assert PSNR.shown(0.04) == "20.0\u00a0dB"


def test_judges_of_pictures_agree_with_their_definitions() -> None:
    output, target = pictures(2), Target(pictures(2, 5))
    expected = [10 * math.log10(4 / float((a - b).square().mean())) for a, b in zip(output, target.value, strict=True)]
    assert decibels(squared_error(output, target)).tolist() == pytest.approx(expected)
    distance = features_judge(PooledDistance(), "pooled", "")
    assert distance.of(of(target.value), target).tolist() == [0.0, 0.0]
    mask = torch.ones(2, 1, 64, 64)
    mask[..., :32] = 0.0
    spoiled, hidden = torch.where(mask > 0, target.value, torch.zeros(())), replace(target, mask=mask)
    assert distance.of(of(spoiled), hidden).tolist() == [0.0, 0.0]
    assert PSNR.of(of(spoiled), hidden).tolist() == [0.0, 0.0]
    assert PSNR.of(of(spoiled), target).min() > 0
    known = replace(hidden, truth=target.value)
    for one in (distance, PSNR):
        assert one.of(of(spoiled), known).tolist() == one.of(of(spoiled), target).tolist(), "the truth is looked at where known"


def test_the_prior_s_own_draws_lie_as_far_out_as_each_other() -> None:
    prior = tiny_task().prior
    x = prior.sample(40, torch.Generator().manual_seed(3))
    shares = share_beyond(prior, x)
    assert 0.35 < float(shares.mean()) < 0.65
    assert float(share_beyond(prior, prior.mean[None])) == 1.0
    assert float(share_beyond(prior, prior.mean + 10 * (x[:1] - prior.mean))) == 0.0
    assert float(share_beyond(prior, x[7:8])) == float(shares[7]), "one sample does not depend on the rest of its batch"


def test_the_best_and_the_last_are_judged_where_they_are() -> None:
    """L-BFGS's first move is so long that the last point is not the best."""
    task = tiny_task()
    settings = RunSettings.table(task, "residual", ["lbfgs"], steps=3)
    lanes = tuple(
        lane.model_copy(update={"optimizer": lane.optimizer.model_copy(update={"lr": 1.0, "first_move": 50.0})})
        for lane in settings.lanes
    )
    target = task.sampled(2, torch.Generator().manual_seed(0))
    solver, starts = prepare(task, settings.model_copy(update={"lanes": lanes}), target)
    *_, last = states(solver, solver.init(starts))
    lane, now = solver.lanes[0], last.lanes[0]
    best = best_of(solver, lane, now)
    loss = task.objective.bind(target)
    assert torch.allclose(loss(best.output), now.best_loss, rtol=1e-4)
    assert torch.equal(last_of(lane, now).output, now.output)
    true = task.prior.mean[None]
    said = judge({lane.name: best}, target, [input_judge(true)])
    assert said[lane.name]["‖x̂ − x*‖"] == pytest.approx(float((now.best_variable).norm(dim=1).mean()), rel=1e-5)
    assert said[lane.name][LOSS] == pytest.approx(float(now.best_loss.mean()))


def test_a_lower_loss_that_is_not_the_better_result_is_said() -> None:
    tape = Judge("tape", "", lambda found, _: found.loss, lambda value: f"{value:g} m")
    beyond = replace(tape, name="beyond", compares=False)
    x, z = {LOSS: 0.10, "tape": 0.30, "beyond": 0.1}, {LOSS: 0.09, "tape": 0.40, "beyond": 0.9}
    said = disagreement([tape, beyond], {"X": x, "Z": z})
    assert said == "Z has the lower loss, but X the better result by tape (0.3 m against 0.4 m)."
    assert disagreement([tape, beyond], {"X": x, "Z": {**z, "tape": 0.31}}) == "", "that close is the same"
    assert disagreement([tape], {"X · Adam": x, "Z · L-BFGS": z}) == "", "no fair pair"
