"""The command line: `python -m landscape_core --help`."""

from __future__ import annotations

import sys

import typer

from landscape_core.commands import (
    bench,
    complete,
    defence,
    invert,
    models,
    pose,
    pose_invert,
    reproduce,
    reproduce_defence,
    reproduce_features,
    reproduce_surfaces,
    reproduce_tables,
    serve,
    sheets,
    surface,
    train,
)
from landscape_core.errors import UserError

app = typer.Typer(
    help="Invert neural networks by descent in X and in a learned Z, and look at both landscapes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(invert.invert)
app.command()(complete.complete)
app.command()(pose_invert.pose)
app.command("replay-pose")(pose_invert.replay_pose)
app.command()(surface.surface)
app.command()(defence.attack)
app.command()(defence.defend)
app.command()(bench.bench)
app.command()(models.models)
app.command()(sheets.sheets)
app.command()(serve.serve)
app.add_typer(train.app, name="train")
app.add_typer(reproduce.app, name="reproduce")
reproduce.app.command()(reproduce_surfaces.landscapes)
reproduce.app.command()(reproduce_surfaces.completions)
reproduce.app.command()(reproduce_tables.ablation)
reproduce.app.command("z-dimension")(reproduce_tables.z_dimension)
reproduce.app.command("w-plus")(reproduce_tables.w_plus)
reproduce.app.command()(reproduce_tables.budget)
reproduce.app.command()(reproduce_features.features)
reproduce.app.command()(reproduce_defence.defence)
reproduce.app.command()(pose.pose)
reproduce.app.command("pose-completions")(pose.pose_completions)


def main() -> None:
    """Run the command line; a user's mistake is one sentence on stderr and exit code 2."""
    try:
        app()
    except UserError as error:
        typer.echo(f"{error}", err=True)
        sys.exit(2)
