"""The record of a run: every step's variable, loss and time, in every lane."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from landscape_core.search.solver import Solver, State


@dataclass
class LaneRecord:
    """One lane's history: variables (B, dim), losses (B,) and the lane's seconds, one entry per recorded step."""

    name: str
    variables: list[Tensor] = field(default_factory=list)
    losses: list[Tensor] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def loss_table(self) -> Tensor:
        """(steps, B)."""
        return torch.stack(self.losses)

    def best_so_far(self) -> Tensor:
        """(steps, B): the lowest loss up to each step."""
        return torch.cummin(self.loss_table(), dim=0).values


@dataclass
class Trajectory:
    """Every recorded step of a run; `last` is where it stands."""

    lanes: list[LaneRecord]
    steps: list[int] = field(default_factory=list)
    last: State | None = None

    @staticmethod
    def empty(names: Sequence[str]) -> Trajectory:
        """The record of no steps yet, of lanes of these names."""
        return Trajectory([LaneRecord(name) for name in names])

    def record(self, state: State) -> None:
        """Append a state. Cheap: tensors are kept, not copied."""
        for lane, now in zip(self.lanes, state.lanes, strict=True):
            lane.variables.append(now.variable)
            lane.losses.append(now.loss)
            lane.seconds.append(now.seconds)
        self.steps.append(state.step)
        self.last = state

    def lane(self, name: str) -> LaneRecord:
        """The lane of that name; KeyError where there is none."""
        for lane in self.lanes:
            if lane.name == name:
                return lane
        raise KeyError(name)

    def pair(self, x: str, z: str) -> Trajectory:
        """The record of two lanes alone, called "X" and "Z": what a plane, a surface or a comparison of spaces takes."""
        kept = [self.lane(x), self.lane(z)]
        places = [[lane.name for lane in self.lanes].index(name) for name in (x, z)]
        lanes = [LaneRecord(name, lane.variables, lane.losses, lane.seconds) for name, lane in zip("XZ", kept, strict=True)]
        last = None if self.last is None else State(self.last.step, tuple(self.last.lanes[i] for i in places))
        return Trajectory(lanes, self.steps, last)

    def sample(self, index: int) -> Trajectory:
        """The record of one sample of the batch (B = 1), without the optimisers' state."""

        def one(lane: LaneRecord) -> LaneRecord:
            part = slice(index, index + 1)
            return LaneRecord(lane.name, [v[part] for v in lane.variables], [v[part] for v in lane.losses], [*lane.seconds])

        return Trajectory([one(lane) for lane in self.lanes], [*self.steps])

    def thinned(self, most: int, *, also: int | None = None) -> Trajectory:
        """At most about `most` of the steps, evenly spaced, the first, the last and step `also` among them."""
        keep = sorted({*evenly(len(self.steps), most), *(i for i, step in enumerate(self.steps) if step == also)})

        def thin(lane: LaneRecord) -> LaneRecord:
            variables, losses = ([values[i] for i in keep] for values in (lane.variables, lane.losses))
            return LaneRecord(lane.name, variables, losses, [lane.seconds[i] for i in keep])

        return Trajectory([thin(lane) for lane in self.lanes], [self.steps[i] for i in keep], self.last)


def evenly(n: int, most: int) -> list[int]:
    """At most about `most` of the places 0 … n - 1, evenly spaced, the first and the last among them."""
    return sorted({*range(0, n, max(1, -(-(n - 1) // (most - 1)))), n - 1})


def states(solver: Solver, state: State, *, stop: Callable[[], bool] = lambda: False) -> Iterator[State]:
    """The given state and every later one until the solver is done or `stop()` says so, asked before each step."""
    yield state
    while solver.done(state) is None and not stop():
        state = solver.step(state)
        yield state


def run(solver: Solver, starts: Sequence[Tensor], *, stop: Callable[[], bool] = lambda: False) -> Trajectory:
    """Solve to the end, or until `stop()` says so, asked before each step, and return the whole record.

    Raises:
        ValueError: the starts, one (B, dim) a lane, do not match the lanes or the target.
    """
    trajectory = Trajectory.empty([lane.name for lane in solver.lanes])
    for state in states(solver, solver.init(starts), stop=stop):
        trajectory.record(state)
    return trajectory


@dataclass(frozen=True)
class Passed:
    """When one lane got below where another ended or stood: after how many steps, and by what factor sooner in seconds."""

    steps: int
    times_less_time: float


def passed(trajectory: Trajectory, *, fast: str, slow: str, at_step: int, sample: int = 0) -> Passed | None:
    """When lane `fast` first reached lane `slow`'s loss at step `at_step`, both best-so-far; None if it never did.

    Times compare the seconds each lane had cost by then; a start already as good counts as one evaluation.
    """
    a, b = trajectory.lane(fast), trajectory.lane(slow)
    index = trajectory.steps.index(at_step)
    goal = float(b.best_so_far()[index, sample])
    below = (a.best_so_far()[:, sample] <= goal).nonzero()
    if len(below) == 0:
        return None
    first = int(below[0, 0])
    return Passed(trajectory.steps[first], b.seconds[index] / a.seconds[first])
