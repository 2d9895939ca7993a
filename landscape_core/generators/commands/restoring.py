"""`reproduce restore`: every observation, searched by the same optimisers in X and in Z."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landscape_core.console import Data, Device, Distance, Out, Seed, Threads, apply_threads, command_line
from landscape_core.generators.commands.reproduce import Images, Space, Split, Steps, Work, conclude, pictures_of
from landscape_core.generators.datasets import DOMAINS
from landscape_core.generators.experiments import restoring
from landscape_core.generators.experiments import restoring_claims as table
from landscape_core.generators.observing import Instrument
from landscape_core.generators.task import image_objective, load_image_task
from landscape_core.images.sets import targets
from landscape_core.search.race import DEFAULT_PERCEPTUAL


def restore(
    data: Data = Path("data"),
    number: Annotated[int, typer.Option("--targets", help="Pictures of the split.", min=1)] = 30,
    split: Split = "val",
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
    conclude(
        lambda tick: restoring.run_restore(task, train, pictures, settings, lpips, command_line(), tick, work),
        table.plot, out, table.markdown,
    )  # fmt: skip
