"""What happened in a race, in numbers and in sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from landscape_core.errors import listed
from landscape_core.search.race import SEPARATOR
from landscape_core.search.solver import State
from landscape_core.search.trajectory import Trajectory, passed

REFERENCE_STEP = 20


def reached(trajectory: Trajectory, *, fast: str, slow: str, sample: int = 0) -> list[int | None]:
    """For every recorded step of `slow`: the first step at which `fast` was as low, both best-so-far; None if it never was."""
    goals = trajectory.lane(slow).best_so_far()[:, sample]
    falling = trajectory.lane(fast).best_so_far()[:, sample]
    # The best so far never rises, so its negative is sorted.
    first = torch.searchsorted(-falling, -goals.contiguous())
    return [trajectory.steps[i] if i < len(trajectory.steps) else None for i in first.tolist()]


def passed_sentence(trajectory: Trajectory, *, fast: str = "Z", slow: str = "X", at_step: int, sample: int = 0) -> str:
    """ "Z passed X's loss at step 20 after 2 steps: 10× fewer steps, 8.1× less time", or that it did not."""
    result = passed(trajectory, fast=fast, slow=slow, at_step=at_step, sample=sample)
    where = f"{slow}'s loss at step {at_step}"
    if result is None:
        return f"{fast} did not reach {where} in {_count(trajectory.steps[-1])}."
    time = _times(result.times_less_time, "less time", "more time", "about the same time")
    if result.steps == 0:
        return f"{fast} began below {where}: that is its start's doing, not its search's."
    if result.steps == at_step:
        return f"{fast} passed {where} after as many steps, {time}."
    steps = _times(at_step / result.steps, "fewer steps", "more steps", "about as many")
    return f"{fast} passed {where} after {_count(result.steps)}: {steps}, {time}."


def end_sentence(trajectory: Trajectory, *, fast: str = "Z", slow: str = "X", sample: int = 0) -> str:
    """Which lane stands lower at the end, best-so-far against best-so-far."""
    a = float(trajectory.lane(fast).best_so_far()[-1, sample])
    b = float(trajectory.lane(slow).best_so_far()[-1, sample])
    at = _count(trajectory.steps[-1])
    if math.isnan(a) or math.isnan(b):
        return (
            f"{listed([name for name, loss in ((slow, b), (fast, a)) if math.isnan(loss)])} began at a loss that is no number."
        )
    low, high, lower, higher = (fast, slow, a, b) if a < b else (slow, fast, b, a)
    if a == b:
        return f"After {at} both stand at {figures(a)}."
    how = f"{low}'s best loss is {figures(lower)}, {high}'s {figures(higher)}"
    return f"After {at} {how}: {low} is {_lower(lower / higher)} lower."


def columns(names: Sequence[str]) -> list[tuple[str, str]]:
    """The lanes that can be compared fairly: those in X and in Z that share an optimiser, as (X's name, Z's name).

    Of lanes without such a partner ("X · Adam" beside "Z · L-BFGS" alone) there is none to compare; of several learned spaces
    each is compared.
    """
    parts = [(name, *name.split(SEPARATOR, 1)) for name in names]
    x, z = ([(name, by) for name, row, *by in parts if row[:1] == letter] for letter in "XZ")
    return [(slow, fast) for slow, by in x for fast, its in z if by == its]


def race_summary(trajectory: Trajectory, *, sample: int = 0) -> str:
    """For every column of the table two sentences: when Z passed X's loss at step 20 (or at the last step of a shorter run),
    and how both ended.

    Where a lane lost its footing (a non-finite loss) that is said first.
    """
    last = trajectory.steps[-1]
    sentences = []
    if trajectory.last is not None:
        dead = [
            record.name
            for record, lane in zip(trajectory.lanes, trajectory.last.lanes, strict=True)
            if not bool(lane.alive[sample])
        ]
        sentences += [f"{name} stopped early: its loss was no longer a finite number." for name in dead]
    if last == 0:
        return " ".join([*sentences, "No step was taken."])
    pairs = columns([lane.name for lane in trajectory.lanes])
    for slow, fast in pairs:
        sentences.append(passed_sentence(trajectory, fast=fast, slow=slow, at_step=min(REFERENCE_STEP, last), sample=sample))
        sentences.append(end_sentence(trajectory, fast=fast, slow=slow, sample=sample))
    if not pairs:
        best = ", ".join(f"{lane.name} {figures(float(lane.best_so_far()[-1, sample]))}" for lane in trajectory.lanes)
        sentences.append(
            f"After {_count(last)} the best losses are: {best}. No two lanes share an optimiser, so none is compared."
        )
    return " ".join(sentences)


_MANY = 10_000


def _count(steps: int) -> str:
    return "1 step" if steps == 1 else f"{steps} steps"


def figures(value: float) -> str:
    """Three of them, as people read them: 0.0412, 2.93e-5."""
    return f"{value:.3g}".replace("e-0", "e-")


def _lower(ratio: float) -> str:
    """How much lower: 0.65 -> "35 %"; beyond 99 % as a factor, "410×", which says no more where it is huge."""
    if ratio > 0.01:
        return f"{100.0 * (1.0 - ratio):.2g}\u00a0%"
    return f"{_short(1.0 / ratio)}×" if ratio > 1.0 / _MANY else f"more than {_MANY}×"


def _times(ratio: float, fewer: str, more: str, same: str) -> str:
    if 0.95 < ratio < 1.05:
        return same
    return f"{_short(ratio)}× {fewer}" if ratio > 1.0 else f"{_short(1.0 / ratio)}× {more}"


def _short(ratio: float) -> str:
    """Two figures, whole numbers from ten on: 3.7, 10, 120."""
    return f"{ratio:.1f}".removesuffix(".0") if ratio < 9.95 else f"{ratio:.0f}"


Losses = Mapping[str, "float | list[float]"]


def result_of(trajectory: Trajectory) -> dict[str, Any]:
    """What a run card remembers of the outcome: the last step, and each lane's loss there, exactly; a list for a batch."""
    return {"step": trajectory.steps[-1], "losses": _losses_at(trajectory, -1)}


def result_at(names: Sequence[str], state: State) -> dict[str, Any]:
    """The same of a single state, whose lanes are `names`."""
    return {"step": state.step, "losses": {name: _plain(lane.loss) for name, lane in zip(names, state.lanes, strict=True)}}


def replay_sentence(result: Mapping[str, Any], trajectory: Trajectory) -> str | None:
    """Whether a replay came out as its card says, bit for bit; None where the card's step was not taken."""
    step, losses = result.get("step"), result.get("losses")
    if step not in trajectory.steps or not isinstance(losses, Mapping):
        return None
    ours = _losses_at(trajectory, trajectory.steps.index(step))
    if ours == dict(losses):
        return f"This repeats the card's run exactly: every loss at step {step} is the same bit for bit."
    return f"This differs from the card's run: at step {step} it has {_list(ours)}; the card says {_list(losses)}."


def _losses_at(trajectory: Trajectory, index: int) -> Losses:
    return {lane.name: _plain(lane.losses[index]) for lane in trajectory.lanes}


def _plain(loss: Tensor) -> float | list[float]:
    """(B,) as a number where B = 1, else as a list."""
    values: list[float] = loss.tolist()
    return values[0] if len(values) == 1 else values


def _list(losses: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_shown(loss)}" for name, loss in losses.items())


def _shown(loss: Any) -> str:
    """A card's losses may be anything; of a batch the mean is shown."""
    if isinstance(loss, list) and loss and all(isinstance(value, float) for value in loss):
        return f"{sum(loss) / len(loss):.6g} on average"
    return f"{loss:.6g}" if isinstance(loss, float) else str(loss)[:40]
