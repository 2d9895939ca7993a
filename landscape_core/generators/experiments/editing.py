"""Which of two inversions at the same loss edits better? X's and Z's results are moved alike along the prior's directions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from landscape_core import processes
from landscape_core.errors import UserError
from landscape_core.experiments.paired import compare
from landscape_core.experiments.results import Claim, Result
from landscape_core.progress import Tick
from landscape_core.search.editing import Edit, edited, principal
from landscape_core.search.objectives import Target
from landscape_core.search.prior_term import PriorTerm
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.task import Task
from landscape_core.search.trajectory import Trajectory, run
from landscape_core.storage.cache import Kept
from landscape_core.storage.fingerprint import fingerprint

ROWS = ("X", "Z")
MEASURES = ("distance to the prior", "identity lost")


@dataclass(frozen=True)
class EditingSettings:
    """Every picture is inverted in `steps` steps by L-BFGS in both spaces and moved by ± `amount` deviations along the first
    `directions` of the prior."""

    targets: int = 30
    steps: int = 50
    directions: int = 10
    amount: float = 2.0
    space: str = "residual"
    seed: int = 0


def run_editing(
    task: Task, pictures: Tensor, settings: EditingSettings, command: str, tick: Tick, work: Path | None = None
) -> Result:
    """`pictures` (n, 3, H, W); what is done is kept below `work`.

    Raises:
        UserError: the task has no encoder, which judges identity.
    """
    if task.encode is None:
        raise UserError(f"{task.name} has no encoder, by which identity is judged.")

    race = RunSettings.table(task, settings.space, ["lbfgs"], steps=settings.steps, seed=settings.seed)

    def measured(index: int) -> Tensor:
        picture = pictures[index : index + 1]
        kept = Kept(work, fingerprint(task.hashes, task.objective, race.model_dump(), vars(settings), picture))
        row = kept.get("losses and measures", partial(_measured, task, picture, race, settings))  # (2, 1 + 2 * 2)
        tick("editing", index + 1, len(pictures))
        return row.cpu()

    found = torch.stack([*processes.in_turns(measured, range(len(pictures)))])  # (n, rows, losses and measures)
    result = Result("editing", command, settings.seed, task.hashes, {"pictures": len(pictures)}, dict(vars(settings)))
    for place, row in enumerate(ROWS):
        names = ["loss", *(f"{measure}, {state}" for state in ("as found", "edited") for measure in MEASURES)]
        result.series |= {f"{name} | {row}": found[:, place, k].tolist() for k, name in enumerate(names)}
    for measure in MEASURES:
        x, z = (torch.tensor(result.series[f"{measure}, edited | {row}"]) for row in ROWS)
        comparison = compare(z, x, floor=0.0)
        result.comparisons[f"{measure} after an edit"] = comparison.to_json()
        label = f"{measure} after an edit at equal loss, Z against X by L-BFGS"
        result.claims.append(Claim(label, None, comparison.change, 0.0, "lower", comparison.change_interval))
    return result


def _measured(task: Task, picture: Tensor, race: RunSettings, settings: EditingSettings) -> Tensor:
    """Of X and of Z (2, 5): the loss where both are equally good, then the measures as found and edited."""
    solver, starts = prepare(task, race, Target(picture))
    trajectory = run(solver, starts)
    steps = equally_good(trajectory)
    moves = settings.amount * principal(task.prior, settings.directions)
    rows = []
    for lane, record, step in zip(solver.lanes, trajectory.lanes, steps, strict=True):
        with torch.no_grad():
            x = lane.space.to_x(record.variables[step])
        found = [float(record.losses[step]), *_measures(task, picture, x, moves[:1] * 0)]
        rows.append([*found, *_measures(task, picture, x, torch.cat([moves, -moves]))])
    return torch.tensor(rows)


def equally_good(trajectory: Trajectory) -> list[int]:
    """Of each lane the first step at which it is as good as the worse of all ends, best so far."""
    best = [lane.best_so_far()[:, 0] for lane in trajectory.lanes]
    goal = max(float(each[-1]) for each in best)
    return [int((record.loss_table()[:, 0] <= goal).nonzero()[0]) for record in trajectory.lanes]


@torch.no_grad()
def _measures(task: Task, picture: Tensor, x: Tensor, moves: Tensor) -> tuple[float, float]:
    """How far x (1, d) moved by each of `moves` (m, d) is from the prior's mean; and how far, on average over the
    coordinates of its input, the encoder sees the picture changed across the move: both in deviations of the prior."""
    assert task.encode is not None
    unit = PriorTerm(task.prior, 1.0)
    there = torch.cat([edited(task.prior, x, move[None], Edit((1.0,))) for move in moves])
    seen = torch.cat([task.encode(task.forward(part)) for part in there.split(8)]) - task.encode(picture)
    length = moves.norm(dim=1, keepdim=True).clamp_min(1e-12)
    across = seen - (seen * moves / length).sum(dim=1, keepdim=True) * moves / length
    return float(unit(there).sqrt().mean()), float(unit(task.prior.mean + across).sqrt().mean())


def plot(result: Result, path: Path) -> None:
    """Both measures after an edit, Z's over X's, a point for every picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    for axes, measure in zip(figure.subplots(1, 2), MEASURES, strict=True):
        x, z = (result.series[f"{measure}, edited | {row}"] for row in ROWS)
        axes.scatter(x, z, s=14, color="#0369a1")
        ends = [min(*x, *z), max(*x, *z)]
        axes.plot(ends, ends, color="#6b7280", linewidth=1)
        axes.set(xlabel="X", ylabel="Z", title=f"{measure}, edited")
    figure.savefig(path, dpi=150)


def markdown(result: Result) -> str:
    """Means, as found and edited."""
    lines = ["| mean | X | Z |", "|---|---|---|"]
    names: Mapping[str, None] = dict.fromkeys(key.partition(" | ")[0] for key in result.series)
    for name in names:
        values = [sum(result.series[f"{name} | {row}"]) / result.n["pictures"] for row in ROWS]
        lines.append(f"| {name} | {values[0]:.4f} | {values[1]:.4f} |")
    return "\n".join(lines)
