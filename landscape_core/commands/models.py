"""`models`: what is embedded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from landscape_core.storage import zoo
from landscape_core.storage.bundle import add_bundle


def models(
    name: Annotated[str | None, typer.Argument(help="Print this model's whole card.")] = None,
    add: Annotated[
        Path | None, typer.Option(help=f"A bundle of a Θ (train mapping --bundle) to take over, checked, into {zoo.OWN}.")
    ] = None,
    verify: Annotated[bool, typer.Option(help="Also check every file against its card.")] = False,
) -> None:
    """List the embedded models and one's own, or print one card."""
    if add is not None:
        card = add_bundle(add)
        typer.echo(f"Added {card.name} to {zoo.OWN}: {card.kind}, trained on {card.trained_on}.")
        return
    if name is not None:
        own = name not in zoo.names() and name in zoo.names(zoo.OWN)
        typer.echo(json.dumps(zoo.read_card(name, zoo.OWN if own else zoo.ASSETS).model_dump(), indent=2))
        return
    listed = [(each, shelf) for shelf in zoo.shelves() for each in zoo.names(shelf)]
    width = max((len(each) for each, _ in listed), default=0)
    for each, shelf in listed:
        card = zoo.read_card(each, shelf)
        size = zoo.weights_path(card, shelf).stat().st_size / 1e6
        if verify:
            zoo.load(each, shelf)
        typer.echo(f"{each:{width}} {size:6.1f} MB  {card.kind}: {card.trained_on}")
