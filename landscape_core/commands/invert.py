"""`invert`: the race of X against Z on pictures, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from torch import Tensor

from landscape_core.commands.common import Bar, Device, Out, Seed, Threads, apply_threads
from landscape_core.data import to_unit
from landscape_core.export import export_zip
from landscape_core.faces import framing_of, prepare_upload
from landscape_core.objectives import Target
from landscape_core.optimizers import DEFAULT_RATES, OptimizerName, OptimizerSettings
from landscape_core.runs import MAX_STEPS, RunSettings, make_card, prepare
from landscape_core.spaces import Start
from landscape_core.summary import race_summary, result_of
from landscape_core.tasks.base import Task, X
from landscape_core.tasks.gan import Perceptual, load_image_task
from landscape_core.trajectory import Trajectory, states


def invert(
    pictures: Annotated[list[Path], typer.Argument(help="PNG, JPEG or WebP files; for faces, the face is found and cropped.")],
    out: Out = Path("runs/invert"),
    task: Annotated[str, typer.Option(help="Embedded image task, e.g. faces or cats; `models` lists them.")] = "faces",
    space: Annotated[str, typer.Option(help="Learned space that Z uses.")] = "residual",
    steps: Annotated[int, typer.Option(help="Steps of descent.", min=1, max=MAX_STEPS)] = 100,
    start: Annotated[Start, typer.Option(help="Where both begin.")] = "mean",
    optimizer: Annotated[OptimizerName | None, typer.Option(help="For both lanes; each space's own where absent.")] = None,
    x_lr: Annotated[float | None, typer.Option(help="X's learning rate; the advised one where absent.")] = None,
    z_lr: Annotated[float | None, typer.Option(help="Z's learning rate; the advised one where absent.")] = None,
    device: Device = "cpu",
    perceptual: Annotated[Perceptual, typer.Option(help="embedded, or lpips where its weights are.")] = "embedded",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Race X against Z on each picture and write one zip per picture: card, losses, sheet, GIF, latents."""
    apply_threads(threads)
    loaded = load_image_task(task, perceptual=perceptual, device=device)
    settings = RunSettings(
        task=task, space=space, perceptual=perceptual, seed=seed, steps=steps, start=start,
        x=_chosen(loaded, X, optimizer, x_lr), z=_chosen(loaded, space, optimizer, z_lr),
    )  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    for path in pictures:
        prepared = prepare_upload(path, framing=framing_of(task))
        for notice in prepared.notices:
            typer.echo(f"{path.name}: {notice}")
        trajectory = _race(loaded, settings, prepared.image, out / f"{path.stem}.zip", path.name)
        typer.echo(f"{path.name}: {race_summary(trajectory)}")


def _chosen(task: Task, space: str, name: OptimizerName | None, lr: float | None) -> OptimizerSettings:
    """What the space advises, or the named optimiser; `lr` overrides either's rate."""
    return task.advice(space, lr=lr) if name is None else OptimizerSettings(name=name, lr=lr or DEFAULT_RATES[name])


def _race(task: Task, settings: RunSettings, picture: Tensor, archive: Path, label: str) -> Trajectory:
    """One race with its progress bar; Ctrl-C keeps the steps done, and the zip is written either way."""
    target = Target(to_unit(picture)[None])
    solver, starts = prepare(task, settings, target)
    trajectory = Trajectory.empty([lane.name for lane in solver.lanes])
    with Bar(label) as bar:
        for state in states(solver, solver.init(starts), stop=lambda: bar.stopped):
            trajectory.record(state)
            losses = {lane.name: float(now.loss) for lane, now in zip(solver.lanes, state.lanes, strict=True)}
            bar(state.step, settings.steps, losses)
    card = make_card(task, settings, picture, **result_of(trajectory))
    export_zip(archive, card, task.forward, solver.lanes, trajectory, picture)
    return trajectory
