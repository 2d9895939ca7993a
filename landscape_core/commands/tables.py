"""`reproduce convergence` and `budget`: searches compared, on pictures or on a network of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, get_args

import torch
import typer
from torch import Tensor

from landscape_core.commands.pictures import pictures_for
from landscape_core.console import Ticker, apply_threads, command_line
from landscape_core.domains import domain_for, load_task
from landscape_core.errors import UserError
from landscape_core.experiments.results import finish
from landscape_core.generators.commands.reproduce import Work, train_and_val
from landscape_core.generators.datasets import DOMAINS, pictured
from landscape_core.generators.experiments import budget as searches
from landscape_core.generators.experiments import convergence as fig3a
from landscape_core.generators.experiments.judges import judges_for
from landscape_core.generators.experiments.picture_sets import USUAL, PictureSet, SetKind, checked_kinds, drawn, picture_sets
from landscape_core.generators.experiments.taught import taught
from landscape_core.images.sets import targets
from landscape_core.options import TASK_HELP, Data, Device, Distance, LearnedSpace, Out, Seed, Threads, UnseenSplit
from landscape_core.plugins.domain import DOMAIN as PLUGINS
from landscape_core.search.judges import Judge
from landscape_core.search.race import DEFAULT_PERCEPTUAL
from landscape_core.search.task import Task

TaskOption = Annotated[str, typer.Option("--task", "--domain", help=f"{TASK_HELP} Such a one draws its targets.")]
Kinds = Annotated[list[str], typer.Option("--set", help=f"{', '.join(get_args(SetKind))}; give it again for another.")]
TAUGHT_ON = 256  # targets
TRAIN_SEED = 1  # added to the seed of a plug-in's targets that choose rates: none of them is measured on


def budget(
    data: Data = Path("data"),
    task: TaskOption = "faces",
    number: Annotated[int, typer.Option("--targets", help="Targets per data set.", min=1)] = 50,
    tuned: Annotated[int, typer.Option("--tune-targets", help="Other targets, that choose every row's rate.", min=1)] = 8,
    evaluations: Annotated[
        list[int], typer.Option(help="Evaluations of F per target; give it again for another budget.", min=1)
    ] = [21, 201],  # noqa: B006
    teach: Annotated[
        int, typer.Option(help="Evaluations of F that a start by Reptile and a learned optimiser are each taught with.", min=0)
    ] = 0,
    work: Work = Path("runs/budget"),
    perceptual: Distance = DEFAULT_PERCEPTUAL,
    out: Out = Path("results"),
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """What people use to invert F, at equal cost: GD, Adam, ramps, L-BFGS, restarts, CMA-ES, encoder, and Z; with `--teach`,
    two rivals that are trained, too. Stop it at any time; the same command goes on."""
    apply_threads(threads)
    domain = domain_for(task)
    loaded = load_task(task, perceptual=perceptual, device=device)
    others = tuned + (TAUGHT_ON if teach else 0)
    if domain is PLUGINS:
        train, sets = _sampled(loaded, others, seed + TRAIN_SEED), {"drawn": _sampled(loaded, number, seed)}
    else:
        train, sets = train_and_val(data, number, others, seed, loaded.side, pictured(task))
    settings = searches.BudgetSettings(number, tuple(sorted(evaluations)), tuned, seed, teach)
    rows = searches.searchers_for(loaded)
    with Ticker() as tick:
        if teach:
            rows |= taught(loaded, train[tuned:], teach, seed, tick, work)
        result = searches.run_budget(loaded, train, sets, settings, command_line(), tick, rows, work)
    typer.echo(searches.markdown(result))
    finish(result, out, searches.plot)


def _sampled(task: Task, n: int, seed: int) -> Tensor:
    return task.sampled(n, torch.Generator().manual_seed(seed)).value


def convergence(
    data: Data = Path("data"),
    number: Annotated[int, typer.Option("--targets", help="Targets per set.", min=1)] = 100,
    split: UnseenSplit = "val",
    images: Annotated[Path | None, typer.Option(help="Evaluate this folder or zip of pictures instead.")] = None,
    kinds: Kinds = [*USUAL],  # noqa: B006  # typer copies it
    steps: Annotated[
        int, typer.Option(help="Steps of descent; from 2000 on the result is called converged.", min=1, max=5000)
    ] = 200,
    tuned: Annotated[int, typer.Option("--tune-targets", help="Other targets, that choose every lane's rate.", min=1)] = 12,
    task: TaskOption = "faces",
    space: LearnedSpace = None,
    work: Work = Path("runs/convergence"),
    device: Device = "cpu",
    perceptual: Distance = DEFAULT_PERCEPTUAL,
    out: Out = Path("results"),
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Fig. 3a: X against Z by the same optimiser at each lane's best rate, from the mean and from the encoder's guess, on
    real, drawn and out-of-range pictures, or on what a plug-in draws. Stop it at any time; the same command goes on."""
    apply_threads(threads)
    domain = domain_for(task)
    name = "" if domain is PLUGINS else pictured(task)
    chosen = checked_kinds(kinds)
    loaded = load_task(task, perceptual=perceptual, device=device)
    learned = loaded.z_space(space)
    loaded.space(learned)  # before minutes are spent
    settings = fig3a.ConvergenceSettings(targets=number, steps=steps, tune_targets=tuned, space=learned, seed=seed)
    judges: Sequence[Judge] = ()
    if tuple(chosen) != USUAL and (images is not None or domain is PLUGINS):
        raise UserError("--set chooses among the project's data sets, which neither --images nor a plug-in uses.")
    own = None if images is None else PictureSet(pictures_for(loaded, images, number, seed), "real")
    if domain is PLUGINS:
        train, sets = _sampled(loaded, tuned, seed + TRAIN_SEED), {"drawn": PictureSet(drawn(loaded, number, seed), "drawn")}
    else:
        train = targets(DOMAINS[name].source(data, "train", loaded.side), tuned, seed)
        judges = judges_for(perceptual, loaded.device)
        sets = picture_sets(chosen, loaded, data, split, name, number, seed) if own is None else {"images": own}
    with Ticker() as tick:
        result = fig3a.run_convergence(loaded, train, sets, settings, command_line(), tick, judges, work)
    finish(result, out, fig3a.plot)
