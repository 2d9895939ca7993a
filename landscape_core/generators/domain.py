"""How pictures and their generators are registered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from landscape_core.domain import Domain, Observed
from landscape_core.generators.datasets import DOMAINS, framing_of, pictured
from landscape_core.generators.run_card import RunCard, card_target, make_card
from landscape_core.generators.task import PLUS, domains, load_image_task
from landscape_core.images.faces import prepare_upload
from landscape_core.images.pixels import to_bytes, to_unit
from landscape_core.images.sets import targets
from landscape_core.search.objectives import Target
from landscape_core.search.race import DEFAULT_PERCEPTUAL, Perceptual, RunSettings
from landscape_core.search.task import Task


def _names() -> list[str]:
    """Every domain with a generator, and each searched in W+."""
    there = domains()
    return [*there, *(name + PLUS for name in there)]


def _load(name: str, perceptual: Perceptual = DEFAULT_PERCEPTUAL, device: str = "cpu") -> Task:
    return load_image_task(name, perceptual=perceptual, device=device)


def _observe(task: Task, path: Path, frame: int, names: Path | None) -> Observed:
    """A picture, framed as the domain's training pictures are."""
    prepared = prepare_upload(path, size=task.side, framing=framing_of(task.name))
    return Observed(Target(to_unit(prepared.image)[None]), prepared.notices)


def _recorded(task: Task, data: Path, split: str, n: int, seed: int) -> tuple[Target, str]:
    source = DOMAINS[pictured(task.name)]
    return Target(targets(source.source(data, split, task.side), n, seed)), source.file


def _carried(card: RunCard, task: Task) -> Target:
    return card_target(card, task.side)


def _carded(task: Task, settings: RunSettings, target: Target, result: dict[str, Any]) -> RunCard:
    return make_card(task, settings, to_bytes(target.value)[0], **result)


DOMAIN = Domain("generators", _names, _load, _observe, RunCard, _carried, _recorded, _carded, perceptual=True)
