"""`invert` and `complete`: a race, or completions, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from torch import Tensor

from landscape_core.console import Bar, Device, Distance, Optimizers, Out, Seed, Threads, apply_threads, columns, leave, raced
from landscape_core.errors import UserError
from landscape_core.generators.completion import CompletionSet, completion_sets, completion_settings, completion_solver
from landscape_core.generators.completion_export import pictures, sheet, with_visible_part
from landscape_core.generators.datasets import framing_of
from landscape_core.generators.export import export_zip
from landscape_core.generators.masks import PRESETS, preset, read_mask
from landscape_core.generators.run_card import MAX_K, MIN_K, RunCard, make_card
from landscape_core.generators.task import load_image_task
from landscape_core.images.faces import Prepared, prepare_upload
from landscape_core.images.pixels import png_bytes, to_unit
from landscape_core.search.export import CARD, SHEET
from landscape_core.search.objectives import Target
from landscape_core.search.race import DEFAULT_PERCEPTUAL, MAX_STEPS, LaneSettings, RunSettings, prepare
from landscape_core.search.solver import State
from landscape_core.search.spaces import Start
from landscape_core.search.summary import race_summary, result_at, result_of
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import Trajectory, states
from landscape_core.storage.files import unused, write_bytes, write_text


def invert(
    pictures: Annotated[list[Path], typer.Argument(help="Picture files; for faces, the face is found and cropped.")],
    out: Out = Path("runs/invert"),
    task: Annotated[str, typer.Option(help="Embedded image task, e.g. faces or cats; `models` lists them.")] = "faces",
    space: Annotated[str, typer.Option(help="Learned space that Z uses.")] = "residual",
    steps: Annotated[int, typer.Option(help="Steps of descent.", min=1, max=MAX_STEPS)] = 100,
    start: Annotated[Start, typer.Option(help="Where both begin.")] = "mean",
    optimizer: Optimizers = None,
    x_lr: Annotated[float | None, typer.Option(help="X's learning rate; the advised one where absent.")] = None,
    z_lr: Annotated[float | None, typer.Option(help="Z's learning rate; the advised one where absent.")] = None,
    x_first_move: Annotated[float | None, typer.Option(help="Length of X's first move by L-BFGS.")] = None,
    z_first_move: Annotated[float | None, typer.Option(help="Length of Z's first move by L-BFGS.")] = None,
    x_history: Annotated[int | None, typer.Option(help="Pairs that L-BFGS remembers in X.")] = None,
    z_history: Annotated[int | None, typer.Option(help="Pairs that L-BFGS remembers in Z.")] = None,
    device: Device = "cpu",
    perceptual: Distance = DEFAULT_PERCEPTUAL,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Race X against Z on each picture and write one zip per picture: card, losses, sheet, GIF, latents.

    A picture that cannot be used does not stop the others. Ctrl-C keeps the steps done and begins no further picture.
    """
    apply_threads(threads)
    loaded = load_image_task(task, perceptual=perceptual, device=device)
    loaded.learned(space)
    own: dict[str, dict[str, Any]] = {
        X: {"lr": x_lr, "first_move": x_first_move, "history": x_history},
        space: {"lr": z_lr, "first_move": z_first_move, "history": z_history},
    }
    lanes = tuple(
        LaneSettings(space=row, optimizer=loaded.advice(row, name, start=start, **changes))
        for name in columns(optimizer, loaded.advice(space).name)
        for row, changes in own.items()
    )
    settings = RunSettings(task=task, lanes=lanes, perceptual=perceptual, seed=seed, steps=steps, start=start)
    refused: list[str] = []
    stopped = False
    for path in pictures:
        try:
            stopped = _invert_one(path, loaded, settings, out)
        except UserError as error:
            if len(pictures) == 1:
                raise
            typer.echo(f"{path}: {error}", err=True)
            refused.append(str(path))
        if stopped:
            break
    leave(stopped=stopped, refused=refused)


def _invert_one(path: Path, task: Task, settings: RunSettings, out: Path) -> bool:
    """One picture from file to zip; whether Ctrl-C cut it short."""
    prepared = prepare_upload(path, size=task.side, framing=framing_of(task.name))
    for notice in prepared.notices:
        typer.echo(f"{path.name}: {notice}")
    archive = unused(out / f"{path.stem}.zip")
    trajectory, stopped = _race(task, settings, prepared.image, archive, path.name)
    typer.echo(f"{path.name}: {race_summary(trajectory)} Wrote {archive}.")
    return stopped


def _race(task: Task, settings: RunSettings, picture: Tensor, archive: Path, label: str) -> tuple[Trajectory, bool]:
    """One race with its progress bar; Ctrl-C keeps the steps done, and the zip is written either way. Whether it stopped it."""
    target = Target(to_unit(picture)[None])
    solver, starts = prepare(task, settings, target)
    trajectory, stopped = raced(solver, starts, label)
    card = make_card(task, settings, picture, **result_of(trajectory))
    export_zip(archive, card, task.forward, solver.lanes, trajectory, picture)
    return trajectory, stopped


def complete(
    picture: Annotated[Path, typer.Argument(help="PNG, JPEG or WebP file; for faces, the face is found and cropped.")],
    mask: Annotated[
        str,
        typer.Option(
            help=f"A preset ({', '.join(PRESETS)}) or a picture: what is painted light and opaque is hidden. A mask of the "
            "photograph's proportions is scaled and cropped like it; any other must be square and lies on the crop."
        ),
    ],
    out: Out = Path("runs/complete"),
    k: Annotated[
        int, typer.Option("--number", "-k", help="Completions in X and in Z, from random starts.", min=MIN_K, max=MAX_K)
    ] = 8,
    paste: Annotated[bool, typer.Option("--paste/--whole", help="Keep the visible part of the photograph.")] = False,
    task: Annotated[str, typer.Option(help="Embedded image task, e.g. faces or cats; `models` lists them.")] = "faces",
    space: Annotated[str, typer.Option(help="Learned space that Z uses.")] = "residual",
    steps: Annotated[int, typer.Option(help="Steps of descent.", min=1, max=2000)] = 100,
    z_lr: Annotated[float | None, typer.Option(help="Z's learning rate; the advised one where absent.")] = None,
    perceptual: Distance = DEFAULT_PERCEPTUAL,
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Complete a picture from K random starts in X and in Z: a sheet, every completion as PNG, and the numbers as JSON.

    Diversity is the mean perceptual distance between two completions in the hidden region; fidelity the mean loss in the
    visible one (lower is closer). Ctrl-C keeps the completions as they are.
    """
    apply_threads(threads)
    loaded = load_image_task(task, perceptual=perceptual, device=device)
    prepared = prepare_upload(picture, size=loaded.side, framing=framing_of(task))
    hidden = _mask(mask, prepared)
    for notice in prepared.notices:
        typer.echo(f"{picture.name}: {notice}")
    settings = completion_settings(loaded, space=space, steps=steps, seed=seed, z_lr=z_lr, perceptual=perceptual)
    target = Target(to_unit(prepared.image)[None], hidden)
    state, stopped = _run(loaded, target, k, settings)
    sets = completion_sets(loaded.objective, ["X", "Z"], state, hidden)
    card = make_card(loaded, settings, prepared.image, mask=hidden, k=k, **result_at(["X", "Z"], state))
    _write(unused(out / picture.stem), sets, target, paste, card)
    leave(stopped=stopped)


def _mask(mask: str, prepared: Prepared) -> Tensor:
    size = prepared.image.shape[-1]
    if mask in PRESETS:
        return preset(mask, size)
    original = prepared.original_size
    return read_mask(Path(mask), size, box=prepared.box, box_in=original)


def _run(task: Task, target: Target, k: int, settings: RunSettings) -> tuple[State, bool]:
    """The last state, and whether Ctrl-C brought it about."""
    assert target.mask is not None
    solver, starts = completion_solver(task, target.value, target.mask, k, settings)
    with Bar("completing") as bar:
        for state in states(solver, solver.init(starts), stop=lambda: bar.stopped):
            x, z = (float(lane.loss.mean()) for lane in state.lanes)
            bar(state.step, settings.steps, {"X": x, "Z": z})
    return state, bar.stopped


def _write(folder: Path, sets: list[CompletionSet], target: Target, paste: bool, card: RunCard) -> None:
    spaces: dict[str, object] = {}
    for each in sets:
        spaces[each.name] = {"diversity": each.diversity, "fidelity": each.fidelity, "losses": each.losses[each.order].tolist()}
        typer.echo(f"{each.name}: fidelity {each.fidelity:.4g} (visible loss), diversity {each.diversity:.4g} (hidden region)")
    shown = with_visible_part(sets, target) if paste else sets
    files = pictures(shown)
    for name, png in files.items():
        write_bytes(folder / name, png)
    write_bytes(folder / SHEET, png_bytes(sheet(target, shown)))
    content = {"settings": card.settings.model_dump(), "pasted": paste, "spaces": spaces}
    write_text(folder / "completions.json", json.dumps(content, indent=1) + "\n")
    write_text(folder / CARD, card.model_dump_json(indent=2) + "\n")
    typer.echo(f"Wrote {SHEET} (masked picture, then the closest first; X above, Z below), {len(files)} pictures, "
               f"completions.json and {CARD} (which the app replays) to {folder}.")  # fmt: skip
