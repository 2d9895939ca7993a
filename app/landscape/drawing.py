"""What is kept of a drawing, and what all drawings share: models, grids, and the paper's planes once they are found."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from app.landscape.plan import OWN_SAMPLES
from app.runs.jobs import Job
from app.runs.models import Models
from app.runs.session import Message
from app.runs.standing import Standing
from landscape_core.search.task import Task
from landscape_core.surfaces.averages import Averages
from landscape_core.surfaces.cut import Cut
from landscape_core.surfaces.panels import Panel
from landscape_core.surfaces.planes import Plane
from landscape_core.surfaces.recovered import load_recovered
from landscape_core.surfaces.views import recovering

KEPT_GRIDS = 24
Planes = tuple[Mapping[str, Plane] | None, str]


class Recent(OrderedDict[str, Any]):
    """A mapping that forgets its oldest entries beyond `most`."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        while len(self) > self.most:
            self.popitem(last=False)


@dataclass
class Resources:
    """What all visitors share: models with the threads that passes of F are made in, grids by content, recovered planes."""

    models: Models
    grids: Recent = field(default_factory=lambda: Recent(KEPT_GRIDS))
    planes: Recent = field(default_factory=lambda: Recent(KEPT_GRIDS))


@dataclass
class Drawing(Job):
    """One press of Run, in progress or at rest. `stop` is asked between steps and between batches of points; `averages`
    are what experiments found, `live` what was measured here the `measured`th time; `settings` are in words, for exports, and
    `steps` those of the paths' points.
    """

    standing: Standing | None = None
    settings: dict[str, object] = field(default_factory=dict)
    steps: list[int] = field(default_factory=list)
    panels: list[Panel] = field(default_factory=list)
    cut: Cut | None = None
    averages: list[Averages] = field(default_factory=list)
    live: Averages | None = None
    measured: int = 0


def recovered(
    shared: Resources, task: Task, space: str, *, needed: bool, stop: Callable[[], bool]
) -> Generator[Message, None, Planes]:
    """The paper's planes by space and where they are from: kept, embedded, or (where `needed`) found now.

    Raises:
        UserError: the task has no random targets, or `stop` said so before they were recovered.
    """
    key = f"{space} {sorted(task.hashes.items())} {type(task.objective).__name__} {id(task)}"
    if key not in shared.planes:
        planes: Mapping[str, Plane] | None
        planes, said = load_recovered(task, space), "The plane's directions are embedded with the models."
        if planes is None and needed:
            planes = yield from own_planes(task, space, stop)
            said = f"The plane's directions are those of {OWN_SAMPLES} random targets."
        if planes is None:
            return None, ""
        shared.planes[key] = planes, said
    found: Planes = shared.planes[key]
    return found


def own_planes(task: Task, space: str, stop: Callable[[], bool]) -> Generator[Message, None, Mapping[str, Plane]]:
    """Appendix A's planes from random targets, where none are embedded for these models."""
    targets = task.sampled(OWN_SAMPLES, torch.Generator().manual_seed(0))
    going = recovering(task, space, targets, stop=stop)
    while True:
        try:
            done, total = next(going)
        except StopIteration as over:
            planes: Mapping[str, Plane] = over.value
            return planes
        share = f"{100 * done / total:.0f}\u00a0%"
        yield {"kind": "wait", "text": f"Recovering {OWN_SAMPLES} random targets, once, for the paper's plane: {share}…",
               "share": done / total}  # fmt: skip
