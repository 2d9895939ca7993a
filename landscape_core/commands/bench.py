"""`bench`: what a race step and a pair of surfaces cost."""

from __future__ import annotations

from typing import Annotated

import typer

from landscape_core.console import apply_threads
from landscape_core.domains import load_task
from landscape_core.options import ANY_TASK_HELP, Device, LearnedSpace, Threads, odd
from landscape_core.search.bench import bench_step
from landscape_core.surfaces.bench import bench_surfaces


def bench(
    task: Annotated[str, typer.Option(help=ANY_TASK_HELP)] = "faces",
    space: LearnedSpace = None,
    rounds: Annotated[int, typer.Option(help="Counted rounds.", min=5)] = 100,
    size: Annotated[int, typer.Option(help="Points a side of the two surfaces that are timed, odd.", min=5, callback=odd)] = 41,
    device: Device = "cpu",
    threads: Threads = 0,
) -> None:
    """Time one recorded race step (X and Z, batch 1 each) against bare passes of F at batch 2, and a pair of surfaces
    against the bare forward passes of its points."""
    apply_threads(threads)
    loaded = load_task(task, device=device)
    learned = loaded.z_space(space)
    cost = bench_step(loaded, space=learned, rounds=rounds)
    typer.echo(f"race step                     {cost.race_step_ms:8.2f} ms")
    typer.echo(f"F and L, forward + backward   {cost.bare_objective_ms:8.2f} ms   race is {cost.ratio_objective:.2f}x")
    typer.echo(f"F alone, forward + backward   {cost.bare_forward_ms:8.2f} ms   race is {cost.ratio_forward:.2f}x")
    pair = bench_surfaces(loaded, space=learned, size=size, thumbnail=32)
    typer.echo(
        f"{size} x {size} surfaces, X and Z   {pair.seconds:8.2f} s    the first coarse pair after {pair.coarse_seconds:.2f} s"
    )
    typer.echo(f"F and L, forward              {pair.bare_seconds:8.2f} s    surfaces are {pair.ratio:.2f}x")
    typer.echo(f"F alone, forward              {pair.bare_forward_seconds:8.2f} s    surfaces are {pair.ratio_forward:.2f}x")
