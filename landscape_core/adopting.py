"""Published checkpoints of every kind as tasks of one's own."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from landscape_core.errors import UserError
from landscape_core.generators.adopting import adopt_stylegan
from landscape_core.pose.adopting import PRIOR, adopt_vposer, is_vposer, snapshot
from landscape_core.storage import zoo


def adopt_published(path: Path, name: str, *, licence: str, command: str) -> tuple[zoo.Card, tuple[str, ...]]:
    """Convert a StyleGAN2, a StyleGAN1 or a VPoser; the card, and what a user should know about how the file was read.

    Raises:
        UserError: it is none of these, does not fit, or the name is taken.
    """
    if is_vposer(path):
        return adopt_vposer(path, name, licence=licence, command=command), ()
    return adopt_stylegan(path, name, licence=licence, command=command)


def adopt_missing(checkpoints: Mapping[str, Path]) -> Iterator[str]:
    """Convert those of some checkpoints, by the tasks' names, that were not converted before: a sentence for each.

    Raises:
        UserError: as `adopt_published`, or a task of that name was made of another file.
    """
    there = zoo.names(zoo.OWN)
    for name, path in checkpoints.items():
        card = next((each for each in (f"{name}/generator", f"{name}{PRIOR}") if each in there), None)
        if card is None:
            command = f"python -m landscape_core adopt {shlex.quote(str(path))} --name {name}"
            made, notices = adopt_published(path, name, licence="unknown", command=command)
            yield " ".join((f"{path.name} is the task {name}: {made.kind}.", *notices))
            continue
        made_of, file = zoo.read_card(card, zoo.OWN).trained_on, snapshot(path) if is_vposer(path) else path
        if not made_of.endswith(f"read from {file.name}"):
            raise UserError(
                f"The task {name!r} is another one ({made_of}) than {file.name}; call it something else, or remove "
                f"{zoo.OWN / name}."
            )
