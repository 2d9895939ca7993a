"""`complete`: completions of a picture, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from torch import Tensor

from landscape_core.console import Bar, Device, Distance, Out, Seed, Threads, apply_threads, leave
from landscape_core.generators.completion import CompletionSet, completion_sets, completion_settings, completion_solver
from landscape_core.generators.completion_export import pictures, sheet, with_visible_part
from landscape_core.generators.datasets import framing_of
from landscape_core.generators.masks import PRESETS, preset, read_mask
from landscape_core.generators.run_card import MAX_K, MIN_K, RunCard, make_card
from landscape_core.generators.task import load_image_task
from landscape_core.images.faces import Prepared, prepare_upload
from landscape_core.images.pixels import png_bytes, to_unit
from landscape_core.search.export import CARD, SHEET
from landscape_core.search.objectives import Target
from landscape_core.search.race import DEFAULT_PERCEPTUAL, RunSettings
from landscape_core.search.solver import State
from landscape_core.search.summary import result_at
from landscape_core.search.task import Task
from landscape_core.search.trajectory import states
from landscape_core.storage.files import unused, write_bytes, write_text


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
