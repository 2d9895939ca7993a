"""`invert`: a race on a user's files, from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from typing_extensions import TypedDict

from landscape_core import processes
from landscape_core.console import apply_threads, leave, raced
from landscape_core.domain import Domain
from landscape_core.domains import domain_for, load_task
from landscape_core.errors import UserError
from landscape_core.images.datasets import SUFFIXES, pictures_in
from landscape_core.options import (
    TASK_HELP,
    Device,
    Distance,
    LearnedSpace,
    Optimizers,
    Out,
    PriorWeight,
    Seed,
    Threads,
    XRate,
    ZRate,
    columns,
)
from landscape_core.records.run_zip import run_zip
from landscape_core.search.race import DEFAULT_PERCEPTUAL, MAX_STEPS, LaneSettings, RunSettings, prepare
from landscape_core.search.spaces import Start
from landscape_core.search.summary import race_summary, result_of
from landscape_core.search.task import Task, X
from landscape_core.storage.files import unused, write_bytes


class _Ending(TypedDict):
    """How the command ends; see `leave`."""

    stopped: bool
    refused: list[str]


@dataclass(frozen=True)
class _Inverted:
    """One file's zip, what is said of it, and whether Ctrl-C cut it short."""

    content: bytes
    notices: Sequence[str]
    summary: str
    stopped: bool


def invert(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Pictures, or folders of them; for faces, the face is found and cropped. For a plug-in what it reads."
        ),
    ],
    out: Out = Path("runs/invert"),
    task: Annotated[str, typer.Option(help=TASK_HELP)] = "faces",
    space: LearnedSpace = None,
    steps: Annotated[int, typer.Option(help="Steps of descent.", min=1, max=MAX_STEPS)] = 100,
    start: Annotated[
        Start, typer.Option(help="mean: each at its space's origin. random: at one x, drawn by --seed. encoder: at its guess.")
    ] = "mean",
    optimizer: Optimizers = None,
    x_lr: XRate = None,
    z_lr: ZRate = None,
    x_first_move: Annotated[float | None, typer.Option(help="Length of X's first move by L-BFGS.")] = None,
    z_first_move: Annotated[float | None, typer.Option(help="Length of Z's first move by L-BFGS.")] = None,
    x_history: Annotated[int | None, typer.Option(help="Pairs that L-BFGS remembers in X.")] = None,
    z_history: Annotated[int | None, typer.Option(help="Pairs that L-BFGS remembers in Z.")] = None,
    prior_weight: PriorWeight = 0.0,
    device: Device = "cpu",
    perceptual: Distance = DEFAULT_PERCEPTUAL,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Race X against Z on each file and write one zip per file: README, card, measures, chart, pictures, film, latents.

    A file that cannot be used does not stop the others. Ctrl-C keeps the steps done and begins no further file.
    """
    apply_threads(threads)
    domain = domain_for(task)
    if domain.carded is None:
        raise UserError(f"{task} has a command of its own: {domain.name}.")
    loaded = load_task(task, perceptual=perceptual, device=device)
    chosen = loaded.z_space(space)
    loaded.learned(chosen)
    own: dict[str, dict[str, Any]] = {
        X: {"lr": x_lr, "first_move": x_first_move, "history": x_history},
        chosen: {"lr": z_lr, "first_move": z_first_move, "history": z_history},
    }
    lanes = tuple(
        LaneSettings(space=row, optimizer=loaded.advice(row, name, start=start, **changes))
        for name in columns(optimizer, loaded.advice(chosen).name)
        for row, changes in own.items()
    )
    settings = RunSettings(
        task=loaded.name, lanes=lanes, perceptual=perceptual, seed=seed, steps=steps, start=start, prior_weight=prior_weight
    )
    paths = [path for each in files for path in _paths(each)]
    leave(**_write_all(paths, domain, loaded, settings, out))


def _write_all(paths: Sequence[Path], domain: Domain, task: Task, settings: RunSettings, out: Path) -> _Ending:
    """Invert each file and write its zip, as it is done; several processes take the files in turns."""
    ending = _Ending(stopped=False, refused=[])
    inverted = processes.in_turns(partial(_tried, domain, task, settings), paths, stop=lambda: ending["stopped"])
    for path, found in zip(paths, inverted, strict=False):  # fewer where it was stopped
        if isinstance(found, UserError):
            if len(paths) == 1:
                raise found
            typer.echo(f"{path}: {found}", err=True)
            ending["refused"].append(str(path))
            continue
        archive = unused(out / f"{path.stem}.zip")
        write_bytes(archive, found.content)
        for notice in found.notices:
            typer.echo(f"{path.name}: {notice}")
        typer.echo(f"{path.name}: {found.summary} Wrote {archive}.")
        ending["stopped"] |= found.stopped
    return ending


def _paths(path: Path) -> list[Path]:
    """All pictures in a folder, or the file itself."""
    if not path.is_dir():
        return [path]
    if not (names := pictures_in(path)):
        raise UserError(f"There is no picture in the folder {path}; looked for: {', '.join(SUFFIXES)}.")
    return [path / name for name in names]


def _tried(domain: Domain, task: Task, settings: RunSettings, path: Path) -> _Inverted | UserError:
    try:
        return _inverted(domain, task, settings, path)
    except UserError as refused:
        return refused


def _inverted(domain: Domain, task: Task, settings: RunSettings, path: Path) -> _Inverted:
    """One file from reading to zip, which Ctrl-C leaves with the steps done."""
    assert domain.carded is not None
    observed = domain.observe(task, path, 0, None)
    solver, starts = prepare(task, settings, observed.target)
    trajectory, stopped = raced(solver, starts, path.name)
    card = domain.carded(task, settings, observed.target, result_of(trajectory))
    content = run_zip(card, task, solver.lanes, trajectory, observed.target)
    return _Inverted(content, observed.notices, race_summary(trajectory), stopped)
