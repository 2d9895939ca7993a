"""Following a clip: a search for every frame, each lane by itself. Cold, frames start alike and are searched in batches; warm,
one after the other, each from what was found of the frame before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor

from landscape_core.search.objectives import Target
from landscape_core.search.prior_term import with_prior_term
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.smoothness import smooth
from landscape_core.search.task import Task

Order = Literal["cold", "warm"]
MAX_BATCH = 1024
MAX_SMOOTHNESS = 100.0


class Following(BaseModel):
    """How the frames of a clip are gone through. `batch` frames share a pass where they are cold; `smoothness` is the weight λ
    of `smoothness.Smooth`, for warm ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    order: Order = "cold"
    batch: int = Field(64, ge=1, le=MAX_BATCH)
    smoothness: float = Field(0.0, ge=0.0, le=MAX_SMOOTHNESS)

    @model_validator(mode="after")
    def _has_a_frame_before(self) -> Following:
        if self.smoothness and self.order == "cold":
            raise ValueError("smoothness is the distance from the frame before, which only a warm order knows")
        return self


@dataclass(frozen=True)
class Track:
    """What a lane found of n frames in a row: its variables (n, dim), inputs of F (n, d), outputs (n, ...), the losses (n,) of
    what was seen alone, and the seconds that the search took."""

    name: str
    variable: Tensor
    x: Tensor
    output: Tensor
    loss: Tensor
    seconds: float

    def __len__(self) -> int:
        return len(self.loss)

    @property
    def rate(self) -> float:
        """Frames a second."""
        return len(self) / self.seconds


def follow(
    task: Task, settings: RunSettings, clip: Target, how: Following, *, stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[list[Track]]:  # fmt: skip
    """The next frames of a clip (T, ...), as soon as every lane has searched them in `settings.steps` steps; each lane's best
    so far. Whether to stop is asked before every step, and frames under way are dropped then; `clock` is what seconds are told
    by.

    Raises:
        UserError: as `race.prepare`.
    """
    for part in followed(task, settings, clip, how, clock=clock):
        if not isinstance(part, float):
            yield part
        elif stop():
            return


def followed(
    task: Task, settings: RunSettings, clip: Target, how: Following, *, clock: Callable[[], float] = time.perf_counter
) -> Iterator[float | list[Track]]:
    """What `follow` gives, and before every step how many frames' work is done, a number from 0 to T.

    Raises:
        UserError: as `race.prepare`.
    """
    task, clip = with_prior_term(task, settings.prior_weight), clip.to(task.device)
    lanes = [settings.model_copy(update={"lanes": (lane,), "prior_weight": 0.0}) for lane in settings.lanes]
    warm = how.order == "warm"
    stride = 1 if warm else how.batch
    before: list[Track | None] = [None] * len(lanes)
    for first in range(0, len(clip), stride):
        frames, found = clip.select(slice(first, first + stride)), list[Track]()
        for name, lane, last in zip(settings.names(), lanes, before, strict=True):
            for part in _searched(name, task, lane, frames, last, how.smoothness, clock):
                if isinstance(part, Track):
                    found.append(part)
                else:
                    yield first + len(frames) * (len(found) + part) / len(lanes)
        before = [*found] if warm else before
        yield found


def joined(parts: Sequence[Sequence[Track]]) -> list[Track]:
    """What `follow` gave piece by piece as one track a lane."""
    return [_joined(tracks) for tracks in zip(*parts, strict=True)]


def _joined(tracks: Sequence[Track]) -> Track:
    fields = ([getattr(track, name) for track in tracks] for name in ("variable", "x", "output", "loss"))
    variable, x, output, loss = (torch.cat(field) for field in fields)
    return Track(tracks[0].name, variable, x, output, loss, sum(track.seconds for track in tracks))


def _searched(
    name: str, task: Task, settings: RunSettings, frames: Target, before: Track | None, smoothness: float,
    clock: Callable[[], float],
) -> Iterator[float | Track]:  # fmt: skip
    """One lane on frames (n, ...), from where it was on the frame before if it knows that: before every step the share of them
    that is taken, from 0 to 1, and in the end what it found. Seconds are those of the search, not of who is told."""
    started = clock()
    objective = task.objective if before is None or not smoothness else smooth(task.objective, before.output, smoothness)
    solver, starts = prepare(replace(task, objective=objective), settings, frames)
    state = solver.init(starts if before is None else [before.variable])
    seconds = clock() - started
    while solver.done(state) is None:
        yield state.step / settings.steps
        started = clock()
        state = solver.step(state)
        seconds += clock() - started
    (lane,), (now,) = solver.lanes, state.lanes
    with torch.no_grad():
        x = lane.space.to_x(now.best_variable)
        output = task.forward(x)
        found = Track(name, now.best_variable, x, output, task.objective.bind(frames)(output), seconds)
    yield found
