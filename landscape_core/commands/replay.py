"""`replay`: any run card, run again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from landscape_core.console import Threads, apply_threads, leave, raced
from landscape_core.domains import DOMAINS
from landscape_core.errors import reading
from landscape_core.search.card_file import card_text
from landscape_core.search.domain import domain_of_card
from landscape_core.search.export import CARD
from landscape_core.search.race import prepare
from landscape_core.search.run_card import check_models, read_card, replay_promise
from landscape_core.search.summary import replay_sentence


def replay(
    card: Annotated[Path, typer.Argument(help=f"{CARD} of a run, or the zip that holds it.")], threads: Threads = 0
) -> None:
    """Repeat the run of a card and say whether it came out the same, bit for bit."""
    apply_threads(threads)
    with reading(str(card), "holds no run card"):
        content = card.read_bytes()
    text = card_text(content, card.name)
    domain = domain_of_card(_kind(text, card), DOMAINS)
    read = read_card(text, domain.card)
    task = domain.load(read.settings.task, read.settings.perceptual)
    target = domain.target_of(read, task)
    if check_models(read, task):
        typer.echo(f"{card.name}: {replay_promise(read, task)}")
    trajectory, stopped = raced(*prepare(task, read.settings, target), card.name)
    leave(stopped=stopped)
    typer.echo(replay_sentence(read.result, trajectory) or "The card does not say how its run came out.")


def _kind(text: str, path: Path) -> str:
    with reading(str(path), "is not a run card that can be replayed"):
        content = json.loads(text)
    return str(content.get("kind")) if isinstance(content, dict) else "none"
