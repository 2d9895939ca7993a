"""`models`: what is embedded."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from landscape_core.storage import zoo


def models(
    name: Annotated[str | None, typer.Argument(help="Print this model's whole card.")] = None,
    verify: Annotated[bool, typer.Option(help="Also check every file against its card.")] = False,
) -> None:
    """List the embedded models, or print one card."""
    if name is not None:
        typer.echo(json.dumps(zoo.read_card(name).model_dump(), indent=2))
        return
    for each in zoo.names():
        card = zoo.read_card(each)
        size = zoo.weights_path(card).stat().st_size / 1e6
        if verify:
            zoo.load(each)
        typer.echo(f"{each:24} {size:6.1f} MB  {card.kind}: {card.trained_on}")
