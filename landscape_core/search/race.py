"""The settings of a race, and the solver and starts that they make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.spaces import SearchSpace, Start
from landscape_core.search.task import Task, X

Perceptual = Literal["embedded", "lpips"]
MAX_STEPS = 2000
# Added to the seed of random starts: a picture that the model drew with the same number must not be one of them.
START_STREAM = 2**31  # seeds end below it, and generators take 32 bits


class RunSettings(BaseModel):
    """Everything a visitor can choose. The same fields are the URL's and the run card's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str = "faces"
    space: str = "residual"
    perceptual: Perceptual = "embedded"
    seed: int = Field(0, ge=0, le=2**31 - 1)
    steps: int = Field(100, ge=1, le=MAX_STEPS)
    start: Start = "mean"
    x: OptimizerSettings = OptimizerSettings()
    z: OptimizerSettings = OptimizerSettings()


def prepare(task: Task, settings: RunSettings, target: Target) -> tuple[Solver, list[Tensor]]:
    """The race of X against the chosen space on a target, and where it starts.

    Raises:
        UserError: the task has no such learned space, or no encoder to start from.
    """
    if settings.start == "encoder" and task.encode is None:
        raise UserError(f"{task.name} has no encoder; start from 'mean' or 'random'.")
    target = target.to(task.device)
    lanes = [
        Lane("X", task.space(X), settings.x.build(settings.steps)),
        Lane("Z", task.learned(settings.space), settings.z.build(settings.steps)),
    ]
    starts = starts_in([lane.space for lane in lanes], task, settings.start, target, settings.seed)
    return Solver(task.forward, task.objective, target, lanes, max_steps=settings.steps), starts


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
