"""The solver: closed forms, lock-step lanes, states as values, stopping."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from landscape_core.errors import UserError
from landscape_core.search.levenberg_marquardt import LevenbergMarquardt
from landscape_core.search.objectives import SquaredError, Target
from landscape_core.search.optimizers import LBFGS, Adam, GradientDescent, RampedAdam
from landscape_core.search.race import starts_in
from landscape_core.search.solver import Lane, LaneState, Solver, StopReason
from landscape_core.search.spaces import Prior, XSpace
from landscape_core.search.task import Task
from landscape_core.search.trajectory import passed, run, states
from landscape_core.search.updates import RETRIES, Optimizer
from landscape_core.threads import Threads
from tests.tiny.models import tiny_task

ALL = [GradientDescent(0.5), Adam(0.1), RampedAdam(0.1, steps=12), LBFGS()]


@pytest.fixture(scope="module")
def task() -> Task:
    return tiny_task()


def race(
    task: Task, optimizer: Optimizer, n: int = 2, steps: int = 12, threads: Threads | None = None
) -> tuple[Solver, list[Tensor]]:
    random = torch.Generator().manual_seed(5)
    pictures = task.forward(task.prior.sample(n, random))
    lanes = [Lane("X", task.space("X"), optimizer), Lane("Z", task.space("residual"), optimizer)]
    solver = Solver(task.forward, task.objective, Target(pictures), lanes, max_steps=steps, threads=threads)
    return solver, starts_in([lane.space for lane in lanes], task, "random", solver.target, 6)


def test_linear_model_reaches_the_least_squares_solution() -> None:
    torch.manual_seed(0)
    forward = nn.Linear(5, 8).requires_grad_(False)
    prior = Prior(torch.zeros(5), torch.eye(5))
    y = torch.randn(3, 8)
    space = XSpace(prior)
    solver = Solver(forward, SquaredError(), Target(y), [Lane("X", space, LBFGS())], max_steps=100)
    trajectory = run(solver, [space.mean_start(3)])
    best = torch.linalg.lstsq(forward.weight, (y - forward.bias).T).solution.T
    assert torch.allclose(trajectory.last.lanes[0].best_variable, best, atol=1e-3)


def test_losses_at_step_zero_are_those_of_the_start(task: Task) -> None:
    solver, starts = race(task, Adam())
    state = solver.init(starts)
    for lane, start, now in zip(solver.lanes, starts, state.lanes, strict=True):
        expected = task.objective.bind(solver.target)(task.forward(lane.space.to_x(start)))
        assert torch.allclose(now.loss, expected, atol=1e-6)
        assert torch.allclose(now.output, task.forward(lane.space.to_x(start)), atol=1e-5)


@pytest.mark.parametrize("optimizer", ALL, ids=lambda o: type(o).__name__)
def test_lanes_of_a_race_run_as_they_would_alone(task: Task, optimizer: Optimizer) -> None:
    solver, starts = race(task, optimizer)
    together = run(solver, starts)
    for index, lane in enumerate(solver.lanes):
        alone = run(Solver(task.forward, task.objective, solver.target, [lane], max_steps=12), [starts[index]])
        assert torch.allclose(together.lanes[index].loss_table(), alone.lanes[0].loss_table(), rtol=1e-3, atol=1e-6)


def test_threads_that_share_a_pass_give_the_same_numbers(task: Task) -> None:
    alone, shared = (run(*race(task, LBFGS(), n=5, threads=threads)) for threads in (None, Threads(3)))
    for a, b in zip(alone.lanes, shared.lanes, strict=True):
        assert torch.allclose(a.loss_table(), b.loss_table(), rtol=1e-3, atol=1e-6)
    assert alone.last is not None
    assert shared.last is not None
    assert torch.allclose(alone.last.lanes[1].output, shared.last.lanes[1].output, atol=1e-3)


@pytest.mark.parametrize(("n", "parts"), [(5, [3, 3, 4]), (2, [4]), (1, [2])])
def test_a_pass_is_divided_among_threads_where_each_gets_enough(task: Task, n: int, parts: list[int]) -> None:
    solver, starts = race(task, Adam(), n=n, threads=Threads(3))
    sizes = []
    with task.forward.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0]))):
        solver.init(starts)
    assert sorted(sizes) == parts


def test_one_sample_does_not_depend_on_the_rest_of_its_batch(task: Task) -> None:
    solver, starts = race(task, Adam(), n=3)
    together = run(solver, starts)
    lone = Solver(task.forward, task.objective, solver.target.select(slice(1, 2)), solver.lanes, max_steps=12)
    alone = run(lone, [start[1:2] for start in starts])
    for a, b in zip(together.lanes, alone.lanes, strict=True):
        assert torch.allclose(a.loss_table()[:, 1:2], b.loss_table(), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("optimizer", ALL, ids=lambda o: type(o).__name__)
def test_a_kept_state_resumes_with_the_same_numbers(task: Task, optimizer: Optimizer) -> None:
    solver, starts = race(task, optimizer)
    whole = list(states(solver, solver.init(starts)))
    again = list(states(solver, whole[5]))
    for a, b in zip(whole[5:], again, strict=True):
        for one, other in zip(a.lanes, b.lanes, strict=True):
            assert torch.equal(one.variable, other.variable)
            assert torch.equal(one.loss, other.loss)


def test_learning_rate_can_change_mid_run(task: Task) -> None:
    solver, starts = race(task, GradientDescent(0.5))
    state = solver.init(starts)
    slow = solver.with_lanes([Lane(lane.name, lane.space, GradientDescent(0.1)) for lane in solver.lanes])
    moved = slow.step(state)
    for before, after in zip(state.lanes, moved.lanes, strict=True):
        assert torch.allclose(after.variable, before.variable - 0.1 * before.gradient)


def test_best_so_far_is_the_minimum_of_the_curve(task: Task) -> None:
    solver, starts = race(task, Adam(0.5))
    trajectory = run(solver, starts)
    for record, now in zip(trajectory.lanes, trajectory.last.lanes, strict=True):
        losses = record.loss_table()
        assert torch.equal(now.best_loss, losses.min(dim=0).values)
        assert torch.equal(now.best_step, losses.argmin(dim=0))
        best = torch.stack(record.variables)[now.best_step, torch.arange(2)]
        assert torch.equal(now.best_variable, best)


class Exploding(nn.Module):
    """Finite, except where an input's first coordinate passes 1."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x[:, :1] > 1.0, torch.full_like(x, float("nan")), x)


def test_a_sample_that_goes_non_finite_stops_and_the_others_go_on() -> None:
    space = XSpace(Prior(torch.zeros(2), torch.eye(2)))
    target = Target(torch.tensor([[5.0, 0.0], [-5.0, 0.0]]))
    solver = Solver(Exploding(), SquaredError(), target, [Lane("X", space, GradientDescent(0.1))], max_steps=60)
    trajectory = run(solver, [space.mean_start(2)])
    lane = trajectory.last.lanes[0]
    assert lane.alive.tolist() == [False, True]
    assert torch.isfinite(lane.variable).all()
    assert torch.isfinite(lane.loss).all()
    assert lane.variable[0, 0] <= 1.0
    assert lane.variable[1, 0] == pytest.approx(-5.0, abs=0.05)
    assert solver.done(trajectory.last) is StopReason.STEP_LIMIT


def test_when_every_sample_has_stopped_the_run_says_so() -> None:
    space = XSpace(Prior(torch.zeros(2), torch.eye(2)))
    target = Target(torch.tensor([[5.0, 0.0]]))
    solver = Solver(Exploding(), SquaredError(), target, [Lane("X", space, GradientDescent(1.0))], max_steps=60)
    trajectory = run(solver, [space.mean_start(1)])
    assert solver.done(trajectory.last) is StopReason.ALL_STOPPED
    assert trajectory.last.step < 60


class Logarithm(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.log()


def inside_the_domain(optimizer: Optimizer, starts: list[float], steps: int = 40) -> LaneState:
    """F = log x searched for -3, from starts whose first full steps leave its domain."""
    space = XSpace(Prior(torch.zeros(1), torch.eye(1)))
    target = Target(torch.full((len(starts), 1), -3.0))
    solver = Solver(Logarithm(), SquaredError(), target, [Lane("X", space, optimizer)], max_steps=steps)
    trajectory = run(solver, [torch.tensor(starts)[:, None]])
    assert torch.isfinite(trajectory.lanes[0].loss_table()).all()
    return trajectory.last.lanes[0]


@pytest.mark.parametrize("optimizer", [LBFGS(), LBFGS(history=100), LevenbergMarquardt()], ids=str)
def test_a_step_out_of_the_domain_is_a_step_too_long(optimizer: Optimizer) -> None:
    lane = inside_the_domain(optimizer, [0.3, 2.0, 0.05])
    assert lane.alive.all()
    assert lane.best_variable[:, 0].tolist() == pytest.approx([math.exp(-3.0)] * 3, rel=1e-3)
    alone = inside_the_domain(optimizer, [0.3])
    assert torch.equal(alone.best_variable[0], lane.best_variable[0])


@pytest.mark.parametrize("optimizer", [GradientDescent(1.0), Adam(0.5)], ids=str)
def test_gradient_steps_out_of_the_domain_end_the_sample(optimizer: Optimizer) -> None:
    lane = inside_the_domain(optimizer, [0.3])
    assert not lane.alive.any()
    assert torch.isfinite(lane.variable).all()


@pytest.mark.parametrize("optimizer", [LBFGS(), LevenbergMarquardt()], ids=str)
def test_a_sample_without_a_finite_neighbour_is_given_up_in_the_end(optimizer: Optimizer) -> None:
    class Island(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.where(x == 0.0, x, torch.full_like(x, torch.nan)) + x

    space = XSpace(Prior(torch.zeros(2), torch.eye(2)))
    solver = Solver(Island(), SquaredError(), Target(torch.ones(1, 2)), [Lane("X", space, optimizer)], max_steps=200)
    trajectory = run(solver, [space.mean_start(1)])
    assert solver.done(trajectory.last) is StopReason.ALL_STOPPED
    assert trajectory.last.step == RETRIES + 1
    assert float(trajectory.last.lanes[0].best_loss) == 1.0


def test_levenberg_marquardt_is_refused_where_it_cannot_work(task: Task) -> None:
    lane = Lane("X", task.space("X"), LevenbergMarquardt())
    pictures = task.forward(task.prior.sample(1, torch.Generator().manual_seed(0)))
    with pytest.raises(UserError, match="sum of squares"):
        Solver(task.forward, task.objective, Target(pictures), [lane])
    wide = XSpace(Prior(torch.zeros(129), torch.eye(129)))
    with pytest.raises(UserError, match="at most 128 numbers, and here are 129"):
        Solver(nn.Identity(), SquaredError(), Target(torch.zeros(1, 129)), [Lane("X", wide, LevenbergMarquardt())])


def test_stop_takes_effect_within_one_step(task: Task) -> None:
    solver, starts = race(task, Adam())
    asked = []
    trajectory = run(solver, starts, stop=lambda: asked.append(0) or len(asked) > 3)
    assert trajectory.last.step == 3


def test_starts_of_the_wrong_shape_are_refused(task: Task) -> None:
    solver, starts = race(task, Adam())
    with pytest.raises(ValueError, match="lane Z needs starts"):
        solver.init([starts[0], starts[1][:, :3]])


def test_passing_is_told_in_steps_and_time() -> None:
    from landscape_core.search.trajectory import LaneRecord, Trajectory

    def record(name: str, losses: list[float], second: float) -> LaneRecord:
        n = len(losses)
        return LaneRecord(name, [], [torch.tensor([v]) for v in losses], [second * (i + 1) for i in range(n)])

    trajectory = Trajectory([record("X", [9.0, 8, 7, 6, 5, 4], 1.0), record("Z", [9.0, 4, 3, 2, 1, 1], 1.5)], list(range(6)))
    result = passed(trajectory, fast="Z", slow="X", at_step=5)
    assert result.steps == 1
    assert result.times_less_time == pytest.approx(6.0 / 3.0)
    assert passed(trajectory, fast="X", slow="Z", at_step=2) is None


@pytest.mark.parametrize("kind", ["mean", "random", "encoder"])
def test_starts_mean_what_they_say(task: Task, kind: str) -> None:
    target = Target(task.forward(task.prior.sample(3, torch.Generator().manual_seed(9))))
    spaces = [task.space("X"), task.space("residual")]
    inputs = [space.to_x(start) for space, start in zip(spaces, starts_in(spaces, task, kind, target, 0), strict=True)]
    assert torch.allclose(*inputs, atol=1e-2)  # both lanes begin with the same picture
    if kind == "mean":
        assert torch.allclose(inputs[0], task.prior.mean.expand(3, -1))
    if kind == "encoder":
        assert torch.allclose(inputs[0], task.encode(target.value), atol=1e-5)
    if kind == "random":
        same_number = task.prior.sample(3, torch.Generator().manual_seed(0))
        assert (inputs[0] - same_number).abs().max() > 1e-3  # a target drawn with seed 0 is not where seed 0 starts
        assert (inputs[0][0] - inputs[0][1]).abs().max() > 1e-3
        again = starts_in(spaces, task, kind, target, 1)
        assert (spaces[0].to_x(again[0]) - inputs[0]).abs().max() > 1e-3
