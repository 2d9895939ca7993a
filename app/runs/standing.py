"""The race that stands in a tab, for the Landscape tab to draw the loss around. Landscape knows no task by name.

How a tab takes part:

1. Its `build(page)` returns a `StandingSource`, which `app/ui.py` keeps on the page under the tab's name. With
   `app.runs.session.Run`s that is `lambda key: standing_of(sessions.get(key).run)`, or with the number of the sample that
   the visitor picked.
2. A "Landscape" button opens that tab with this source chosen: `RunTab.wire_landscape`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.runs.session import Run
from app.runs.settings import words
from landscape_core.errors import UserError
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings
from landscape_core.search.summary import columns
from landscape_core.search.task import Task
from landscape_core.search.trajectory import Trajectory


@dataclass(frozen=True)
class Standing:
    """One target (1, ...) with its run of one sample, in lanes "X" and "Z"; `space` is the learned one that Z names.

    `settings` are pairs [what, value] in words, as `app.runs.settings.words` gives them.
    """

    task: Task
    target: Target
    trajectory: Trajectory
    label: str
    space: str
    settings: list[list[str]] = field(default_factory=list)


StandingSource = Callable[[str], "Standing | None"]
"""By Gradio's session hash; None where nothing was run. A UserError says why a run cannot be taken now."""


def standing_of(run: Run[Any] | None, sample: int = 0) -> Standing | None:
    """One sample of a run, as it stands.

    Raises:
        UserError: it is still going.
    """
    if run is None or run.trajectory.last is None:
        return None
    if run.lock.locked():
        raise UserError("That run is still going; wait for it, or stop it there.")
    target = run.solver.target.select(slice(sample, sample + 1))
    return standing_in(run.task, target, run.trajectory.sample(sample), run.target.label, run.settings)


def standing_in(task: Task, target: Target, trajectory: Trajectory, label: str, settings: RunSettings) -> Standing:
    """A run of one sample in the first column of its table that has X and Z.

    Raises:
        UserError: no optimiser searched both.
    """
    pairs = columns([lane.name for lane in trajectory.lanes])
    if not pairs:
        raise UserError("In that run no optimiser searched both X and Z; switch both lanes of a column on and run it again.")
    return Standing(task, target, trajectory.pair(*pairs[0]), label, settings.space, words(settings))
