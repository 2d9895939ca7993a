"""One run loop for every tab: beginning, recording, batching, numbering, continuing and ending. Knows nothing of Gradio."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from torch import Tensor

from app.runs.session import Run
from landscape_core.errors import UserError
from landscape_core.images.pixels import png_base64, to_bytes
from landscape_core.search.race import RunSettings
from landscape_core.search.solver import State
from landscape_core.search.trajectory import states

INTERVAL = 0.1
Message = dict[str, Any]


def png(output: Tensor) -> str:
    """One picture (3, H, W) in [-1, 1] -> PNG, base64."""
    return png_base64(to_bytes(output))


class Told(Protocol):
    """Anything with an id that keeps what the browser was sent."""

    id: str
    messages: list[Message]


def numbered(run: Told, messages: Iterator[Message]) -> Iterator[Message]:
    """Give each message its run and number and keep it, so that the browser can ask for those it missed."""
    for message in messages:
        message = {**message, "run": run.id, "seq": len(run.messages)}
        run.messages.append(message)
        yield message


def finite(value: float) -> float | None:
    """JSON has no infinity."""
    return value if abs(value) < float("inf") else None


@contextmanager
def continued(run: Run | None, more: Any, most: int) -> Iterator[tuple[Run, Iterator[State]]]:
    """The run, held, and its next `more` states, up to step `most`: the numbers an uninterrupted run would have had.

    Raises:
        UserError: nothing to continue, a run still going, a number that makes no sense, or the limit of steps reached.
    """
    if run is None or run.trajectory.last is None:
        raise UserError("There is no run to continue; press Run first.")
    if not isinstance(more, int) or more < 1:
        raise UserError(f"The number of further steps must be a whole number from 1 to {most}.")
    last = run.trajectory.last
    if last.step >= most:
        raise UserError(f"A run takes at most {most} steps, and this one has taken them.")
    if not run.lock.acquire(blocking=False):
        raise UserError("The run is still going.")
    try:
        run.stop.clear()
        run.solver = run.solver.with_lanes(run.solver.lanes, max_steps=min(last.step + more, most))
        further = states(run.solver, last, stop=run.stop.is_set)
        next(further)  # the state that is already on record
        yield run, further
    finally:
        run.lock.release()


def scheduled(run: Run) -> bool:
    """Whether an optimiser's rate hangs on the number of steps it was told at the start."""
    return "adam-ramps" in run.settings.optimizers


def further_steps(run: Run, most: int, usual: int) -> int:
    """How many more to offer: what is left of those asked for, else `usual`, up to `most` in all."""
    taken = run.trajectory.steps[-1]
    return min(most - taken, max(run.settings.steps - taken, 0) or usual)


def lasting(run: Run) -> RunSettings:
    """The run's settings with the steps it took where it was continued beyond them, so that a card repeats all of it. With
    a schedule they stay: then the card says how many steps to replay and where the run stood."""
    taken = run.trajectory.steps[-1]
    longer = taken > run.settings.steps and not scheduled(run)
    return run.settings.model_copy(update={"steps": taken}) if longer else run.settings


def stopped(run: Run) -> str:
    """What is said of a run that was stopped."""
    return f"Stopped at step {run.trajectory.steps[-1]}; all that was reached is kept."
