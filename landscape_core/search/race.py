"""The settings of a race, and the solver and starts that they make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.search.objectives import Target
from landscape_core.search.observation import WHOLE
from landscape_core.search.optimizers import OPTIMISER_NAMES, OptimizerName, OptimizerSettings
from landscape_core.search.prior_term import with_prior_term
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.spaces import SearchSpace, Start
from landscape_core.search.task import Task, X
from landscape_core.threads import Threads

Perceptual = Literal["lpips", "robust"]  # LPIPS, or the distance on robust features
DEFAULT_PERCEPTUAL: Perceptual = "lpips"
MAX_STEPS = 2000
MAX_LANES = 8
MAX_PRIOR_WEIGHT = 10.0
Z = "Z"
SEPARATOR = " · "  # between a lane's row and its optimiser
# Added to the seed of random starts: a picture that the model drew with the same number must not be one of them.
START_STREAM = 2**31  # seeds end below it, and generators take 32 bits


class LaneSettings(BaseModel):
    """One way of searching: a space, "X" or a learned one by its name, and the optimiser that descends in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    space: str = X
    optimizer: OptimizerSettings = OptimizerSettings()

    @property
    def row(self) -> str:
        """ "X", or "Z" for a learned space."""
        return X if self.space == X else Z


_ADAM = OptimizerSettings()
_PAIR = (LaneSettings(), LaneSettings(space="residual"))


class RunSettings(BaseModel):
    """Everything a visitor can choose. The same fields are the URL's and the run card's.

    A race is a table: spaces in rows, optimisers in columns, a lane in every cell that is run.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str = "faces"
    lanes: tuple[LaneSettings, ...] = Field(_PAIR, min_length=1, max_length=MAX_LANES)
    perceptual: Perceptual = DEFAULT_PERCEPTUAL
    seed: int = Field(0, ge=0, le=2**31 - 1)
    steps: int = Field(100, ge=1, le=MAX_STEPS)
    start: Start = "mean"
    prior_weight: float = Field(0.0, ge=0.0, le=MAX_PRIOR_WEIGHT)

    @model_validator(mode="after")
    def _no_lane_twice(self) -> RunSettings:
        if len(set(self.lanes)) < len(self.lanes):
            raise ValueError("a race has every lane once")
        return self

    @staticmethod
    def pair(space: str = "residual", x: OptimizerSettings = _ADAM, z: OptimizerSettings = _ADAM, **others: Any) -> RunSettings:
        """One lane in X and one in a learned space."""
        return RunSettings(lanes=(LaneSettings(optimizer=x), LaneSettings(space=space, optimizer=z)), **others)

    @staticmethod
    def table(task: Task, space: str, optimizers: Sequence[OptimizerName], **others: Any) -> RunSettings:
        """X and a learned space by every one of the optimisers, each at the best settings that are known for it. `others` are
        fields of the settings: steps, seed, start, …"""
        start: Start = others.get("start", "mean")
        lanes = [
            LaneSettings(space=row, optimizer=task.advice(row, name, start=start)) for name in optimizers for row in (X, space)
        ]
        return RunSettings(task=task.name, lanes=tuple(lanes), **others)

    @property
    def learned(self) -> list[str]:
        """The learned spaces that are searched, each once."""
        return list(dict.fromkeys(lane.space for lane in self.lanes if lane.row == Z))

    @property
    def space(self) -> str:
        """The learned space that Z stands for: the first one."""
        return next(iter(self.learned), X)

    def in_space(self, space: str) -> RunSettings:
        """The same table with another learned space for Z."""
        lanes = [lane if lane.row == X else lane.model_copy(update={"space": space}) for lane in self.lanes]
        return self.model_copy(update={"lanes": tuple(lanes)})

    @property
    def optimizers(self) -> list[OptimizerName]:
        """The table's columns, each once."""
        return list(dict.fromkeys(lane.optimizer.name for lane in self.lanes))

    def names(self) -> list[str]:
        """What results call the lanes: "X" and "Z" where one optimiser serves both, else "X · Adam", "Z · L-BFGS".

        What else tells two lanes apart is added where there are such: the learned space, the learning rate, a number.
        """
        rows = [lane.row for lane in self.lanes]
        if len(set(rows)) == len(rows) and len(self.optimizers) == 1:
            return rows
        one = len(self.learned) < 2
        words = [lane.row if one or lane.row == X else f"{Z} {lane.space}" for lane in self.lanes]
        each = list(zip(words, self.lanes, strict=True))
        names = [f"{word}{SEPARATOR}{OPTIMISER_NAMES[lane.optimizer.name]}" for word, lane in each]
        rates = [f"{lane.optimizer.lr:g}" for lane in self.lanes]
        names = [name if names.count(name) == 1 else f"{name} {rate}" for name, rate in zip(names, rates, strict=True)]
        return [name if names.count(name) == 1 else f"{name} ({i + 1})" for i, name in enumerate(names)]

    def lane(self, row: str, optimizer: OptimizerName | None = None) -> str | None:
        """The name of the first lane in that row ("X" or "Z"), by that optimiser where one is named; None without one."""
        for name, lane in zip(self.names(), self.lanes, strict=True):
            if lane.row == row and optimizer in (None, lane.optimizer.name):
                return name
        return None


def prepare(
    task: Task, settings: RunSettings, target: Target, threads: Threads | None = None
) -> tuple[Solver, list[Tensor]]:  # fmt: skip
    """The race of all lanes on a target (B, ...), and where it starts, one (B, dim) a lane. The threads, where there are any,
    share its passes of F.

    Raises:
        UserError: the task has no such space, no encoder that could read the target to start from, or a loss that an optimiser
            cannot descend.
    """
    if settings.start == "encoder" and task.encode is None:
        raise UserError(f"{task.name} has no encoder; start from 'mean' or 'random'.")
    if settings.start == "encoder" and target.observation != WHOLE:
        raise UserError("The encoder reads whole pictures, which this observation is not; start from 'mean' or 'random'.")
    task, target = with_prior_term(task, settings.prior_weight), target.to(task.device)
    lanes = [
        Lane(name, task.space(lane.space), lane.optimizer.build(settings.steps))
        for name, lane in zip(settings.names(), settings.lanes, strict=True)
    ]
    starts = starts_in([lane.space for lane in lanes], task, settings.start, target, settings.seed)
    problem = (task.forward, task.objective, target)
    solver = Solver(*problem, lanes, max_steps=settings.steps, input_term=task.input_term, threads=threads)
    return solver, starts


def starts_in(spaces: Sequence[SearchSpace], task: Task, kind: Start, target: Target, seed: int) -> list[Tensor]:
    """Starting variables (B, dim) for every space.

    "mean" is each space's origin. "random" (drawn from the prior by `seed`) and "encoder" are inputs of F, the same
    for every space: a race then starts from the same pictures in all its lanes, as near as each space can reach.
    """
    if kind == "mean":
        return [space.mean_start(len(target)) for space in spaces]
    if kind == "encoder" and task.encode is not None:
        inputs = task.encode(target.value)
    else:
        inputs = task.prior.sample(len(target), torch.Generator().manual_seed(seed + START_STREAM))
    return [space.at(inputs) for space in spaces]
