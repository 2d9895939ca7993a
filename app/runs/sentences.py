"""What is said of any race: where its lanes start, and what each column of its table says."""

from __future__ import annotations

from typing import Any

import torch

from app.runs.session import Run
from landscape_core.search.race import SEPARATOR, starts_in
from landscape_core.search.summary import REFERENCE_STEP, columns, passed_sentence, race_summary
from landscape_core.search.task import X
from landscape_core.search.trajectory import Trajectory

ALIKE = 1.01  # times the lower loss: within it both are called equally close
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
    """Who came closer, in plain words, and then what each column of the table says, a line each."""
    trajectory = run.trajectory
    text, at_step = race_summary(trajectory, sample=sample), min(REFERENCE_STEP, trajectory.steps[-1])
    for slow, fast in columns([lane.name for lane in trajectory.lanes])[1:] if at_step else []:
        begins = passed_sentence(trajectory, fast=fast, slow=slow, at_step=at_step, sample=sample)
        text = text.replace(f" {begins}", f"\n{begins}")
    return "\n".join(filter(None, [plainly(trajectory, sample=sample), text]))


def plainly(trajectory: Trajectory, *, sample: int = 0) -> str:
    """Whether X or Z came closer to the target by each optimiser that searched both; nothing before the first step."""
    found: dict[str, list[str]] = {}
    for x, z in columns([lane.name for lane in trajectory.lanes]) if trajectory.steps[-1] else []:
        in_x, in_z = (float(trajectory.lane(name).best_so_far()[-1, sample]) for name in (x, z))
        low, high = sorted((in_x, in_z))
        closer = "X and Z came equally close to the target"
        if high > ALIKE * low:
            closer = f"{'Z' if in_z < in_x else 'X'} came closer to the target"
        found.setdefault(closer, []).append(x.partition(SEPARATOR)[2])
    said = [closer + (f" by {' and by '.join(names)}" if all(names) else "") for closer, names in found.items()]
    return f"{', '.join(said)}." if said else ""


@torch.no_grad()
def _gap(run: Run[Any]) -> float:
    """How far from the shared start the farthest lane begins, as a share of that start's distance from the mean."""
    settings, task = run.settings, run.task
    spaces = [task.space(X), *(lane.space for lane in run.solver.lanes)]
    starts = starts_in(spaces, task, settings.start, run.solver.target, settings.seed)
    shared, *lanes = [space.to_x(start) for space, start in zip(spaces, starts, strict=True)]
    away = (shared - task.prior.mean).norm(dim=1).mean().clamp_min(1e-12)
    return max(float((x - shared).norm(dim=1).mean() / away) for x in lanes)
