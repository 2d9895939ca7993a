"""`complete`: what fits a partly hidden picture, from the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
import typer
from PIL import Image
from torch import Tensor

from landscape_core.commands.common import Bar, Device, Out, Seed, Threads, apply_threads
from landscape_core.completion import CompletionSet, completion_sets, completion_settings, completion_solver, pasted
from landscape_core.data import to_bytes, to_unit
from landscape_core.faces import Prepared, prepare_upload
from landscape_core.inversion import State
from landscape_core.masks import PRESETS, preset, read_mask
from landscape_core.runs import RunSettings
from landscape_core.tasks.base import Task
from landscape_core.tasks.gan import Perceptual, load_image_task
from landscape_core.trajectory import states


def complete(
    picture: Annotated[Path, typer.Argument(help="PNG, JPEG or WebP file; a face is found and cropped.")],
    mask: Annotated[
        str,
        typer.Option(
            help=f"A preset ({', '.join(PRESETS)}) or a picture: what is painted light and opaque is hidden. A mask of the "
            "photograph's size is cropped like it; any other is taken for the crop."
        ),
    ],
    out: Out = Path("runs/complete"),
    k: Annotated[int, typer.Option("--number", "-k", help="Completions in X and in Z, from random starts.", min=2, max=64)] = 8,
    paste: Annotated[bool, typer.Option("--paste/--whole", help="Keep the visible part of the photograph.")] = False,
    task: Annotated[str, typer.Option(help="Embedded image task.")] = "faces",
    space: Annotated[str, typer.Option(help="Learned space that Z uses.")] = "residual",
    steps: Annotated[int, typer.Option(help="Steps of descent.", min=1, max=2000)] = 100,
    z_lr: Annotated[float | None, typer.Option(help="Z's learning rate; the advised one where absent.")] = None,
    perceptual: Annotated[Perceptual, typer.Option(help="embedded, or lpips where its weights are.")] = "embedded",
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Complete a picture from K random starts in X and in Z: a sheet, every completion as PNG, and the numbers as JSON.

    Diversity is the mean perceptual distance between two completions in the hidden region; fidelity the mean loss in the
    visible one (lower is closer). Ctrl-C keeps the completions as they are.
    """
    apply_threads(threads)
    prepared = prepare_upload(picture)
    hidden = _mask(mask, prepared)
    for notice in prepared.notices:
        typer.echo(f"{picture.name}: {notice}")
    loaded = load_image_task(task, perceptual=perceptual, device=device)
    settings = completion_settings(loaded, space=space, steps=steps, seed=seed, z_lr=z_lr)
    target = to_unit(prepared.image)[None]
    state = _run(loaded, target, hidden, k, settings)
    sets = completion_sets(loaded.objective, ["X", "Z"], state, hidden)
    _write(out / picture.stem, sets, target, hidden, paste, settings)


def _mask(mask: str, prepared: Prepared) -> Tensor:
    size = prepared.image.shape[-1]
    if mask in PRESETS:
        return preset(mask, size)
    original = prepared.original_size
    return read_mask(Path(mask), size, box=prepared.box, box_in=original)


def _run(task: Task, target: Tensor, mask: Tensor, k: int, settings: RunSettings) -> State:
    solver, starts = completion_solver(task, target, mask, k, settings)
    with Bar("completing") as bar:
        for state in states(solver, solver.init(starts), stop=lambda: bar.stopped):
            x, z = (float(lane.loss.mean()) for lane in state.lanes)
            bar(state.step, settings.steps, {"X": x, "Z": z})
    return state


def _write(folder: Path, sets: list[CompletionSet], target: Tensor, mask: Tensor, paste: bool, settings: RunSettings) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    masked = target * mask
    sets = [replace(each, pictures=each.pictures.cpu(), losses=each.losses.cpu()) for each in sets]
    rows: list[Tensor] = []
    spaces: dict[str, object] = {}
    for each in sets:
        pictures = (pasted(each.pictures, target, mask) if paste else each.pictures)[each.order]
        rows.append(torch.cat([masked, pictures]))
        losses = each.losses[each.order].tolist()
        for index, completed in enumerate(to_bytes(pictures)):
            _image(completed).save(folder / f"{each.name}-{index + 1:02}.png")
        spaces[each.name] = {"diversity": each.diversity, "fidelity": each.fidelity, "losses": losses}
        typer.echo(f"{each.name}: fidelity {each.fidelity:.4g} (visible loss), diversity {each.diversity:.4g} (hidden region)")
    _sheet(rows).save(folder / "sheet.png")
    content = {"settings": settings.model_dump(), "pasted": paste, "spaces": spaces}
    (folder / "completions.json").write_text(json.dumps(content, indent=1) + "\n")
    typer.echo(f"Wrote sheet.png (masked picture, then the closest first; X above, Z below), {2 * len(losses)} pictures and "
               f"completions.json to {folder}.")  # fmt: skip


def _sheet(rows: list[Tensor]) -> Image.Image:
    """One row of pictures (n, 3, H, W) per space."""
    return _image(to_bytes(torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1)))


def _image(pixels: Tensor) -> Image.Image:
    return Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())
