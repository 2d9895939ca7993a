"""`play`: train a playground's Θ and write what it looked like, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from landscape_core.console import Bar, apply_threads, leave
from landscape_core.errors import UserError, first_problem, reading
from landscape_core.options import Out, Seed, Threads
from landscape_core.playground.arrivals import arrivals
from landscape_core.playground.descent import descent, steps_to_tolerance, sweep, tuning_targets, unseen_targets
from landscape_core.playground.export import export_files
from landscape_core.playground.run_card import read_play_card, replayed
from landscape_core.playground.settings import Begin, DescentName, ModelName, PlaySettings, defaults
from landscape_core.playground.task import Playground, load_playground
from landscape_core.playground.training import LiveTraining
from landscape_core.records.card_file import card_text
from landscape_core.search.solver import Lane
from landscape_core.search.spaces import SearchSpace, XSpace
from landscape_core.storage.files import write_bytes

TARGETS, TUNED = 200, 100


def play(
    model: Annotated[ModelName, typer.Argument(help="The forward model; `own` takes --first and --second.")] = "arm",
    first: Annotated[str | None, typer.Option(help="y1 as an expression in x1 and x2, for `own`.")] = None,
    second: Annotated[str | None, typer.Option(help="y2 as an expression in x1 and x2, for `own`.")] = None,
    buffers: Annotated[int | None, typer.Option(help="Buffers to train; each model's own number where absent.")] = None,
    begin: Annotated[Begin | None, typer.Option(help="What Θ is before training.")] = None,
    z_dim: Annotated[int | None, typer.Option(help="Dimensions of Z, 1 to 8; other than 2 begins at random.")] = None,
    limit: Annotated[int | None, typer.Option(help="Steps of a descent at most; 200 where absent.")] = None,
    optimizer: Annotated[DescentName, typer.Option(help="The descent, in both spaces, each at its best rate.")] = "gd",
    card: Annotated[
        Path | None, typer.Option(help="Repeat this run card, or the zip of an export; but for --out all is its own.")
    ] = None,
    out: Out = Path("runs/play"),
    seed: Seed = 0,
    threads: Threads = 1,
) -> None:
    """Train a Θ for an F of two inputs and write the landscapes: HTML page, GIF, PNG, CSV and run card.

    Ctrl-C writes them of the buffers that are done, and compares nothing.
    """
    apply_threads(threads)
    if card is not None:
        _repeat(card, out)
        return
    if model != "own" and (first is not None or second is not None):
        raise UserError(f"--first and --second are the expressions of own; {model} has its own equations.")
    asked = {
        "first": first, "second": second, "buffers": buffers, "begin": begin, "z_dim": z_dim, "optimizer": optimizer,
        "limit": limit, "seed": seed,
    }  # fmt: skip
    if z_dim not in (None, 2) and begin is None:
        asked["begin"] = "random"
    training = LiveTraining(
        load_playground(_settings(model, {key: value for key, value in asked.items() if value is not None}))
    )
    with Bar("buffers") as bar:
        total = training.playground.settings.buffers
        training.run(lambda: bar(training.buffer, total, training.history[-1] if training.history else {}))
        bar(training.buffer, total, {})
    _write(training, out)
    leave(stopped=bar.stopped)
    _compare(training.playground, training.space())


def _settings(model: ModelName, changes: dict[str, Any]) -> PlaySettings:
    try:
        return PlaySettings(**{**defaults(model).model_dump(), **changes})
    except ValidationError as error:
        raise UserError(first_problem(error)) from error


def _repeat(path: Path, out: Path) -> None:
    with reading(str(path), "holds no card"):
        content = path.read_bytes()
    training, said = replayed(read_play_card(card_text(content, path.name)))
    typer.echo(said)
    _write(training, out)


def _write(training: LiveTraining, out: Path) -> None:
    """All files of the export, for the first of the unseen targets."""
    for name, content in export_files(training, unseen_targets(training.playground, 1).value[0]).items():
        write_bytes(out / name, content)
    typer.echo(f"Wrote {out / 'page.html'} and the files beside it.")


def _compare(playground: Playground, space: SearchSpace) -> None:
    """Steps to tolerance on unseen targets, a line a space, each at the best rate of a sweep on other targets."""
    name, limit = playground.settings.optimizer, playground.settings.limit
    for label, each in (("X", XSpace(playground.task.prior)), ("Z", space)):
        best = sweep(playground, each, name, tuning_targets(playground, TUNED)).best
        lane = [Lane(label, each, descent(name, best))]
        found = arrivals(steps_to_tolerance(playground, lane, unseen_targets(playground, TARGETS))[0], limit)
        median = f"more than {limit}" if found.median > limit else f"{found.median:.0f}"
        typer.echo(
            f"{label}, {name} at {best:.3g}: median {median} steps, {100 * found.share:.0f} % of {found.n} targets reached."
        )
