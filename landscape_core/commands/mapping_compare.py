"""`train mapping-compare`: which Θ serves pictures best."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landscape_core.commands.common import BoxOption, Pictures, Seed, Split, Threads, Work, apply_threads, parse_box
from landscape_core.commands.reproduce import Ticker, command_line
from landscape_core.data import ImageSource, load_images
from landscape_core.errors import UserError
from landscape_core.reproduce.rows import TableSettings
from landscape_core.training.comparing import note_on_card, written
from landscape_core.training.image_compare import compare
from landscape_core.training.theta import MAPPING_PRESETS, published_name

Tuned = Annotated[int, typer.Option("--tune-targets", help="Other held-out pictures, that choose the optimisers.", min=1)]
Steps = Annotated[list[int], typer.Option("--steps", help="After how many steps; give it again for more.", min=1)]


def mapping_compare(
    data: Pictures,
    split: Split = None,
    box: BoxOption = None,
    domain: Annotated[str, typer.Option(help="Whose generator, e.g. faces.")] = "faces",
    presets: Annotated[
        str, typer.Option(help="Candidates; each gets as many evaluations of F as the first.")
    ] = "residual,flow,statistics,plain,paper",
    buffers: Annotated[int, typer.Option(help="Buffers of the first candidate.", min=1)] = 12,
    targets: Annotated[int, typer.Option(help="Held-out pictures to compare on.", min=1)] = 32,
    tuned: Tuned = 6,
    steps: Steps = [2, 20, 200],  # noqa: B006  # typer copies it
    work: Work = Path("runs/mapping-compare"),
    note: Annotated[bool, typer.Option("--note", help="Put the table on the first candidate's card.")] = False,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Learn several Θ on seven eighths of the pictures and compare them, and X, on the rest."""
    apply_threads(threads)
    names = presets.split(",")
    unknown = [name for name in names if name not in MAPPING_PRESETS]
    if unknown:
        raise UserError(f"There is no preset {unknown[0]!r}; there are: {', '.join(MAPPING_PRESETS)}.")
    images = load_images(ImageSource(data, split, 64, parse_box(box)))
    settings = TableSettings(targets, tuple(sorted(steps)), tuned, seed=seed, work=work / "curves")
    ticker = Ticker()
    table = compare(domain, names, images, buffers, settings, work, ticker)
    ticker.close()
    typer.echo(written(table))
    if note:
        note_on_card(published_name(domain, names[0]), table, command_line())
