"""The race that stands in a tab, for the Landscape tab to draw the loss around. Landscape knows no task by name.

How a tab takes part:

1. Its `build(page)` returns a `StandingSource`, which `app/ui.py` keeps on the page under the tab's name. With
   `app.runs.session.Run`s that is `lambda key: standing_of(sessions.get(key).run)`, or with the number of the sample that
   the visitor picked.
2. A "Landscape" button opens that tab with this source chosen: `RunTab.wire_landscape`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.runs.session import Run
from app.runs.settings import words
from landscape_core.errors import UserError
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OPTIMISER_NAMES
from landscape_core.search.prior_term import with_prior_term
from landscape_core.search.race import SEPARATOR, RunSettings
from landscape_core.search.summary import columns
from landscape_core.search.task import Task
from landscape_core.search.trajectory import Trajectory

DRAWN_FIRST = OPTIMISER_NAMES["lbfgs"]


def column_of(columns: Collection[str], asked: str | None = None) -> str:
    """Which of a run's columns (not none) is drawn: the one that is asked for, where there is such, else L-BFGS's, in which
    both spaces come far and averages are measured, else the first."""
    return next(name for name in (asked, DRAWN_FIRST, *columns) if name is not None and name in columns)


@dataclass(frozen=True)
class Standing:
    """One target (1, ...) with its run of one sample, in lanes "X" and "Z"; `space` is the learned one that Z names.

    `settings` are pairs [what, value] in words, as `app.runs.settings.words` gives them. `key` tells this run from every
    other. `columns` are the pairs of X and Z by optimiser in words; `trajectory` is one of them.
    """

    task: Task
    target: Target
    trajectory: Trajectory
    label: str
    space: str
    settings: list[list[str]] = field(default_factory=list)
    key: str = ""
    columns: Mapping[str, Trajectory] = field(default_factory=dict)

    def by(self, optimiser: str | None) -> Standing:
        """The same run in that optimiser's column, or in the one that `column_of` takes for it."""
        return replace(self, trajectory=self.columns[column_of(self.columns, optimiser)]) if self.columns else self

    @property
    def optimiser(self) -> str:
        """The optimiser of the column that is drawn, in words; nothing where it is not known."""
        return next((name for name, each in self.columns.items() if each is self.trajectory), "")


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
    found = standing_in(run.task, target, run.trajectory.sample(sample), run.target.label, run.settings)
    return replace(found, key=f"{run.id} {sample} {run.trajectory.steps[-1]}")


def standing_in(task: Task, target: Target, trajectory: Trajectory, label: str, settings: RunSettings) -> Standing:
    """A run of one sample, by the columns of its table that have X and Z. Its task's loss is the one that was descended, with
    the weight on the prior that the settings have.

    Raises:
        UserError: no optimiser searched both.
    """
    pairs = columns([lane.name for lane in trajectory.lanes])
    if not pairs:
        raise UserError("In that run no optimiser searched both X and Z; switch both lanes of a column on and run it again.")
    only = OPTIMISER_NAMES[settings.optimizers[0]]  # lanes are not called by it where it is the only one
    by = {x.partition(SEPARATOR)[2] or only: trajectory.pair(x, z) for x, z in pairs}
    task, drawn = with_prior_term(task, settings.prior_weight), by[column_of(by)]
    return Standing(task, target, drawn, label, settings.space, words(settings), columns=by)
