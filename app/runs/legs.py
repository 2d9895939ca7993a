"""The run loop of every tab: begin, record, batch, number, continue, stop and end. Knows nothing of Gradio.

A run goes in legs: the first from its starts, another with every press of Continue. Messages are small JSON deltas,
numbered so that a gap can be seen and asked for again: `begin` (what is run), `frames` (a batch of steps), `end` (why and
with what result), `error` (what a visitor asked for cannot be).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic

from torch import Tensor

from app import limits
from app.runs.session import Message, R, Run, Session, Streamed
from app.runs.weight import weigh
from landscape_core.errors import UserError
from landscape_core.images.pixels import png_base64, to_bytes
from landscape_core.records.run_card import Card
from landscape_core.search.race import RunSettings
from landscape_core.search.solver import LaneState, State
from landscape_core.search.summary import replay_sentence, result_of
from landscape_core.search.trajectory import states

INTERVAL = 0.1
Column = Callable[[R, int, LaneState], Mapping[str, Any]]


@dataclass(frozen=True)
class Legs(Generic[R]):
    """What a tab adds to the loop.

    `begin(run)` and `end(run, reason)` are its first and last message; `column(run, step, lane state)` what a lane
    measures at a step, by name. A run takes at most `most` steps; `usual` more are offered after the last.
    `card(run)` is what repeats it, which goes along with both, for the page keeps its runs and the server does not;
    `repeats(card, run)` says whether a run is the one that a loaded card describes.
    """

    begin: Callable[[R], Message]
    column: Column[R]
    end: Callable[[R, str], Message]
    card: Callable[[R], Card]
    most: int
    usual: int
    repeats: Callable[[Card, R], bool] = lambda card, run: False

    def start(self, session: Session[Any, R], run: R, starts: Sequence[Tensor]) -> Iterator[Message]:
        """Make `run` the session's, and take its first leg."""
        session.begin(run)
        return held(run, self.first(session, run, starts))

    def first(self, session: Session[Any, R], run: R, starts: Sequence[Tensor]) -> Iterator[Message]:
        """The first leg with its first message, not numbered yet."""
        yield self.begun(run)
        yield from self.descend(session, run, starts)

    def begun(self, run: R) -> Message:
        """The first message, with what takes the run's settings up again."""
        origin = {"label": run.target.label, "query": getattr(run.target, "query", {})}
        return {**self.begin(run), "card": self.card(run).model_dump_json(), "origin": origin}

    def descend(self, session: Session[Any, R], run: R, starts: Sequence[Tensor]) -> Iterator[Message]:
        """The steps of the first leg."""
        return self.leg(session, run, states(run.solver, run.solver.init(starts), stop=run.stop.is_set))

    def resume(self, session: Session[Any, R], more: Any) -> Iterator[Message]:
        """Take `more` steps from where the session's run stands.

        Raises:
            UserError: as `continued`.
        """
        with continued(session.run, more, self.most) as (run, further):
            yield from numbered(run, self.leg(session, run, further))

    def leg(self, session: Session[Any, R], run: R, further: Iterator[State]) -> Iterator[Message]:
        """Record and send these states, and say how they ended."""
        yield from batches(run, further, self.column)
        message = {**self.end(run, reason(run)), "more": further_steps(run, self.most, self.usual)}
        message["card"] = self.card(run).model_dump_json()
        if session.card is not None and self.repeats(session.card, run):
            message["replay"] = replay_sentence(session.card.result, run.trajectory)
        yield message


def batches(
    run: R, further: Iterator[State], column: Column[R], *, clock: Callable[[], float] = time.perf_counter
) -> Iterator[Message]:
    """Record the states and send them on: the first at once, then whatever came in each `INTERVAL` seconds."""
    since, sent = len(run.trajectory.steps), clock() - INTERVAL
    for state in further:
        run.trajectory.record(state)
        for lane, now in zip(run.solver.lanes, state.lanes, strict=True):
            kept = run.columns.setdefault(lane.name, {})
            for name, value in {"seconds": now.seconds, **column(run, state.step, now)}.items():
                kept.setdefault(name, []).append(value)
        if clock() - sent >= INTERVAL:
            yield _frames(run, since)
            since, sent = len(run.trajectory.steps), clock()
    if since < len(run.trajectory.steps):
        yield _frames(run, since)


def _frames(run: R, since: int) -> Message:
    lanes = {lane: {name: values[since:] for name, values in columns.items()} for lane, columns in run.columns.items()}
    return {"kind": "frames", "steps": run.trajectory.steps[since:], "limit": run.solver.max_steps, "lanes": lanes}


def held(run: R, messages: Iterator[Message]) -> Iterator[Message]:
    """The run's messages, numbered, while nobody else can continue it."""
    with run.lock:
        yield from numbered(run, messages)


def numbered(run: Streamed, messages: Iterator[Message]) -> Iterator[Message]:
    """Give each message but those of progress its run and number and keep it, so that the browser can ask for those it missed.
    A run that keeps more than a run may is stopped."""
    run.going = True
    try:
        for message in messages:
            if message["kind"] == "progress":  # one that is missed is soon followed by another
                yield message
                continue
            message = {**message, "run": run.id, "seq": len(run.messages)}
            run.messages.append(message)
            run.weight += weigh(message)
            if run.full:
                run.stop.set()
            yield message
    finally:
        run.going, run.weight = False, weigh(run)


def with_errors(begin: Callable[[], Iterator[Message]]) -> Iterator[Message]:
    """Messages of which a visitor's mistake becomes the last."""
    try:
        yield from begin()
    except UserError as error:
        yield {"kind": "error", "text": str(error)}


@contextmanager
def continued(run: R | None, more: Any, most: int) -> Iterator[tuple[R, Iterator[State]]]:
    """The run, held, and its next `more` states, up to step `most`: the numbers an uninterrupted run would have had.

    Raises:
        UserError: nothing to continue, a run still going, a number that makes no sense, or the limit of steps reached.
    """
    if run is None:
        raise UserError("There is no run to continue; press Run first.")
    if not isinstance(more, int) or more < 1:
        raise UserError(f"The number of further steps must be a whole number from 1 to {most}.")
    if not run.lock.acquire(blocking=False):
        raise UserError("The run is still going.")
    try:
        last = run.trajectory.last  # read once nobody else can take a step
        if last is None:
            raise UserError("There is no run to continue; press Run first.")
        if last.step >= most:
            raise UserError(f"A run takes at most {most} steps, and this one has taken them.")
        if run.full:
            raise UserError(f"The {_full()}; a new run has room again.")
        run.stop.clear()
        run.solver = run.solver.with_lanes(run.solver.lanes, max_steps=min(last.step + more, most))
        further = states(run.solver, last, stop=run.stop.is_set)
        next(further)  # the state that is already on record
        yield run, further
    finally:
        run.lock.release()


def reason(run: Run[Any]) -> str:
    """Why the run rests, in a sentence."""
    last = run.trajectory.last
    over = run.solver.done(last) if last is not None else None
    if over is not None:
        return over.value
    why = f" (the {_full()})" if run.full else ""
    return f"Stopped at step {run.trajectory.steps[-1]}{why}; all that was reached is kept."


def _full() -> str:
    return f"run keeps {limits.HELD_BY_RUN // limits.MB} MB of pictures and steps, the most that one may"


def scheduled(run: Run[Any]) -> bool:
    """Whether an optimiser's rate hangs on the number of steps it was told at the start."""
    return "adam-ramps" in run.settings.optimizers


def further_steps(run: Run[Any], most: int, usual: int) -> int:
    """How many more to offer: what is left of those asked for, else `usual`, up to `most` in all."""
    taken = run.trajectory.steps[-1]
    return min(most - taken, max(run.settings.steps - taken, 0) or usual)


def lasting(run: Run[Any]) -> RunSettings:
    """The run's settings with the steps it took where it was continued beyond them, so that a card repeats all of it. With
    a schedule they stay: then the card says how many steps to replay and where the run stood."""
    taken = run.trajectory.steps[-1] if run.trajectory.steps else 0
    longer = taken > run.settings.steps and not scheduled(run)
    return run.settings.model_copy(update={"steps": taken}) if longer else run.settings


def result_so_far(run: Run[Any]) -> dict[str, Any]:
    """What a run card remembers of the outcome, once there is any."""
    return result_of(run.trajectory) if run.trajectory.steps else {}


def png(output: Tensor) -> str:
    """One picture (3, H, W) in [-1, 1] -> PNG, base64."""
    return png_base64(to_bytes(output))


def finite(value: float) -> float | None:
    """JSON has no infinity."""
    return value if abs(value) < float("inf") else None
