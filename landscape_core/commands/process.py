"""`process`: how a recovery evolves, step by step, in X and in Z, as a contact sheet (Fig. 4 and 5)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor

from landscape_core.console import apply_threads
from landscape_core.domains import load_task
from landscape_core.images.sheets import labelled_rows
from landscape_core.options import ANY_TASK_HELP, LearnedSpace, Out, Seed, Threads
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OPTIMISER_NAMES, OptimizerName
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.task import Task
from landscape_core.search.trajectory import states
from landscape_core.storage.files import whole

Steps = Annotated[list[int], typer.Option("--steps", help="Step to show; give it again for another.", min=0)]


def process(
    task: Annotated[str, typer.Option(help=ANY_TASK_HELP)] = "faces",
    number: Annotated[int, typer.Option("--targets", help="Targets, drawn by the task; one row of X and one of Z each.",
                                        min=1, max=16)] = 3,
    steps: Steps = [0, 1, 2, 4, 8, 20],  # noqa: B006  # typer copies it
    optimizer: Annotated[OptimizerName, typer.Option(help="The one by which both spaces are searched.")] = "lbfgs",
    space: LearnedSpace = None,
    out: Out = Path("docs"),
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:  # fmt: skip
    """Write TASK-process.png: what X and Z have after each number of steps by the same optimiser, and the target at the end."""
    apply_threads(threads)
    loaded = load_task(task)
    learned = loaded.z_space(space)
    targets = loaded.sampled(number, torch.Generator().manual_seed(seed))
    rows = evolution(loaded, targets, learned, optimizer, sorted(set(steps)))
    path = out / f"{loaded.name}-process.png"
    with whole(path) as partial:
        labelled_rows(rows).save(partial, optimize=True)
    typer.echo(f"Wrote {path}.")


def evolution(task: Task, targets: Target, space: str, optimizer: OptimizerName, steps: list[int]) -> dict[str, Tensor]:
    """Two rows for each target (n, ...): pictures (steps + 1, 3, side, side) of X and of Z after each number of steps, the
    target last."""
    settings = RunSettings.table(task, space, [optimizer], steps=max(*steps, 1))
    solver, starts = prepare(task, settings, targets)
    shown: dict[str, list[Tensor]] = {lane.name: [] for lane in solver.lanes}
    for state in states(solver, solver.init(starts)):
        if state.step in steps:
            for lane, now in zip(solver.lanes, state.lanes, strict=True):
                shown[lane.name].append(now.output)
    by, marks = OPTIMISER_NAMES[optimizer], ", ".join(map(str, steps))
    rows = {}
    for index in range(len(targets)):
        one = targets.select(slice(index, index + 1))
        for name, outputs in shown.items():
            pictures = [task.shown(each[index : index + 1], one) for each in outputs]
            label = f"{index + 1}. {name}, {by}, after {marks} steps; then the target"
            rows[label] = torch.cat([*pictures, task.shown(None, one)])
    return rows
