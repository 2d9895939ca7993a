"""Starting the user interface from the command line: what `app.py` and `python -m app` do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from app import limits
from app.settings_file import Settings, as_defaults, read_settings

WORK = Path("runs") / "trainings"


def main(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; the next free one is taken where 0.", min=0, max=65535)] = 7860,
    name: Annotated[list[str] | None, typer.Option(help="A host name by which it may be called; can be repeated.")] = None,
    task: Annotated[
        list[str] | None, typer.Option(help="A network of your own: mine.py or package.module:function; can be repeated.")
    ] = None,
    device: Annotated[
        str, typer.Option(help="Where models of pictures and plug-ins compute: cpu, cuda, mps; auto takes an accelerator.")
    ] = "cpu",
    work: Annotated[Path, typer.Option(help="Folder in which trainings are kept; a server goes on with what is there.")] = WORK,
    train: Annotated[bool, typer.Option("--train", help="Let visitors from other machines train, too.")] = False,
    settings: Annotated[
        Path | None,
        typer.Option(
            help='A TOML file of the other options: port = 7870, task = ["mine.py"]; what is typed goes before it. It may name '
            "published checkpoints (docs/models.md) and set limits (SECURITY.md), too.",
            callback=as_defaults, is_eager=True,
        ),
    ] = None,
) -> None:  # fmt: skip
    """Start the laboratory in the browser. Ctrl-C or SIGTERM ends it."""
    said = Settings() if settings is None else read_settings(settings)
    limits.put(said.limits)
    from app.memory import few_arenas
    from app.scratch import scratch
    from app.serving import Stop, check_address, is_here, leave, stoppable
    from landscape_core.errors import UserError

    few_arenas()
    try:
        check_address(host, port)
        _adopt(said.adopt)
        with stoppable(), scratch():
            _serve(host, port, [host, *(name or [])], task or [], device, work if train or is_here(host) else None)
    except UserError as error:
        typer.echo(f"{error}", err=True)
        sys.exit(1)
    except Stop:
        print("Stopped.")
        leave(0)


def _adopt(checkpoints: dict[str, str]) -> None:
    from landscape_core.adopting import adopt_missing

    for sentence in adopt_missing({name: Path(path) for name, path in checkpoints.items()}):
        print(sentence, flush=True)


def _serve(host: str, port: int, names: list[str], tasks: list[str], device: str, work: Path | None) -> None:
    from app.defence.tab import embedded_defences
    from app.runs.models import embedded_models
    from app.serving import serve
    from app.train.models import Trainable
    from app.train.queue import Trainings
    from app.ui import build_app, launch_options
    from app.warm import warm_up
    from landscape_core.errors import UserError
    from landscape_core.search.device import check_device

    where = str(check_device(device))
    print(f"Models of pictures and plug-ins compute on {where}, poses and defences on cpu.", flush=True)
    models, defences = embedded_models(plugins=tasks, device=where), embedded_defences()
    trainings = None
    try:
        trainings = None if work is None else Trainings(work, Trainable(models), device=where)
    except UserError as error:
        print(f"Nothing is trained here: {error}", flush=True)
    warm_up(models, defences)
    try:
        app = build_app(models, defences, trainings=trainings)
        serve(app, launch_options(host=host, port=port or None, names=names))
    finally:
        if trainings is not None:
            trainings.close()
