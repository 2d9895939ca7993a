"""What is said of any race: where its lanes start, and what each column of its table says."""

from __future__ import annotations

from typing import Any

import torch

from app.runs.session import Run
from landscape_core.search.race import starts_in
from landscape_core.search.summary import REFERENCE_STEP, columns, passed_sentence, race_summary
from landscape_core.search.task import X

REACHED = 1e-3  # of a start's distance from the mean: nearer is the same place


def start_sentence(run: Run[Any]) -> str:
    """Where the lanes of a run start, in so many words, and where Θ cannot reach a shared x exactly, the gap."""
    settings = run.settings
    if settings.start == "mean":
        return "X and Z each start at their own origin, so step 0 is not the same in both." if settings.learned else ""
    drawn = "one shared x" if len(run.solver.target) == 1 else "a shared x for each search"
    place = "the encoder's guess" if settings.start == "encoder" else drawn
    gap = _gap(run)
    if gap < REACHED:
        return f"All lanes start from {place}."
    off = f"Z begins {100 * gap:.2g}\u00a0% of its distance from the mean away from it"
    return f"All lanes were to start from {place}; Θ cannot reach that exactly: {off}."


def verdict(run: Run[Any], *, sample: int = 0) -> str:
    """What each column of the table says, a line each."""
    trajectory = run.trajectory
    text, at_step = race_summary(trajectory, sample=sample), min(REFERENCE_STEP, trajectory.steps[-1])
    for slow, fast in columns([lane.name for lane in trajectory.lanes])[1:] if at_step else []:
        begins = passed_sentence(trajectory, fast=fast, slow=slow, at_step=at_step, sample=sample)
        text = text.replace(f" {begins}", f"\n{begins}")
    return text


@torch.no_grad()
def _gap(run: Run[Any]) -> float:
    """How far from the shared start the farthest lane begins, as a share of that start's distance from the mean."""
    settings, task = run.settings, run.task
    spaces = [task.space(X), *(lane.space for lane in run.solver.lanes)]
    starts = starts_in(spaces, task, settings.start, run.solver.target, settings.seed)
    shared, *lanes = [space.to_x(start) for space, start in zip(spaces, starts, strict=True)]
    away = (shared - task.prior.mean).norm(dim=1).mean().clamp_min(1e-12)
    return max(float((x - shared).norm(dim=1).mean() / away) for x in lanes)
