"""`reproduce landscapes` and `report`: what belongs to no domain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landscape_core.commands.pictures import pictures_for
from landscape_core.console import Ticker, apply_threads, command_line
from landscape_core.domains import domain_for, load_task
from landscape_core.errors import UserError, reading
from landscape_core.experiments import landscapes as fig8
from landscape_core.experiments.report import BEGIN, END, PAGE, report, with_results
from landscape_core.experiments.results import finish
from landscape_core.options import (
    ANY_TASK_HELP,
    Data,
    Device,
    Distance,
    EvaluatedSplit,
    Images,
    LearnedSpace,
    Out,
    Seed,
    Threads,
    odd,
)
from landscape_core.search.optimizers import OptimizerName
from landscape_core.search.race import DEFAULT_PERCEPTUAL
from landscape_core.storage.files import write_text
from landscape_core.surfaces.averages import LandscapeSettings
from landscape_core.surfaces.recovered import save_recovered


def write_report(results: Annotated[Path, typer.Option(help="Folder of results.")] = Path("results")) -> None:
    """Write plain answers and every table into the page of a results folder, between its markers."""
    page = results / PAGE
    if not any(results.glob("*.json")):
        raise UserError(f"There are no results in {results}; `reproduce` writes them there with --out.")
    text = f"# Results\n\n{BEGIN}\n{END}\n"
    if page.exists():
        with reading(str(page)):
            text = page.read_text(encoding="utf-8")
    write_text(page, with_results(text, report(results)))
    typer.echo(f"Wrote {page}.")


Number = Annotated[int, typer.Option("--targets", help="Targets.", min=3)]


def landscapes(
    data: Data = Path("data"),
    number: Number = 50,
    split: EvaluatedSplit = "val",
    images: Images = None,
    steps: Annotated[int, typer.Option(help="Steps of descent before the grid is laid.", min=2)] = 20,
    size: Annotated[int, typer.Option(help="Points a side of every surface, odd.", min=5, callback=odd)] = 21,
    x_optimizer: Annotated[OptimizerName | None, typer.Option(help="X's optimiser; the advised one where absent.")] = None,
    space: LearnedSpace = None,
    task: Annotated[str, typer.Option(help=ANY_TASK_HELP)] = "faces",
    perceptual: Distance = DEFAULT_PERCEPTUAL,
    embed: Annotated[
        bool, typer.Option(help="Also write the recovered directions to assets/, for `surface` and the app.")
    ] = False,
    out: Out = Path("results"),
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Appendix A, Fig. 8: convexity, minima, barriers, roughness and steepness of the loss surfaces in X and in Z."""
    apply_threads(threads)
    domain = domain_for(task)
    loaded = load_task(task, perceptual=perceptual, device=device)
    if images is not None:
        chosen, source = pictures_for(loaded, images, number, seed), images.name
    elif domain.recorded is not None:
        chosen, file = domain.recorded(loaded, data, split, number, seed)
        source = f"{file}, {split}"
    else:
        raise UserError(f"{task} has no data set of its own; give pictures with --images.")
    learned = loaded.z_space(space)
    settings = LandscapeSettings(steps=steps, size=size, space=learned, x_optimizer=x_optimizer, seed=seed)
    name = "landscapes" if loaded.name == "faces" else f"landscapes-{loaded.name}"
    with Ticker() as tick:
        result, examples, planes = fig8.run_landscapes(loaded, chosen, settings, command_line(), tick, name=name)
    finish(result, out, lambda result, picture: fig8.plot(result, examples, picture))
    if embed:
        card = save_recovered(
            loaded, planes, n=len(chosen), steps=steps, trained_on=f"latents of {len(chosen)} targets of {source}",
            licence="that of the targets' data set", command=command_line(), seed=seed,
        )  # fmt: skip
        typer.echo(f"Embedded {card.name}.")
