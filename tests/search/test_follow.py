"""Following a clip: cold frames know nothing of each other, warm ones begin where the last one ended, smoothness binds them."""

from __future__ import annotations

from itertools import count

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from landscape_core.search.follow import Following, Track, follow, followed, joined
from landscape_core.search.objectives import SquaredError, Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.race import LaneSettings, RunSettings, prepare
from landscape_core.search.smoothness import smooth
from landscape_core.search.spaces import Prior
from landscape_core.search.task import Task
from landscape_core.search.trajectory import run
from tests.tiny.models import tiny_task

COLD, WARM = Following(order="cold", batch=3), Following(order="warm")


def clip(task: Task, frames: int = 5) -> Target:
    return task.sampled(frames, torch.Generator().manual_seed(0))


def plain_task() -> Task:
    """F is the identity of three numbers."""
    return Task("plain", nn.Identity(), Prior(torch.zeros(3), torch.eye(3)), SquaredError())


def newton(steps: int) -> RunSettings:
    lane = LaneSettings(optimizer=OptimizerSettings(name="levenberg-marquardt", lr=1000.0))
    return RunSettings(task="plain", lanes=(lane,), steps=steps)


def test_cold_frames_are_searched_as_if_each_were_alone() -> None:
    task = tiny_task()
    target, settings = clip(task), RunSettings.table(task, "residual", ["lbfgs"], steps=3)
    tracks = joined([*follow(task, settings, target, COLD)])
    assert [track.name for track in tracks] == ["X", "Z"]
    for index in range(5):
        alone = run(*prepare(task, settings, target.select(slice(index, index + 1))))
        for track, lane in zip(tracks, alone.lanes, strict=True):
            assert float(track.loss[index]) == pytest.approx(float(lane.best_so_far()[-1]), rel=1e-3)
    assert torch.allclose(task.forward(tracks[1].x), tracks[1].output, atol=1e-5)


def test_a_warm_frame_begins_where_the_last_one_ended() -> None:
    task = tiny_task()
    one = clip(task, 1)
    still = Target(one.value.repeat(3, 1, 1, 1))
    settings = RunSettings.table(task, "residual", ["adam"], steps=4)
    warm, cold = (joined([*follow(task, settings, still, how)]) for how in (WARM, COLD))
    for going, anew in zip(warm, cold, strict=True):
        assert bool((going.loss.diff() < 0).all()), "a picture that stays is searched on"
        assert torch.allclose(anew.loss, anew.loss[:1].expand(3), rtol=1e-3)
        assert float(going.loss[0]) == pytest.approx(float(anew.loss[0]), rel=1e-3)


def test_a_warm_frame_is_the_least_of_its_loss_and_of_the_distance_from_the_last() -> None:
    values, mask = torch.tensor([[1.0, 1.0, 4.0], [2.0, 3.0, 9.0]]), torch.tensor([[1.0, 1.0, 0.0]])
    target = Target(values, mask.expand(2, -1))
    weight = 0.5
    how = Following(order="warm", smoothness=weight)
    (track,) = joined([*follow(plain_task(), newton(6), target, how)])
    first = torch.tensor([1.0, 1.0, 0.0])  # nothing is asked of what is hidden: it stays
    seen = (values[1, :2] / 2 + weight / 3 * first[:2]) / (1 / 2 + weight / 3)  # two numbers are seen of three
    assert torch.allclose(track.x[0], first, atol=1e-4)
    assert torch.allclose(track.x[1], torch.cat([seen, first[2:]]), atol=1e-4)
    assert float(track.loss[1]) == pytest.approx(float((seen - values[1, :2]).square().mean()), rel=1e-3)


def test_residuals_are_those_of_the_loss() -> None:
    target = Target(torch.randn(1, 4, generator=torch.Generator().manual_seed(0)))
    objective = smooth(SquaredError(), torch.ones(1, 4), 0.7)
    output = torch.full((1, 4), 0.3)
    squares = objective.residuals(target)(output).square().sum(dim=1)  # type: ignore[attr-defined]
    assert torch.allclose(squares, objective.bind(target)(output))
    assert float(objective.bind(target)(output)) == pytest.approx(float((output - target.value).square().mean()) + 0.7 * 0.49)


def test_frames_done_are_kept_when_it_is_stopped() -> None:
    task, parts = tiny_task(), list[list[Track]]()
    settings = RunSettings.table(task, "residual", ["adam"], steps=1)
    for part in follow(task, settings, clip(task), WARM, stop=lambda: len(parts) == 2):
        parts.append(part)
    assert [len(track) for track in joined(parts)] == [2, 2]


def test_it_is_stopped_between_two_steps_of_a_pass() -> None:
    task, asked = tiny_task(), count()
    settings = RunSettings.table(task, "residual", ["adam"], steps=50)
    assert [*follow(task, settings, clip(task), COLD, stop=lambda: next(asked) == 3)] == []
    assert next(asked) == 4, "no step was taken afterwards"


@pytest.mark.parametrize("how", [COLD, WARM])
def test_what_is_done_is_told_before_every_step(how: Following) -> None:
    task = tiny_task()
    settings = RunSettings.table(task, "residual", ["adam"], steps=2)
    shares = [part for part in followed(task, settings, clip(task), how) if isinstance(part, float)]
    assert shares[:3] == [0.0, shares[1], 2 * shares[1]], "each step of each lane is as much"
    assert shares == sorted(shares)
    assert len(shares) == (2 if how is COLD else 5) * 2 * 2
    assert 5 - 5 * shares[1] < shares[-1] < 5


def test_the_prior_s_weight_keeps_frames_nearer() -> None:
    task = tiny_task()
    settings = RunSettings.table(task, "residual", ["lbfgs"], steps=8)
    free, bound = (
        joined([*follow(task, settings.model_copy(update={"prior_weight": weight}), clip(task, 2), COLD)])
        for weight in (0.0, 1.0)
    )
    off = [float((track.x - task.prior.mean).norm()) for track in (free[0], bound[0])]
    assert off[1] < off[0]


def test_smoothness_needs_a_frame_before() -> None:
    with pytest.raises(ValidationError, match="warm"):
        Following(order="cold", smoothness=0.1)
