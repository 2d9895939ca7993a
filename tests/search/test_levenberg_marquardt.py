"""Levenberg-Marquardt against closed forms and SciPy's, alone and in a race, and its Jacobians against autograd's."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares
from torch import Tensor, nn

from landscape_core.pose.task import Observation, load_pose_task
from landscape_core.search.gauss_newton import gauss_newton
from landscape_core.search.levenberg_marquardt import LevenbergMarquardt
from landscape_core.search.objectives import SquaredError, Target
from landscape_core.search.optimizers import LBFGS, Adam, OptimizerSettings
from landscape_core.search.solver import Lane, LaneState, Solver
from landscape_core.search.spaces import Prior, XSpace
from landscape_core.search.task import X
from landscape_core.search.trajectory import Trajectory, run, states
from tests.tiny.models import tiny_task


class Rosenbrock(nn.Module):
    """Residuals (10 (x₂ - x₁²), 1 - x₁)."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([10.0 * (x[:, 1] - x[:, 0].square()), 1.0 - x[:, 0]], dim=1)


def searched(forward: nn.Module, starts: Tensor, target: Target, steps: int, damping: float = 1e-3) -> Trajectory:
    space = XSpace(Prior(torch.zeros_like(starts[0]), torch.eye(starts.shape[1])))
    solver = Solver(forward, SquaredError(), target, [Lane(X, space, LevenbergMarquardt(damping))], max_steps=steps)
    return run(solver, [starts])


def lane_of(trajectory: Trajectory) -> LaneState:
    assert trajectory.last is not None
    return trajectory.last.lanes[0]


def test_one_undamped_step_solves_linear_least_squares() -> None:
    torch.manual_seed(0)
    forward = nn.Linear(5, 9).double().requires_grad_(False)
    y = torch.randn(3, 9, dtype=torch.float64)
    lane = lane_of(searched(forward, torch.randn(3, 5, dtype=torch.float64), Target(y), 1, damping=0.0))
    best = torch.linalg.lstsq(forward.weight, (y - forward.bias).T).solution.T
    assert torch.allclose(lane.variable, best, atol=1e-10)


def test_rosenbrock_s_valley_takes_a_few_steps() -> None:
    starts = torch.tensor([[-1.2, 1.0], [3.0, -2.0]], dtype=torch.float64)
    lane = lane_of(searched(Rosenbrock(), starts, Target(torch.zeros(2, 2, dtype=torch.float64)), 40))
    assert torch.allclose(lane.best_variable, torch.ones(2, 2, dtype=torch.float64), atol=1e-6)


def problem(seed: int) -> tuple[nn.Module, Tensor, Tensor]:
    """A small smooth network, starts (4, 3) and targets (4, 7) that it cannot reach."""
    random = torch.Generator().manual_seed(seed)
    forward = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 7)).double().requires_grad_(False)
    for parameter in forward.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=random, dtype=torch.float64))
    starts, targets = (torch.randn(4, n, generator=random, dtype=torch.float64) for n in (3, 7))
    return forward, starts, targets


@pytest.mark.parametrize("seed", range(5))
def test_it_ends_where_scipy_s_ends(seed: int) -> None:
    forward, starts, targets = problem(seed)
    lane = lane_of(searched(forward, starts, Target(targets), 100))
    for start, target, loss in zip(starts, targets, lane.best_loss, strict=True):

        def residuals(x: np.ndarray, target: Tensor = target) -> np.ndarray:
            return (forward(torch.from_numpy(x)[None])[0] - target).numpy()

        theirs = least_squares(residuals, start.numpy(), method="lm", xtol=1e-12, ftol=1e-12)
        assert float(loss) <= 2 * theirs.cost / 7 * (1 + 1e-6) + 1e-12 or theirs.cost * 2 / 7 > 0.9 * float(loss)


def test_the_losses_of_kept_points_never_rise_and_every_other_trial_is_taken_back() -> None:
    forward, starts, targets = problem(0)
    space = XSpace(Prior(torch.zeros(3), torch.eye(3)))
    solver = Solver(forward, SquaredError(), Target(targets), [Lane(X, space, LevenbergMarquardt(1e-6))], max_steps=30)
    kept = [s.lanes[0].optimizer for s in states(solver, solver.init([starts * 3]))]
    for before, after in pairwise(kept[1:]):
        assert (after["base_loss"] <= before["base_loss"] * (1 + 1e-12)).all()
        taken_back = (after["base"] == before["base"]).all(dim=1)
        assert (after["damping"][taken_back] > before["damping"][taken_back]).all()
        assert torch.equal(after["jacobians"] - before["jacobians"], (~taken_back).long())
    assert (kept[-1]["jacobians"] < 30).any(), "no trial was taken back: the test shows nothing"


def test_a_sample_depends_neither_on_its_batch_nor_on_the_other_lanes() -> None:
    forward, starts, targets = problem(1)
    space = XSpace(Prior(torch.zeros(3), torch.eye(3)))
    lanes = [Lane("LM", space, LevenbergMarquardt()), Lane("L-BFGS", space, LBFGS()), Lane("Adam", space, Adam())]
    together = run(Solver(forward, SquaredError(), Target(targets), lanes, max_steps=15), [starts] * 3)
    for i in range(len(starts)):
        alone = searched(forward, starts[i : i + 1], Target(targets[i : i + 1]), 15)
        assert torch.allclose(together.lanes[0].loss_table()[:, i : i + 1], alone.lanes[0].loss_table(), rtol=1e-9)


def test_a_kept_state_resumes_bit_for_bit() -> None:
    forward, starts, targets = problem(2)
    space = XSpace(Prior(torch.zeros(3), torch.eye(3)))
    solver = Solver(forward, SquaredError(), Target(targets), [Lane(X, space, LevenbergMarquardt())], max_steps=12)
    whole = list(states(solver, solver.init([starts])))
    for one, other in zip(whole[5:], states(solver, whole[5]), strict=True):
        assert torch.equal(one.lanes[0].variable, other.lanes[0].variable)
        assert torch.equal(one.lanes[0].jacobians, other.lanes[0].jacobians)


def test_hidden_entries_do_not_count() -> None:
    forward, starts, targets = problem(3)
    mask = torch.ones(4, 7, dtype=torch.float64)
    mask[:, 4:] = 0.0
    spoiled = torch.where(mask > 0, targets, 1e3)
    seen, hidden = (lane_of(searched(forward, starts, Target(value, mask), 10)) for value in (targets, spoiled))
    assert torch.equal(seen.best_loss, hidden.best_loss)


def test_residuals_add_up_to_the_loss() -> None:
    random = torch.Generator().manual_seed(0)
    output, value = torch.randn(2, 3, 4, 5, generator=random, dtype=torch.float64)
    mask = (torch.rand(3, 4, 1, generator=random) > 0.4).double()
    for target in (Target(value), Target(value, mask), Target(value, torch.zeros(3, 4, 1))):
        loss, residuals = SquaredError().bind(target)(output), SquaredError().residuals(target)(output)
        assert residuals.shape == (3, 20)
        assert torch.allclose(residuals.square().sum(dim=1), loss)


@pytest.mark.parametrize("observation", ["rotations", "positions"])
def test_the_matrix_of_a_pose_is_that_of_autograd_s_jacobian(observation: Observation) -> None:
    task = load_pose_task(observation)
    target = task.sampled(3, torch.Generator().manual_seed(0))
    for name in (X, next(iter(task.mappings))):
        space = task.space(name)
        variable = 0.5 * torch.randn(3, space.dim, generator=torch.Generator().manual_seed(1))
        which = torch.tensor([True, False, True])
        found = gauss_newton(task.forward, task.objective, target, space, variable, which)
        assert not found[1].any()
        for i in (0, 2):
            residuals = SquaredError().residuals(target.select(slice(i, i + 1)))
            jacobian = torch.autograd.functional.jacobian(
                lambda v, r=residuals, s=space: r(task.forward(s.to_x(v[None])))[0], variable[i]
            )
            assert torch.allclose(found[i], 2 * jacobian.T @ jacobian, rtol=1e-3, atol=1e-4 * float(found[i].abs().max()))


@pytest.mark.parametrize("observation", ["rotations", "positions"])
def test_a_pose_is_found_in_fewer_steps_than_by_lbfgs(observation: Observation) -> None:
    task = load_pose_task(observation)
    target = task.sampled(4, torch.Generator().manual_seed(2))
    space = task.space(X)
    lanes = [Lane("LM", space, LevenbergMarquardt()), Lane("L-BFGS", space, LBFGS(history=100))]
    found = run(Solver(task.forward, task.objective, target, lanes, max_steps=12), [space.mean_start(4)] * 2)
    ours, theirs = (lane.best_so_far()[-1].log().mean() for lane in found.lanes)
    assert ours < theirs - 1.0


def test_a_task_names_it_only_where_it_can_be_had() -> None:
    pose = load_pose_task("positions")
    assert "levenberg-marquardt" in pose.optimizers(X)
    assert "levenberg-marquardt" not in pose.optimizers("random")  # 512 numbers
    assert pose.optimizers("random") == tiny_task().optimizers(X) == ["gd", "adam", "adam-ramps", "lbfgs"]


def test_its_rate_is_the_inverse_of_the_first_damping() -> None:
    built = [OptimizerSettings(name="levenberg-marquardt", lr=lr).build(10) for lr in (1.0, 10.0)]
    assert built == [LevenbergMarquardt(1e-3), LevenbergMarquardt(1e-4)]
