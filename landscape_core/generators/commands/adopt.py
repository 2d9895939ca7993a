"""`adopt`: a published checkpoint becomes a task of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landscape_core.console import checked_name, command_line
from landscape_core.generators.adopting import adopt_stylegan2
from landscape_core.storage import zoo


def adopt(
    file: Annotated[Path, typer.Argument(help="A StyleGAN2 checkpoint in the layout of the common PyTorch port ('g_ema').")],
    name: Annotated[str, typer.Option("--name", help="What the task is called, e.g. ffhq.", callback=checked_name)],
    licence: Annotated[str, typer.Option(help="Licence of the weights, for the card.")] = "unknown",
) -> None:
    """Convert a published StyleGAN2, 8 to 1024 pixels, into a task that every command on pictures and the app take by its name.

    The card says what was assumed; what does not fit is refused.
    """
    card, notices = adopt_stylegan2(file, name, licence=licence, command=command_line())
    for notice in notices:
        typer.echo(f"{file.name}: {notice}")
    typer.echo(f"Wrote {card.name} below {zoo.OWN}: {card.kind}. {card.notes}")
    typer.echo(f"Next: python -m landscape_core invert photo.jpg --task {name}")
