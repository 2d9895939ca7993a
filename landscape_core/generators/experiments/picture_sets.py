"""The sets of pictures that searches are compared on: real, drawn by the generator, out of its range, noisy, partly hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.generators.datasets import DOMAINS
from landscape_core.generators.masks import preset
from landscape_core.images.sets import targets
from landscape_core.search.objectives import Target
from landscape_core.search.task import Task

SetKind = Literal["real", "drawn", "outside", "noisy", "masked"]
USUAL: tuple[SetKind, ...] = ("real", "drawn", "outside")
NOISE = 0.1  # standard deviation, of pictures in [-1, 1]
HIDDEN = "left-half"


@dataclass(frozen=True)
class PictureSet:
    """Targets of one kind."""

    target: Target
    kind: SetKind


def checked_kinds(names: list[str]) -> list[SetKind]:
    """The kinds of that name, in order and once each. Raises UserError for a name that is none."""
    known: tuple[SetKind, ...] = get_args(SetKind)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UserError(f"There is no set {', '.join(unknown)}; there are: {', '.join(known)}.")
    return [kind for kind in known if kind in names]


def picture_sets(
    kinds: Sequence[SetKind], task: Task, data: Path, split: str, domain: str, n: int, seed: int
) -> dict[str, PictureSet]:
    """n targets of every kind by the label that results have: the domain's name, and every other domain's out of range."""
    found: dict[str, PictureSet] = {}
    for kind in kinds:
        if kind == "outside":
            for other in (name for name in DOMAINS if name != domain):
                found[other] = PictureSet(Target(targets(DOMAINS[other].source(data, split, task.side), n, seed)), kind)
        elif kind == "drawn":
            found[f"{domain}, drawn"] = PictureSet(drawn(task, n, seed), kind)
        else:
            pictures = targets(DOMAINS[domain].source(data, split, task.side), n, seed)
            label = domain if kind == "real" else f"{domain}, {kind}"
            found[label] = PictureSet(_spoiled(pictures, kind, seed), kind)
    return found


def drawn(task: Task, n: int, seed: int) -> Target:
    """n pictures that the generator makes of inputs from the prior: each can be found exactly."""
    x = task.prior.sample(n, torch.Generator().manual_seed(seed))
    with torch.no_grad():
        return Target(torch.cat([task.forward(part).cpu() for part in x.split(8)]))


def _spoiled(pictures: Tensor, kind: SetKind, seed: int) -> Target:
    """Pictures (n, 3, H, W) in [-1, 1] as they are, with noise on every pixel, or with the same half of each hidden."""
    if kind == "noisy":
        noise = torch.randn(pictures.shape, generator=torch.Generator().manual_seed(seed))
        return Target((pictures + NOISE * noise).clamp(-1.0, 1.0))
    if kind == "masked":
        return Target(pictures, preset(HIDDEN, pictures.shape[-1]).repeat(len(pictures), 1, 1, 1))
    return Target(pictures)
