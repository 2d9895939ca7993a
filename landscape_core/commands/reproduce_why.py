"""`reproduce why`: what of Z's lead is preconditioning and what was learned, for any task with a residual Θ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import torch
import typer

from landscape_core.console import Ticker, apply_threads, command_line
from landscape_core.domains import domain_for, load_task
from landscape_core.experiments import why as experiment
from landscape_core.experiments.paired import FLOOR
from landscape_core.experiments.results import finish
from landscape_core.experiments.why import WhySettings
from landscape_core.options import ANY_TASK_HELP, Data, Device, Distance, LearnedSpace, Out, Seed, Threads, UnseenSplit, Work
from landscape_core.pose.experiments.inversion import FLOORS
from landscape_core.pose.task import NAMES
from landscape_core.search.objectives import Target
from landscape_core.search.race import DEFAULT_PERCEPTUAL

USUAL = WhySettings()


def why(
    data: Data = Path("data"),
    task: Annotated[str, typer.Option(help=ANY_TASK_HELP)] = "faces",
    number: Annotated[int, typer.Option("--targets", help="Targets.", min=2)] = USUAL.targets,
    split: UnseenSplit = "val",
    steps: Annotated[int, typer.Option(help="Steps of descent.", min=2)] = USUAL.steps,
    tuned: Annotated[int, typer.Option("--tune-targets", help="Targets of train that choose every row's rate.", min=1)] = (
        USUAL.tune_targets
    ),
    products: Annotated[int, typer.Option(help="Products of the Hessian with a vector per spectrum.", min=4)] = USUAL.products,
    optimizer: Annotated[Literal["lbfgs", "adam"], typer.Option(help="The one by which all spaces are searched.")] = "lbfgs",
    space: LearnedSpace = None,
    work: Work = Path("runs/why"),
    perceptual: Distance = DEFAULT_PERCEPTUAL,
    out: Out = Path("results"),
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Spectrum of the Hessian, aim of the gradient and straight way to the end in X, in Z, and with the mean curvature taken
    out alone; and which share of the lead that has without training."""
    apply_threads(threads)
    domain = domain_for(task)
    loaded = load_task(task, perceptual=perceptual, device=device)
    learned = loaded.z_space(space)
    floors = {NAMES[observation]: floor for observation, floor in FLOORS.items()}
    settings = WhySettings(number, steps, tuned, products, optimizer, learned, seed, floors.get(task, FLOOR))
    experiment.rows_of(loaded, learned)  # before minutes are spent
    targets: dict[str, Target] = {}
    for kind, n, offset in (("train", tuned, 1), (split, number, 0)):
        drawn = None if domain.recorded is None else domain.recorded(loaded, data, kind, n, seed)[0]
        targets[kind] = drawn or loaded.sampled(n, torch.Generator().manual_seed(seed + offset))
    with Ticker() as tick:
        result = experiment.run_why(loaded, targets["train"], targets[split], settings, command_line(), tick, work)
    finish(result, out, experiment.plot)
