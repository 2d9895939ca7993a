"""`replay`: any run card, run again."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Annotated

import typer

from landscape_core.console import Threads, apply_threads, raced
from landscape_core.domains import DOMAINS
from landscape_core.errors import UserError
from landscape_core.search.domain import domain_of_card
from landscape_core.search.export import CARD
from landscape_core.search.race import prepare
from landscape_core.search.run_card import check_models, read_card
from landscape_core.search.summary import replay_sentence


def replay(
    card: Annotated[Path, typer.Argument(help=f"{CARD} of a run, or the zip that holds it.")], threads: Threads = 0
) -> None:
    """Repeat the run of a card and say whether it came out the same, bit for bit."""
    apply_threads(threads)
    text = _card_text(card)
    domain = domain_of_card(_kind(text, card), DOMAINS)
    read = read_card(text, domain.card)
    task, target = domain.load(read.settings.task, read.settings.perceptual), domain.target_of(read)
    for name in check_models(read, task):
        typer.echo(f"The model {name} is not the one that the card was made with.")
    trajectory = raced(*prepare(task, read.settings, target), card.name)
    typer.echo(replay_sentence(read.result, trajectory) or "The card does not say how its run came out.")


def _kind(text: str, path: Path) -> str:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{path} is not a run card that can be replayed: {error}.") from error
    return str(content.get("kind")) if isinstance(content, dict) else "none"


def _card_text(path: Path) -> str:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return archive.read(CARD).decode("utf-8")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} holds no run card: {error}") from error
