"""`check`: whether a plug-in is one."""

from __future__ import annotations

from typing import Annotated

import torch
import typer

from landscape_core.console import leave
from landscape_core.plugins.check import faults, remarks
from landscape_core.plugins.loading import load_plugin
from landscape_core.plugins.task import load_plugin_task
from landscape_core.search.task import Task


def check(
    plugin: Annotated[str, typer.Argument(help="mine.py, mine.py:function, package.module:function, or an entry point.")],
) -> None:
    """Say what is wrong with a plug-in, a sentence for each fault; or, where all is well, what it is and what comes next."""
    made = load_plugin(plugin).task
    made.forward.eval()
    found = faults(made)
    for sentence in (*found, *remarks(made)):
        typer.echo(f"- {sentence}")
    if found:
        leave(stopped=False, refused=[plugin])
    typer.echo(_described(load_plugin_task(plugin)))
    typer.echo(f"Next: python -m landscape_core train mapping --task {plugin}")


@torch.no_grad()
def _described(task: Task) -> str:
    """The task in a line: "decay: F (B, 2) -> (B, 16), SquaredError; learned spaces: random."."""
    output = task.forward(task.prior.mean[None])
    shape = ", ".join(map(str, ("B", *output.shape[1:])))
    spaces = ", ".join(task.mappings)
    return (
        f"{task.name}: F (B, {len(task.prior.mean)}) -> ({shape}), {type(task.objective).__name__}; learned spaces: {spaces}."
    )
