"""`reproduce plugins`: steps and time to a tolerance on networks of anybody's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landscape_core.console import Ticker, apply_threads, command_line
from landscape_core.experiments.results import finish
from landscape_core.options import Out, Seed, Threads, Work
from landscape_core.plugins.experiments.tolerance import ToleranceSettings, plot, run_plugins
from landscape_core.plugins.task import load_plugin_task

EXAMPLES = [f"docs/examples/{name}.py" for name in ("stylegan2", "deconvolution", "predator_prey")]


def plugins(
    tasks: Annotated[list[str], typer.Option("--task", help="A plug-in; give it again for another.")] = EXAMPLES,
    number: Annotated[int, typer.Option("--targets", help="Targets per plug-in.", min=2)] = 32,
    tuned: Annotated[int, typer.Option("--tune-targets", help="Other targets, that choose every lane's rate.", min=1)] = 16,
    steps: Annotated[int, typer.Option(help="Steps of descent at most.", min=1, max=2000)] = 100,
    buffers: Annotated[int | None, typer.Option(help="Buffers of Θ's training; the preset's where absent.", min=1)] = None,
    work: Work = Path("runs/plugins"),
    out: Out = Path("results"),
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Learn a Θ for every plug-in, and count steps and seconds to a thousandth of the start's loss, in X and in Z."""
    apply_threads(threads)
    settings = ToleranceSettings(number, tuned, steps, buffers=buffers, seed=seed)
    with Ticker() as tick:
        result = run_plugins([load_plugin_task(task) for task in tasks], settings, work, command_line(), tick)
    finish(result, out, plot)
