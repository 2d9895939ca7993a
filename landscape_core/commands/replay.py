"""`replay`: any run card, run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landscape_core.console import Bar, apply_threads, leave, raced
from landscape_core.defence.replaying import prepared
from landscape_core.defence.run_card import DefenceCard
from landscape_core.defence.task import load_defence
from landscape_core.domain import domain_of_card
from landscape_core.domains import DOMAINS
from landscape_core.errors import UserError, reading
from landscape_core.options import Threads
from landscape_core.playground.run_card import PlayCard, read_play_card, replayed
from landscape_core.records.card_file import card_kind, card_text
from landscape_core.records.export import CARD
from landscape_core.records.run_card import check_models, read_card, replay_promise
from landscape_core.search.race import prepare
from landscape_core.search.summary import replay_sentence


def replay(
    card: Annotated[Path, typer.Argument(help=f"{CARD} of a run, or the zip that holds it.")],
    task: Annotated[
        str | None, typer.Option(help="The plug-in that a card of one was made with: a card names it and holds no code.")
    ] = None,
    threads: Threads = 0,
) -> None:
    """Repeat the run of a card and say whether it came out the same, bit for bit."""
    apply_threads(threads)
    with reading(str(card), "holds no run card"):
        content = card.read_bytes()
    text = card_text(content, card.name)
    kind = card_kind(text, str(card))
    if kind == DefenceCard.model_fields["kind"].default:
        _replay_defence(read_card(text, DefenceCard), card.name)
        return
    if kind == PlayCard.model_fields["kind"].default:
        typer.echo(replayed(read_play_card(text))[1])
        return
    domain = domain_of_card(kind, DOMAINS)
    read = read_card(text, domain.card)
    if task is None and read.settings.task not in domain.names():
        raise UserError(f"{card.name} is of a run on {read.settings.task!r}; name its plug-in: --task mine.py.")
    loaded = domain.load(task or read.settings.task, read.settings.perceptual)
    if loaded.name != read.settings.task:
        raise UserError(f"{card.name} is of a run on {read.settings.task!r}, not on {loaded.name!r}.")
    target = domain.target_of(read, loaded).repeat(read.samples)
    if check_models(read, loaded):
        typer.echo(f"{card.name}: {replay_promise(read, loaded)}")
    trajectory, stopped = raced(*prepare(loaded, read.settings, target), card.name)
    leave(stopped=stopped)
    typer.echo(replay_sentence(read.result, trajectory) or "The card does not say how its run came out.")


def _replay_defence(card: DefenceCard, name: str) -> None:
    """A defence begins with its attack."""
    defence = load_defence(card.settings.task)
    if check_models(card, defence.task):
        typer.echo(f"{name}: {replay_promise(card, defence.task)}")
    with Bar("attack") as bar:
        solver, starts = prepared(card, defence, lambda done, total: bar(done, total, {}))
    trajectory, stopped = raced(solver, starts, name)
    leave(stopped=stopped)
    typer.echo(replay_sentence(card.result, trajectory) or "The card does not say how its run came out.")
