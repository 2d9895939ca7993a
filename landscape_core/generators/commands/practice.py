"""`reproduce fragile` and `cost`: what one wants to know before one relies on Θ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landscape_core.console import Ticker, apply_threads, command_line
from landscape_core.experiments.results import finish
from landscape_core.generators.commands.reproduce import Number, Steps, Work, pictures_of
from landscape_core.generators.datasets import DOMAINS
from landscape_core.generators.experiments import cost as costs
from landscape_core.generators.experiments import fragile as fragility
from landscape_core.generators.experiments.cost import CostSettings, Training
from landscape_core.generators.experiments.fragile import FragileSettings
from landscape_core.generators.task import load_image_task
from landscape_core.generators.training.theta import picture_preset, published_name
from landscape_core.options import Data, Device, Distance, Out, Seed, Space, Threads
from landscape_core.search.race import DEFAULT_PERCEPTUAL
from landscape_core.storage import zoo


def fragile(
    data: Data = Path("data"), number: Number = FragileSettings.targets,
    steps: Steps = [*FragileSettings.steps],  # noqa: B006  # typer copies it
    restarts: Annotated[int, typer.Option(help="Random starts of every target.", min=1)] = FragileSettings.restarts,
    space: Space = FragileSettings.space, work: Work = Path("runs/fragile"), perceptual: Distance = DEFAULT_PERCEPTUAL,
    out: Out = Path("results"), device: Device = "cpu", seed: Seed = 0, threads: Threads = 0,
) -> None:  # fmt: skip
    """Loss over rate and steps in X and in Z, failures over random restarts, and whether drawn inputs are found again."""
    apply_threads(threads)
    task = load_image_task("faces", perceptual=perceptual, device=device)
    task.learned(space)
    settings = FragileSettings(number, tuple(sorted(set(steps))), restarts, space, seed)
    pictures = pictures_of(data, "val", None, number, seed, task.side)
    with Ticker() as tick:
        result = fragility.run_fragile(task, pictures, settings, command_line(), tick, work)
    finish(result, out, fragility.plot)


def cost(
    data: Data = Path("data"), number: Number = CostSettings.targets,
    steps: Annotated[int, typer.Option(help="Steps in Z, whose loss X has to reach.", min=1)] = CostSettings.steps,
    most: Annotated[int, typer.Option(help="Steps in X at the most.", min=1)] = CostSettings.most,
    space: Space = CostSettings.space, work: Work = Path("runs/cost"), perceptual: Distance = DEFAULT_PERCEPTUAL,
    out: Out = Path("results"), device: Device = "cpu", seed: Seed = 0, threads: Threads = 0,
) -> None:  # fmt: skip
    """Θ's training in pictures that X inverts to the same loss, and after how many pictures it has paid; every domain."""
    apply_threads(threads)
    per_buffer = picture_preset(space).training.targets
    tasks = {name: load_image_task(name, perceptual=perceptual, device=device) for name in DOMAINS}
    pictures = {name: pictures_of(data, "val", None, number, seed, task.side, name) for name, task in tasks.items()}
    trainings = {
        name: Training.of(zoo.read_card(published_name(name, space)), zoo.read_card(f"{name}/generator"), per_buffer)
        for name in tasks
    }
    settings = CostSettings(number, steps, most, space, seed)
    with Ticker() as tick:
        result = costs.run_cost(tasks, pictures, trainings, settings, command_line(), tick, work)
    finish(result, out, costs.plot)
