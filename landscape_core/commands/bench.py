"""`bench`: what a race step costs."""

from __future__ import annotations

from typing import Annotated

import typer

from landscape_core.bench import bench_step
from landscape_core.commands.common import Device, Threads, apply_threads
from landscape_core.tasks.gan import load_image_task


def bench(
    task: Annotated[str, typer.Option(help="Embedded image task.")] = "faces",
    space: Annotated[str, typer.Option(help="Learned space that Z uses.")] = "residual",
    rounds: Annotated[int, typer.Option(help="Counted rounds.", min=5)] = 100,
    device: Device = "cpu",
    threads: Threads = 0,
) -> None:
    """Time one recorded race step (X and Z, batch 1 each) against bare passes of F at batch 2."""
    apply_threads(threads)
    cost = bench_step(load_image_task(task, device=device), space=space, rounds=rounds)
    typer.echo(f"race step                     {cost.race_step_ms:8.2f} ms")
    typer.echo(f"F and L, forward + backward   {cost.bare_objective_ms:8.2f} ms   race is {cost.ratio_objective:.2f}x")
    typer.echo(f"F alone, forward + backward   {cost.bare_forward_ms:8.2f} ms   race is {cost.ratio_forward:.2f}x")
