"""Completions: what is hidden has no say, K starts run as one batch, and diversity is what it claims to be."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from landscape_core.errors import UserError
from landscape_core.features.perceptual import RobustDistance, pooled_differences
from landscape_core.generators.completion import (
    border_effect,
    complete,
    completion_sets,
    completion_settings,
    completion_solver,
    completions,
    diversity,
    hidden_influence,
    pasted,
)
from landscape_core.generators.masks import preset, without_left_half
from landscape_core.search.objectives import LossFunction, PerceptualObjective, SquaredError, Target
from landscape_core.search.task import Task
from tests.tiny.models import tiny_task


@pytest.fixture(scope="module")
def task() -> Task:
    return tiny_task()


@pytest.fixture(scope="module")
def picture(task: Task) -> Tensor:
    x = task.prior.sample(1, torch.Generator().manual_seed(3))
    with torch.no_grad():
        return task.forward(x)


class Pixels(nn.Module):
    """The smallest distance with a mask: pixels as features, so that expected values can be worked out by hand."""

    def features(self, image: Tensor) -> tuple[Tensor, ...]:
        return (image,)

    def distance(self, a: tuple[Tensor, ...], b: tuple[Tensor, ...], mask: Tensor | None = None) -> Tensor:
        return pooled_differences(a, b, mask)[0].sum(dim=1)


def test_k_starts_run_as_one_batch_and_stream(task: Task, picture: Tensor) -> None:
    settings = completion_settings(task, space="residual", steps=3, seed=5)
    seen = list(completions(task, Target(picture, preset("centre", 64)), 4, settings))
    assert [state.step for state in seen] == [0, 1, 2, 3]
    assert all(lane.output.shape == (4, 3, 64, 64) for state in seen for lane in state.lanes)
    starts = seen[0].lanes
    assert all(len(lane.variable.unique(dim=0)) == 4 for lane in starts)  # four different starts in X and in Z
    assert all((lane.best_loss <= start.loss).all() for lane, start in zip(seen[-1].lanes, starts, strict=True))


def test_the_same_seed_repeats_and_another_differs(task: Task, picture: Tensor) -> None:
    mask = preset("mouth", 64)

    def last(seed: int) -> Tensor:
        settings = completion_settings(task, space="paper", steps=2, seed=seed)
        return complete(task, Target(picture, mask), 2, settings).lanes[1].losses[-1]

    assert torch.equal(last(1), last(1))
    assert not torch.equal(last(1), last(2))


def test_stop_keeps_what_is_there(task: Task, picture: Tensor) -> None:
    calls = iter([False, True])
    settings = completion_settings(task, space="residual", steps=50)
    trajectory = complete(task, Target(picture, preset("eyes", 64)), 2, settings, stop=lambda: next(calls))
    assert trajectory.steps == [0, 1]


def test_hidden_pixels_of_the_target_cannot_change_a_run(task: Task, picture: Tensor) -> None:
    mask = without_left_half(64)
    settings = completion_settings(task, space="residual", steps=2)
    vandalised = torch.where(mask.bool(), picture, torch.rand(picture.shape, generator=torch.Generator().manual_seed(0)))
    a, b = (complete(task, Target(p, mask), 2, settings) for p in (picture, vandalised))
    assert torch.equal(a.lanes[0].variables[-1], b.lanes[0].variables[-1])
    assert torch.equal(a.lanes[1].losses[-1], b.lanes[1].losses[-1])


@pytest.mark.parametrize("distance", [Pixels(), RobustDistance((8, 8, 8, 8)).eval()])
def test_hidden_pixels_of_the_output_cannot_reach_the_loss(distance: nn.Module, picture: Tensor) -> None:
    target = Target(picture, preset("centre", 64)).repeat(2)
    output = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    assert hidden_influence(PerceptualObjective(distance), target, output) == 0.0


def test_an_objective_that_lets_hidden_pixels_in_is_found_out(picture: Tensor) -> None:
    class ForgetfulSquaredError(SquaredError):
        def bind(self, target: Target) -> LossFunction:
            return super().bind(Target(target.value))

    target = Target(picture, preset("centre", 64)).repeat(2)
    assert hidden_influence(ForgetfulSquaredError(), target, target.value) > 0.1


def test_bad_requests_are_sentences(task: Task, picture: Tensor) -> None:
    settings = completion_settings(task, space="residual")
    with pytest.raises(UserError, match="Nothing is hidden"):
        completion_solver(task, Target(picture, torch.ones(1, 1, 64, 64)), 4, settings)
    with pytest.raises(UserError, match="between 2 and 64"):
        completion_solver(task, Target(picture, preset("eyes", 64)), 1, settings)
    with pytest.raises(UserError, match="no space 'nowhere'"):
        completion_solver(task, Target(picture, preset("eyes", 64)), 2, settings.in_space("nowhere"))


def test_pasting_keeps_the_visible_part_exactly(picture: Tensor) -> None:
    mask, made = without_left_half(64), torch.zeros(3, 3, 64, 64)
    whole = pasted(made, picture, mask)
    assert torch.equal(whole[1, :, :, 32:], picture[0, :, :, 32:])
    assert whole[:, :, :, :32].abs().max() == 0


def test_diversity_counts_pairs_in_the_hidden_region_only() -> None:
    mask = without_left_half(8)
    pictures = torch.zeros(3, 3, 8, 8)
    pictures[1, 0, :, :4] = 1.0  # hidden part: pairs (0, 1) and (1, 2) differ by 1 in one channel, (0, 2) by nothing
    assert diversity(Pixels(), pictures, mask) == pytest.approx(2 / 3)
    pictures[2, :, :, 4:] = 5.0  # differences in the visible part count for nothing
    assert diversity(Pixels(), pictures, mask) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="two pictures"):
        diversity(Pixels(), pictures[:1], mask)


def test_sets_sort_by_visible_loss_and_report_both_numbers(task: Task, picture: Tensor) -> None:
    mask = preset("left-half", 64)
    objective = PerceptualObjective(Pixels())
    settings = completion_settings(task, space="residual", steps=1)
    target = Target(picture, mask)
    solver, starts = completion_solver(task, target, 3, settings)
    state = solver.step(solver.init(starts))
    x, z = completion_sets(replace(task, objective=objective), solver.lanes, state, target)
    assert (x.name, z.name) == ("X", "Z")
    assert sorted(z.losses.tolist()) == [float(z.losses[i]) for i in z.order]
    assert z.fidelity == pytest.approx(float(state.lanes[1].loss.mean()))
    assert z.diversity == pytest.approx(diversity(Pixels(), state.lanes[1].output, mask))
    with pytest.raises(UserError, match="perceptual"):
        completion_sets(replace(task, objective=SquaredError()), solver.lanes, state, target)


def test_the_border_effect_has_the_reach_of_the_features() -> None:
    class Blur(Pixels):
        """A receptive field of 5 pixels: two to each side."""

        def features(self, image: Tensor) -> tuple[Tensor, ...]:
            return (nn.functional.avg_pool2d(image, 5, stride=1, padding=2, count_include_pad=False),)

    pictures = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) + 1.0
    effect = border_effect(Blur(), pictures, without_left_half(32), edges=(0, 1, 2, 8, 16, 99))
    one, two, beyond, far, nothing = effect.rings
    assert one is not None
    assert two is not None
    assert one > two > 0.01
    assert beyond == pytest.approx(0.0, abs=1e-10)
    assert far == pytest.approx(0.0, abs=1e-10)
    assert nothing is None
    assert effect.share == pytest.approx(effect.overall / effect.against)
    assert border_effect(Pixels(), pictures, without_left_half(32)).overall == 0.0  # no receptive field, no leak
