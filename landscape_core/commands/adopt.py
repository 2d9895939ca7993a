"""`adopt`: a published checkpoint becomes a task of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landscape_core.adopting import adopt_published
from landscape_core.console import command_line
from landscape_core.options import checked_name
from landscape_core.pose.adopting import PRIOR
from landscape_core.storage import zoo


def adopt(
    file: Annotated[
        Path,
        typer.Argument(
            help="A checkpoint of StyleGAN2 or StyleGAN1 in the layout of a common PyTorch port ('g_ema', 'g_running'), or a "
            "VPoser's folder, v1 or v2."
        ),
    ],
    name: Annotated[str, typer.Option("--name", help="What the task is called, e.g. ffhq.", callback=checked_name)],
    licence: Annotated[str, typer.Option(help="Licence of the weights, for the card.")] = "unknown",
) -> None:
    """Convert a published model into a task: a StyleGAN2 or StyleGAN1, 32 to 1024 pixels, for every command on pictures and the
    app, or a VPoser for `pose`, `follow` and `surface` on recordings and the app's Pose tab.

    The card says what was assumed; what does not fit is refused.
    """
    card, notices = adopt_published(file, name, licence=licence, command=command_line())
    for notice in notices:
        typer.echo(f"{file.name}: {notice}")
    typer.echo(f"Wrote {card.name} below {zoo.OWN}: {card.kind}. {card.notes}")
    usual = "pose recording.npz --prior" if card.name.endswith(PRIOR) else "invert photo.jpg --task"
    typer.echo(f"Next: python -m landscape_core {usual} {name}")
