"""`restore`: pictures that fit an observation, from the command line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from torch import Tensor

from landscape_core.console import Bar, apply_threads, leave
from landscape_core.errors import UserError
from landscape_core.generators.completion import CompletionSet, completion_sets, completion_settings, completion_solver
from landscape_core.generators.completion_export import pictures, sheet, with_visible_part
from landscape_core.generators.datasets import framing_of
from landscape_core.generators.grammar import KINDS
from landscape_core.generators.masks import PRESETS, preset, read_mask
from landscape_core.generators.observing import Instrument
from landscape_core.generators.run_card import MAX_K, MIN_K, RunCard, make_card
from landscape_core.generators.task import load_image_task
from landscape_core.images.faces import Prepared, prepare_upload
from landscape_core.images.pixels import png_bytes, to_unit
from landscape_core.options import Device, Distance, LearnedSpace, Out, PriorWeight, Seed, Threads, ZRate
from landscape_core.records.export import CARD, SHEET
from landscape_core.search.objectives import Target
from landscape_core.search.prior_term import with_prior_term
from landscape_core.search.race import DEFAULT_PERCEPTUAL, MAX_STEPS
from landscape_core.search.solver import Solver, State
from landscape_core.search.summary import result_at
from landscape_core.search.task import Task
from landscape_core.search.trajectory import states
from landscape_core.storage.files import unused, write_bytes, write_text

K = Annotated[int, typer.Option("--number", "-k", help="Completions in X and in Z, from random starts.", min=MIN_K, max=MAX_K)]
Mask = typer.Option(
    help=f"A preset ({', '.join(PRESETS)}) or a picture: what is painted light and opaque is hidden. A mask of the "
    "photograph's proportions is scaled and cropped like it; any other must be square and lies on the crop."
)
Paste = Annotated[bool, typer.Option("--paste/--whole", help="Keep the visible part of the photograph.")]
ImageTask = Annotated[str, typer.Option(help="Embedded image task, e.g. faces or cats; `models` lists them.")]
Steps = Annotated[int, typer.Option(help="Steps of descent.", min=1, max=MAX_STEPS)]


def restore(
    picture: Annotated[Path, typer.Argument(help="PNG, JPEG or WebP file; for faces, the face is found and cropped.")],
    observe: Annotated[
        str,
        typer.Option(
            help=f"What is seen of it, e.g. low-resolution:8, blur:gaussian:3, mask+noise:0.1, of: {', '.join(KINDS)}. "
            "A seed for what is random in it follows after @."
        ),
    ],
    mask: Annotated[str | None, Mask] = None,
    observed: Annotated[
        bool,
        typer.Option("--observed", help="The picture is what was observed: small, blurred or spoilt. Else that is simulated."),
    ] = False,
    out: Out = Path("runs/restore"),
    k: K = 8,
    paste: Paste = False,
    task: ImageTask = "faces",
    space: LearnedSpace = None,
    steps: Steps = 100,
    z_lr: ZRate = None,
    prior_weight: PriorWeight = 0.0,
    perceptual: Distance = DEFAULT_PERCEPTUAL,
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Search for pictures that give what was observed, from K random starts in X and in Z: a sheet, pictures, numbers.

    Nothing was trained for any kind of observation. Fidelity is the mean loss of what was observed (lower is closer);
    diversity the mean perceptual distance between two results. Ctrl-C keeps them as they are.
    """
    apply_threads(threads)
    instrument = Instrument.of(observe)
    loaded = load_image_task(task, perceptual=perceptual, device=device)
    seen = _observed(picture, loaded, instrument, mask, observed)
    settings = completion_settings(
        loaded, space=loaded.z_space(space), steps=steps, seed=seed, z_lr=z_lr, prior_weight=prior_weight, perceptual=perceptual
    )
    typer.echo(f"Observed: {instrument}. {instrument.loss_words(loaded.side)}")
    solver, starts = completion_solver(loaded, seen.target, k, settings)
    state, stopped = _run(solver, starts)
    sets = completion_sets(with_prior_term(loaded, prior_weight), solver.lanes, state, seen.target)
    card = make_card(
        loaded, settings, seen.picture, instrument=instrument, mask=seen.mask, taken=observed, k=k,
        **result_at([lane.name for lane in solver.lanes], state),
    )  # fmt: skip
    _write(unused(out / picture.stem), sets, seen.target, paste, card)
    leave(stopped=stopped)


@dataclass(frozen=True)
class _Seen:
    """A target with what its card needs: the picture, uint8 (3, H, W), and the painted mask."""

    target: Target
    picture: Tensor
    mask: Tensor | None


def _observed(path: Path, task: Task, instrument: Instrument, mask: str | None, taken: bool) -> _Seen:
    """The user's picture as the instrument sees it, or where it took the picture, that itself: its centre square."""
    if mask is not None and not instrument.painted:
        raise UserError(f"--mask goes with an observation that has a mask of one's own, as mask+blur does, not {instrument}.")
    size = task.side // instrument.factor if taken else task.side
    prepared = prepare_upload(path, size=size, framing=None if taken else framing_of(task.name))
    for notice in prepared.notices:
        typer.echo(f"{path.name}: {notice}")
    hidden = None if mask is None else _mask(mask, prepared, task.side)
    pictures = to_unit(prepared.image)[None]
    target = instrument.taken(pictures, hidden, task.side) if taken else instrument.observe(pictures, hidden)
    return _Seen(target, prepared.image, hidden)


def _mask(mask: str, prepared: Prepared, size: int) -> Tensor:
    if mask in PRESETS:
        return preset(mask, size)
    return read_mask(Path(mask), size, box=prepared.box, box_in=prepared.original_size)


def _run(solver: Solver, starts: list[Tensor]) -> tuple[State, bool]:
    """The last state, and whether Ctrl-C brought it about."""
    with Bar("completing") as bar:
        for state in states(solver, solver.init(starts), stop=lambda: bar.stopped):
            x, z = (float(lane.loss.mean()) for lane in state.lanes)
            bar(state.step, solver.max_steps, {"X": x, "Z": z})
    return state, bar.stopped


def _write(folder: Path, sets: list[CompletionSet], target: Target, paste: bool, card: RunCard) -> None:
    spaces: dict[str, dict[str, object]] = {}
    for each in sets:
        spaces[each.name] = {"diversity": each.diversity, "fidelity": each.fidelity, "losses": each.losses[each.order].tolist()}
        spaces[each.name] |= {} if each.truth is None else {"psnr": each.truth}
        truth = "" if each.truth is None else f", PSNR to the whole picture {each.truth:.1f} dB"
        typer.echo(f"{each.name}: fidelity {each.fidelity:.4g} (loss of what is seen), diversity {each.diversity:.4g}{truth}")
    shown = with_visible_part(sets, target) if paste else sets
    files = pictures(shown)
    for name, png in files.items():
        write_bytes(folder / name, png)
    write_bytes(folder / SHEET, png_bytes(sheet(target, shown)))
    content = {"settings": card.settings.model_dump(), "pasted": paste, "spaces": spaces}
    write_text(folder / "completions.json", json.dumps(content, indent=1) + "\n")
    write_text(folder / CARD, card.model_dump_json(indent=2) + "\n")
    typer.echo(f"Wrote {SHEET} (what was observed, then the closest first; X above, Z below), {len(files)} pictures, "
               f"completions.json and {CARD} (which the app replays) to {folder}.")  # fmt: skip
