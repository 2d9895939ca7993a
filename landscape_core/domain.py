"""What a domain of applications registers, so that commands and the app serve it without knowing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from landscape_core.errors import UserError
from landscape_core.records.run_card import Card
from landscape_core.search.objectives import Target
from landscape_core.search.race import Perceptual, RunSettings
from landscape_core.search.task import Task


class Loader(Protocol):
    """A task by its name, on a device, with the perceptual distance where the domain has one.

    Raises:
        UserError: a model is missing or altered, or the device is not there.
    """

    def __call__(self, name: str, perceptual: Perceptual = ..., device: str = ...) -> Task: ...


@dataclass(frozen=True)
class Observed:
    """What was read from a user's file: the target (1, ...), and sentences on what was noticed."""

    target: Target
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Domain:
    """One row of the register. `names` lists its tasks; `observe` makes a target of a user's file for a loaded task: of a
    motion that frame, with its joints named by a second file where there is one. `card` is the kind of its run cards and
    `target_of` the target that one carries for its task. `recorded` draws n targets of the project's data below a folder,
    with the name of their source; None where it has no such data. `carded` makes the card of a run on one target (1, ...) of
    settings and result; None where that needs more. `perceptual` is whether its losses hold a perceptual distance to choose."""

    name: str
    names: Callable[[], Sequence[str]]
    load: Loader
    observe: Callable[[Task, Path, int, Path | None], Observed]
    card: type[Card]
    target_of: Callable[[Any, Task], Target]
    recorded: Callable[[Task, Path, str, int, int], tuple[Target, str]] | None = None
    carded: Callable[[Task, RunSettings, Target, dict[str, Any]], Card] | None = None
    perceptual: bool = False


def domain_of(task: str, domains: Sequence[Domain]) -> Domain:
    """The domain that has a task of that name.

    Raises:
        UserError: none has; the sentence lists the tasks that there are.
    """
    for domain in domains:
        if task in domain.names():
            return domain
    known = [name for domain in domains for name in domain.names()]
    raise UserError(f"There is no task {task!r}; there are: {', '.join(known)}.")


def domain_of_card(kind: str, domains: Sequence[Domain]) -> Domain:
    """The domain whose run cards are of that kind.

    Raises:
        UserError: none is.
    """
    for domain in domains:
        if domain.card.model_fields["kind"].default == kind:
            return domain
    known = ", ".join(str(domain.card.model_fields["kind"].default) for domain in domains)
    raise UserError(f"There are no run cards of the kind {kind[:60]!r}; there are: {known}.")
