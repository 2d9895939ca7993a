"""`reproduce` for generators: the tables and figures on pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from torch import Tensor

from landscape_core.console import Ticker, apply_threads, command_line
from landscape_core.experiments.results import finish
from landscape_core.experiments.rows import TableSettings, markdown
from landscape_core.generators.datasets import DOMAINS, pictured
from landscape_core.generators.experiments import ablation as table2
from landscape_core.generators.experiments import completions as fig6
from landscape_core.generators.experiments import wplus as spaces
from landscape_core.generators.experiments import z_dimension as table3
from landscape_core.generators.task import PLUS, load_image_task
from landscape_core.generators.training.theta import image_targets
from landscape_core.images.datasets import ImageSource, load_images
from landscape_core.images.sets import FACES, targets
from landscape_core.options import Data, Device, Distance, EvaluatedSplit, Images, Out, Seed, Space, Threads, pictures_from
from landscape_core.search.optimizers import OptimizerName
from landscape_core.search.race import DEFAULT_PERCEPTUAL
from landscape_core.storage.files import check_writable

Number = Annotated[int, typer.Option("--targets", help="Pictures of val per data set.", min=1)]
Tuned = Annotated[int, typer.Option("--tune-targets", help="Pictures of train that choose every row's optimiser.", min=1)]
Steps = Annotated[list[int], typer.Option("--steps", help="Number of steps to compare at; give it again for another.", min=1)]
Work = Annotated[
    Path,
    typer.Option("--work", help="Folder that keeps what is done; the same command goes on from it.", callback=check_writable),
]


def train_and_val(
    data: Path, number: int, tuned: int, seed: int, side: int, domain: str = "faces"
) -> tuple[Tensor, dict[str, Tensor]]:
    """A domain's training pictures to tune on; pictures of val, its own first, then other domains'; all at a model's side."""
    ordered = (domain, *(name for name in DOMAINS if name != domain))
    sets = {name: targets(DOMAINS[name].source(data, "val", side), number, seed) for name in ordered}
    return targets(DOMAINS[domain].source(data, "train", side), tuned, seed), sets


def ablation(
    data: Data = Path("data"),
    number: Number = 100,
    tuned: Tuned = 12,
    steps: Steps = [20, 200],  # noqa: B006  # typer copies it
    thetas: Annotated[Path, typer.Option(help="Folder of models with the Θs that are not embedded.")] = Path("runs/thetas"),
    work: Work = Path("runs/tables"),
    perceptual: Distance = DEFAULT_PERCEPTUAL,
    out: Out = Path("results"),
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Table 2: Θ in full, without alternating optimisation and buffer, and untrained, beside X; for two kinds of Θ."""
    apply_threads(threads)
    task = load_image_task("faces", perceptual=perceptual, device=device)
    spaces, cards = table2.trained_rows(task, thetas)
    train, sets = train_and_val(data, number, tuned, seed, task.side)
    settings = TableSettings(targets=number, steps=tuple(sorted(steps)), tune_targets=tuned, seed=seed, work=work)
    with Ticker() as tick:
        result = table2.run_ablation(task, spaces, cards, train, sets, settings, command_line(), tick)
    typer.echo(markdown(result))
    finish(result, out, table2.plot)


def z_dimension(
    data: Data = Path("data"),
    number: Number = 50,
    tuned: Tuned = 8,
    steps: Steps = [20, 200],  # noqa: B006  # typer copies it
    dims: Annotated[list[int], typer.Option("--dim", help="Dimension of Z; give it again for another.", min=1)] = [  # noqa: B006
        *table3.TABLE3
    ],
    buffers: Annotated[int, typer.Option(help="Buffers that every dimension's Θ is trained for.", min=1)] = 10,
    batch: Annotated[int, typer.Option("--buffer-targets", help="Targets N in a buffer.", min=1)] = 64,
    work: Work = Path("runs/z-dimension"),
    perceptual: Distance = DEFAULT_PERCEPTUAL,
    out: Out = Path("results"),
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Table 3: the loss over the dimension of Z. Trains a Θ for each; stop it at any time, the same command goes on."""
    apply_threads(threads)
    task = load_image_task("faces", perceptual=perceptual, device=device)
    train, sets = train_and_val(data, number, tuned, seed, task.side)
    defaults = table3.DimensionSettings()
    settings = table3.DimensionSettings(
        tuple(sorted(dims)),
        replace(defaults.training, buffers=buffers, targets=batch, seed=seed),
        replace(defaults.table, targets=number, steps=tuple(sorted(steps)), tune_targets=tuned, seed=seed, work=work),
    )
    sampler = image_targets(load_images(FACES.source(data, "train", task.side)))
    with Ticker() as tick:
        result = table3.run_dimensions(task, sampler, train, sets, settings, work, command_line(), tick)
    typer.echo(markdown(result))
    finish(result, out, table3.plot)


def w_plus(
    data: Data = Path("data"),
    number: Number = 50,
    tuned: Tuned = 8,
    steps: Steps = [2, 20, 200],  # noqa: B006  # typer copies it
    work: Work = Path("runs/tables"),
    perceptual: Distance = DEFAULT_PERCEPTUAL,
    out: Out = Path("results"),
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Whether a w for every layer (W+) helps, as X and with the curvature taken out, beside W. Needs faces+/theta-whitened."""
    apply_threads(threads)
    task, plus = (load_image_task(domain, perceptual=perceptual, device=device) for domain in ("faces", "faces" + PLUS))
    spaces.spaces_of(task, plus)  # before minutes are spent on it, whether all is there
    train, sets = train_and_val(data, number, tuned, seed, task.side)
    settings = TableSettings(targets=number, steps=tuple(sorted(steps)), tune_targets=tuned, seed=seed, work=work)
    with Ticker() as tick:
        result = spaces.run_wplus(task, plus, train, sets, settings, command_line(), tick)
    typer.echo(markdown(result))
    finish(result, out, table2.plot)


def pictures_of(
    data: Path, split: str, images: Path | None, number: int, seed: int, side: int, domain: str = "faces"
) -> Tensor:
    """n pictures (n, 3, side, side) of a domain's data set, or of anybody's, or all where there are fewer."""
    source = DOMAINS[pictured(domain)].source(data, split, side) if images is None else ImageSource(images, None, side)
    return pictures_from(source, number, seed)


def completions(
    data: Data = Path("data"),
    number: Annotated[int, typer.Option("--targets", help="Targets.", min=3)] = 50,
    split: EvaluatedSplit = "val",
    images: Images = None,
    k: Annotated[int, typer.Option("--number", "-k", help="Completions per face in each space.", min=2, max=64)] = 8,
    steps: Annotated[int, typer.Option(help="Steps of descent.", min=1)] = 50,
    x_optimizer: Annotated[OptimizerName | None, typer.Option(help="X's optimiser; the advised one where absent.")] = None,
    space: Space = "residual",
    work: Work = Path("runs/completions"),
    perceptual: Distance = DEFAULT_PERCEPTUAL,
    out: Out = Path("results"),
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Fig. 6 and 9: diversity of completions in the hidden part and fidelity in the visible one, X against Z. Stop it at any
    time; the same command goes on."""
    apply_threads(threads)
    task = load_image_task("faces", perceptual=perceptual, device=device)
    pictures = pictures_of(data, split, images, number, seed, task.side)
    study = fig6.CompletionStudy(k=k, steps=steps, space=space, x_optimizer=x_optimizer, seed=seed)
    with Ticker() as tick:
        result = fig6.run_completions(task, pictures, study, command_line(), tick, work)
    finish(result, out, fig6.plot)
