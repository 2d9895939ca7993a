"""`reproduce restore` and `editing`: every observation in X and in Z, and what can be made of two results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landscape_core.console import Ticker, apply_threads, command_line
from landscape_core.experiments.results import finish
from landscape_core.generators.commands.reproduce import Steps, Work, pictures_of
from landscape_core.generators.datasets import DOMAINS
from landscape_core.generators.experiments import editing as edits
from landscape_core.generators.experiments import restoring
from landscape_core.generators.experiments import restoring_claims as table
from landscape_core.generators.observing import Instrument
from landscape_core.generators.task import image_objective, load_image_task
from landscape_core.images.sets import targets
from landscape_core.options import Data, Device, Distance, EvaluatedSplit, Images, Out, Seed, Space, Threads, UnseenSplit
from landscape_core.search.editing import FARTHEST
from landscape_core.search.race import DEFAULT_PERCEPTUAL


def restore(
    data: Data = Path("data"),
    number: Annotated[int, typer.Option("--targets", help="Pictures of the split.", min=1)] = 30,
    split: UnseenSplit = "val",
    images: Images = None,
    steps: Steps = [5, 20, 200],  # noqa: B006  # typer copies it
    observations: Annotated[
        list[str], typer.Option("--observe", help="What is seen; give it again for another. All of them where absent.")
    ] = [],  # noqa: B006
    tuned: Annotated[int, typer.Option("--tune-targets", help="Pictures of train that choose every row's rate.", min=1)] = 8,
    tune_steps: Annotated[int, typer.Option(help="Steps after which rates are chosen at the latest.", min=1)] = 200,
    spread: Annotated[int, typer.Option("--spread-targets", help="Pictures that get five hypotheses.", min=1)] = 8,
    domain: Annotated[str, typer.Option(help=f"Whose generator: {', '.join(DOMAINS)}.")] = "faces",
    space: Space = "residual",
    work: Work = Path("runs/restore-tables"),
    perceptual: Distance = DEFAULT_PERCEPTUAL,
    out: Out = Path("results"),
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Every observation searched in X and in Z by the same optimisers: fit, PSNR and LPIPS to the truth, distance to the prior,
    spread. Stop it at any time; the same command goes on."""
    apply_threads(threads)
    names = tuple(str(Instrument.of(name)) for name in observations) or restoring.OBSERVATIONS
    task = load_image_task(domain, perceptual=perceptual, device=device)
    task.learned(space)
    settings = restoring.RestoreSettings(
        number, tuple(sorted(set(steps))), names, tuned, tune_steps, spread_targets=spread, space=space, seed=seed
    )
    pictures = pictures_of(data, split, images, number, seed, task.side, domain)
    train = targets(DOMAINS[domain].source(data, "train", task.side), tuned, seed)
    lpips = image_objective("lpips", task.device)[0].distance
    with Ticker() as tick:
        result = restoring.run_restore(task, train, pictures, settings, lpips, command_line(), tick, work)
    typer.echo(table.markdown(result))
    finish(result, out, table.plot)


def editing(
    data: Data = Path("data"),
    number: Annotated[int, typer.Option("--targets", help="Pictures of the split.", min=2)] = 30,
    split: EvaluatedSplit = "val",
    images: Images = None,
    steps: Annotated[int, typer.Option(help="Steps of inversion, by L-BFGS in both spaces.", min=1)] = 50,
    directions: Annotated[int, typer.Option(help="The prior's principal directions to move along.", min=1, max=100)] = 10,
    amount: Annotated[float, typer.Option(help="How far, in standard deviations.", min=0.1, max=FARTHEST)] = 2.0,
    domain: Annotated[str, typer.Option(help=f"Whose generator: {', '.join(DOMAINS)}.")] = "faces",
    space: Space = "residual",
    work: Work = Path("runs/editing"),
    perceptual: Distance = DEFAULT_PERCEPTUAL,
    out: Out = Path("results"),
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Which of two inversions at the same loss edits better: how far edited results of X and of Z leave the prior, and what the
    encoder sees of the picture then."""
    apply_threads(threads)
    task = load_image_task(domain, perceptual=perceptual, device=device)
    task.learned(space)
    pictures = pictures_of(data, split, images, number, seed, task.side, domain)
    settings = edits.EditingSettings(number, steps, directions, amount, space, seed)
    with Ticker() as tick:
        result = edits.run_editing(task, pictures, settings, command_line(), tick, work)
    typer.echo(edits.markdown(result))
    finish(result, out, edits.plot)
