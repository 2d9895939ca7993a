"""Starts the user interface: python app.py [--host HOST] [--port PORT]."""

from __future__ import annotations

import sys
from typing import Annotated

import typer


def main(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; the next free one is taken where 0.", min=0, max=65535)] = 7860,
) -> None:
    """Start the laboratory in the browser."""
    from app.serving import check_address
    from landscape_core.errors import UserError

    try:
        check_address(host, port)
        _serve(host, port)
    except UserError as error:
        typer.echo(f"{error}", err=True)
        sys.exit(1)


def _serve(host: str, port: int) -> None:
    from app.defence.tab import embedded_defences
    from app.runs.models import embedded_models
    from app.ui import build_app, launch_options
    from app.warm import warm_up

    models, defences = embedded_models(), embedded_defences()
    warm_up(models, defences)
    build_app(models, defences).launch(**launch_options(host=host, port=port or None))


if __name__ == "__main__":
    typer.run(main)
