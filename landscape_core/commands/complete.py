"""`complete`: what a mask hides of a picture, or what a file of a plug-in leaves out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landscape_core.console import apply_threads, leave, raced
from landscape_core.domains import domain_for, load_task
from landscape_core.errors import UserError
from landscape_core.generators.commands import run as generators
from landscape_core.generators.completion import completion_settings
from landscape_core.generators.masks import PRESETS, preset, read_mask
from landscape_core.generators.observing import PAINTED_MASK
from landscape_core.options import TASK_HELP, Device, Distance, LearnedSpace, Out, PriorWeight, Seed, Threads, ZRate
from landscape_core.plugins.completing import completed, told, with_hidden
from landscape_core.plugins.domain import DOMAIN as PLUGINS
from landscape_core.plugins.observing import is_pictures
from landscape_core.plugins.run_card import make_plugin_card
from landscape_core.records.run_zip import export_zip
from landscape_core.search.objectives import Target
from landscape_core.search.race import DEFAULT_PERCEPTUAL, RunSettings, prepare
from landscape_core.search.summary import result_of
from landscape_core.search.task import Task
from landscape_core.storage.files import unused


def complete(
    file: Annotated[Path, typer.Argument(help="A picture; for faces, the face is found. For a plug-in what it reads.")],
    mask: Annotated[str | None, generators.Mask] = None,
    out: Out = Path("runs/complete"),
    k: generators.K = 8,
    paste: generators.Paste = False,
    task: Annotated[str, typer.Option(help=TASK_HELP)] = "faces",
    space: LearnedSpace = None,
    steps: generators.Steps = 100,
    z_lr: ZRate = None,
    prior_weight: PriorWeight = 0.0,
    perceptual: Distance = DEFAULT_PERCEPTUAL,
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Complete what is hidden from K random starts in X and in Z: what a mask hides of a picture, or the numbers that a
    plug-in's file leaves out.

    A picture's: a sheet, every completion as PNG, and the numbers as JSON; diversity is the mean perceptual distance between
    two completions in the hidden region. A plug-in's: one zip, as `invert` writes it, with every completion; their spread is
    the mean standard deviation of what was hidden. Fidelity is the mean loss of what is seen (lower is closer). Ctrl-C keeps
    the completions as they are.
    """
    if domain_for(task) is not PLUGINS:
        if mask is None:
            raise UserError(f"Say what is hidden of {file.name}: --mask, with a picture of it or one of: {', '.join(PRESETS)}.")
        generators.restore(
            file, PAINTED_MASK, mask, out=out, k=k, paste=paste, task=task, space=space, steps=steps, z_lr=z_lr,
            prior_weight=prior_weight, perceptual=perceptual, device=device, seed=seed, threads=threads,
        )  # fmt: skip
        return
    apply_threads(threads)
    loaded = load_task(task, perceptual=perceptual, device=device)
    settings = completion_settings(
        loaded, space=loaded.z_space(space), steps=steps, seed=seed, z_lr=z_lr, prior_weight=prior_weight
    )
    leave(stopped=_completed(file, loaded, _observed(file, loaded, mask), settings, k, paste, out))


def _observed(file: Path, task: Task, mask: str | None) -> Target:
    """What a plug-in's file says, less what the mask hides of a picture."""
    target = PLUGINS.observe(task, file, 0, None).target
    if mask is not None and not is_pictures(target.value):
        raise UserError(f"{task.name} makes no pictures for a mask to lie on; leave what is hidden out of {file.name}.")
    side = target.value.shape[-1]
    return with_hidden(
        target, None if mask is None else preset(mask, side) if mask in PRESETS else read_mask(Path(mask), side), file.name
    )


def _completed(file: Path, task: Task, target: Target, settings: RunSettings, k: int, paste: bool, out: Path) -> bool:
    """The run and its zip; whether Ctrl-C cut it short."""
    solver, starts = prepare(task, settings, target.repeat(k))
    trajectory, stopped = raced(solver, starts, "completing")
    assert trajectory.last is not None
    found = completed(solver, trajectory.last, target, paste=paste)
    card = make_plugin_card(task, settings, target, result_of(trajectory), k)
    archive = unused(out / f"{file.stem}.zip")
    export_zip(archive, card, task, solver.lanes, trajectory, target.repeat(k), told(found))
    for each in found:
        typer.echo(each.sentence())
    typer.echo(f"Wrote {archive}.")
    return stopped
