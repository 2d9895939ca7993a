"""`reproduce playground`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landscape_core.console import Ticker, apply_threads, command_line
from landscape_core.experiments.results import finish
from landscape_core.options import Out, Seed, Threads
from landscape_core.playground.experiments.comparison import ComparisonSettings, markdown, plot, run_comparison


def playground(
    number: Annotated[int, typer.Option("--targets", help="Unseen targets per Θ.", min=10)] = 200,
    seeds: Annotated[int, typer.Option(help="Θs trained per forward model, each with a seed of its own.", min=1)] = 3,
    out: Out = Path("results"),
    seed: Seed = 0,
    threads: Threads = 1,
) -> None:
    """All forward models of two inputs by all optimisers: steps to tolerance in X and in Z, each at its best rate."""
    apply_threads(threads)
    with Ticker() as tick:
        result = run_comparison(ComparisonSettings(targets=number, seeds=seeds, seed=seed), command_line(), tick)
    typer.echo(markdown(result))
    finish(result, out, plot)
