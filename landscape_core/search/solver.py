"""The solver: x̂ = argmin L(F(x), y) by steps that anybody can drive (`init`, `step`, `done`).

A *lane* is a search space with an optimiser. One lane is an inversion; several lanes are a race: they advance
in lock-step on the same targets and share one batched pass through F. A state is a value: step it, keep
it, step it again and the same numbers come out.

A lane whose optimiser asks for it is also linearised where it stands (`gauss_newton`); the other lanes do not pay for that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial

import torch
from torch import Tensor, nn

from landscape_core.errors import UserError
from landscape_core.search.gauss_newton import check_least_squares, gauss_newton
from landscape_core.search.objectives import Objective, Target, nothing
from landscape_core.search.passes import Pass
from landscape_core.search.spaces import SearchSpace
from landscape_core.search.updates import Optimizer, OptimizerState, Point
from landscape_core.threads import Threads


class StopReason(Enum):
    """Why a run ended. The value is a sentence for people."""

    STEP_LIMIT = "The step limit was reached."
    ALL_STOPPED = "Every sample has stopped."


@dataclass(frozen=True)
class Lane:
    """One way of searching. `name` is what results call it."""

    name: str
    space: SearchSpace
    optimizer: Optimizer


@dataclass(frozen=True)
class LaneState:
    """Where a lane stands: everything evaluated at `variable`, plus the best so far.

    variable, gradient (B, dim) · loss (B,) · output (B, ...), all where the loss last was finite · failed (B,) trial points
    since then · alive (B,) False once these were more than the optimiser takes back · seconds this lane has cost so far, the
    shared pass counted at its share.
    """

    variable: Tensor
    loss: Tensor
    gradient: Tensor
    output: Tensor
    optimizer: OptimizerState
    best_loss: Tensor
    best_variable: Tensor
    best_step: Tensor
    failed: Tensor
    alive: Tensor
    seconds: float = 0.0

    @property
    def jacobians(self) -> Tensor:
        """How many Jacobians of F each sample (B,) has cost besides its evaluations; each is as many forward passes as the
        variable has numbers."""
        return self.optimizer.get("jacobians", torch.zeros_like(self.failed))


@dataclass(frozen=True)
class State:
    """All lanes after `step` updates, which took `step + 1` evaluations of F per lane and sample."""

    step: int
    lanes: tuple[LaneState, ...]

    @property
    def evaluations(self) -> int:
        """Evaluations of F (forward and backward) per lane and sample."""
        return self.step + 1


@dataclass(frozen=True)
class _Evaluation:
    loss: Tensor
    gradient: Tensor
    output: Tensor
    seconds: float


class Solver:
    """Descends in every lane at once. Immutable: change a setting with `with_lanes` and go on from any state."""

    def __init__(
        self, forward: nn.Module, objective: Objective, target: Target, lanes: Sequence[Lane], *, max_steps: int = 200,
        input_term: Callable[[Tensor], Tensor] = nothing, threads: Threads | None = None,
    ) -> None:  # fmt: skip
        """Every lane's loss is L(F(x), y) + input_term(x). The threads, where there are any, share every pass of F.

        Raises UserError where an optimiser wants a sum of squares, or few enough numbers, and the problem is not so."""
        if not lanes:
            raise ValueError("a solver needs at least one lane")
        for lane in lanes:
            if lane.optimizer.needs_jacobian:
                check_least_squares(objective, lane.space)
                if input_term is not nothing:
                    raise UserError("Levenberg-Marquardt takes no term for the prior; choose L-BFGS or Adam.")
        self.forward = forward
        self.objective = objective
        self.target = target
        self.lanes = tuple(lanes)
        self.max_steps = max_steps
        self.input_term = input_term
        self.threads = threads
        self._pass = Pass(forward, objective, target.repeat(len(self.lanes)), input_term, threads)

    def with_lanes(self, lanes: Sequence[Lane], *, max_steps: int | None = None) -> Solver:
        """The same problem searched otherwise; the number and spaces of the lanes stay as they are."""
        problem, steps = (self.forward, self.objective, self.target), max_steps or self.max_steps
        return Solver(*problem, lanes, max_steps=steps, input_term=self.input_term, threads=self.threads)

    def init(self, starts: Sequence[Tensor]) -> State:
        """Evaluate the starting variables, one (B, dim) per lane: step 0.

        Raises:
            ValueError: the starts do not match the lanes or the target.
        """
        for lane, start in zip(self.lanes, starts, strict=True):
            if start.shape != (len(self.target), lane.space.dim):
                raise ValueError(
                    f"lane {lane.name} needs starts of shape {(len(self.target), lane.space.dim)}, got {tuple(start.shape)}"
                )
        evaluations = self._evaluate(starts)
        states = [_first(lane, start, e) for lane, start, e in zip(self.lanes, starts, evaluations, strict=True)]
        return State(0, tuple(states))

    def step(self, state: State) -> State:
        """One update in every lane, then one evaluation of F where it led."""
        moves = [self._move(lane, s, state.step) for lane, s in zip(self.lanes, state.lanes, strict=True)]
        evaluations = self._evaluate([variable for variable, _, _ in moves])
        parts = zip(self.lanes, state.lanes, moves, evaluations, strict=True)
        lanes = [_advance(s, move, e, state.step + 1, lane.optimizer.retries) for lane, s, move, e in parts]
        return State(state.step + 1, tuple(lanes))

    def done(self, state: State) -> StopReason | None:
        """Why there is no further step to take, or None."""
        if not any(bool(lane.alive.any()) for lane in state.lanes):
            return StopReason.ALL_STOPPED
        return StopReason.STEP_LIMIT if state.step >= self.max_steps else None

    def _move(self, lane: Lane, state: LaneState, step: int) -> tuple[Tensor, OptimizerState, float]:
        started = time.perf_counter()
        hessian = partial(gauss_newton, self.forward, self.objective, self.target, lane.space, state.variable)
        loss = torch.where(state.failed > 0, torch.inf, state.loss)
        at = Point(state.variable, loss, state.gradient, hessian if lane.optimizer.needs_jacobian else None)
        variable, optimizer = lane.optimizer.update(state.optimizer, at, step)
        variable = torch.where(state.alive[:, None], variable, state.variable)
        return variable, optimizer, time.perf_counter() - started

    def _evaluate(self, variables: Sequence[Tensor]) -> list[_Evaluation]:
        """Loss, gradient and output of every lane through one pass of F.

        The pass stops at x, where lanes are concatenated, and each lane goes on alone from there: so its
        own cost (Θ forward and backward) can be told from the shared one.
        """
        leaves, inputs, own = [], [], []
        for lane, variable in zip(self.lanes, variables, strict=True):
            started = time.perf_counter()
            leaf = variable.detach().requires_grad_()
            with torch.enable_grad():
                inputs.append(lane.space.to_x(leaf))
            leaves.append(leaf)
            own.append(time.perf_counter() - started)
        started = time.perf_counter()
        gradient, loss, output = self._pass(torch.cat([i.detach() for i in inputs]))
        shared = (time.perf_counter() - started) / len(self.lanes)
        sizes = [len(variable) for variable in variables]
        parts = zip(leaves, inputs, own, *(t.split(sizes) for t in (gradient, loss, output)), strict=True)
        evaluations = []
        for leaf, entry, seconds, part, part_loss, part_output in parts:
            started = time.perf_counter()
            (pulled,) = torch.autograd.grad(entry, leaf, part)
            seconds += shared + time.perf_counter() - started
            evaluations.append(_Evaluation(part_loss, pulled, part_output, seconds))
        return evaluations


def _finite(e: _Evaluation) -> Tensor:
    return torch.isfinite(e.loss) & torch.isfinite(e.gradient).all(dim=1)


def _first(lane: Lane, start: Tensor, e: _Evaluation) -> LaneState:
    alive = _finite(e)
    return LaneState(
        variable=start.detach(),
        loss=e.loss,
        gradient=e.gradient,
        output=e.output,
        optimizer=lane.optimizer.init(start.detach()),
        best_loss=e.loss,
        best_variable=start.detach(),
        best_step=torch.zeros(len(start), dtype=torch.long, device=start.device),
        failed=(~alive).long(),
        alive=alive,
        seconds=e.seconds,
    )


def _advance(
    state: LaneState, move: tuple[Tensor, OptimizerState, float], e: _Evaluation, step: int, retries: int
) -> LaneState:
    """The evaluation taken over where it is finite; where it is not, the sample keeps its last finite one, and is given up
    after as many failures in a row as its optimiser takes back."""
    variable, optimizer, seconds = move
    taken = state.alive & _finite(e)
    failed = torch.where(taken, 0, state.failed + 1)

    def take(new: Tensor, old: Tensor) -> Tensor:
        return torch.where(taken.reshape(-1, *[1] * (new.dim() - 1)), new, old)

    loss = take(e.loss, state.loss)
    better = taken & (loss < state.best_loss)
    return replace(
        state,
        variable=take(variable, state.variable),
        loss=loss,
        gradient=take(e.gradient, state.gradient),
        output=take(e.output, state.output),
        optimizer=optimizer,
        best_loss=torch.where(better, loss, state.best_loss),
        best_variable=torch.where(better[:, None], variable, state.best_variable),
        best_step=torch.where(better, torch.full_like(state.best_step, step), state.best_step),
        failed=failed,
        alive=state.alive & (failed <= retries),
        seconds=state.seconds + seconds + e.seconds,
    )
