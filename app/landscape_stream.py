"""Surfaces as messages for the browser: progress, and at each level that became whole everything a panel shows.

Kinds: `surfaces` (panels that changed, with the range all of them share), `progress`, `drawn` (the last).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from app.complete_stream import webp
from landscape_core.objectives import Target
from landscape_core.surface import Cache, Surface, evaluate, evaluate_all
from landscape_core.surface_export import loss_range
from landscape_core.surface_panels import Panel, figures, panel, sentences
from landscape_core.surface_views import View
from landscape_core.tasks.base import Task

Message = dict[str, Any]
THUMBNAIL = 24
INTERVAL = 0.25


def surfaces(
    task: Task, target: Target, found: Sequence[View], steps: Sequence[int], panels: list[Panel], *, cache: Cache,
    stop: Callable[[], bool], clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Message]:  # fmt: skip
    """Evaluate the views in turn, coarse first. `panels` is kept up to date in place, for whoever exports them;
    `steps` are those of the paths' points."""
    running = {v.title: evaluate(task, target, v.grid, thumbnail=THUMBNAIL, cache=cache, stop=stop) for v in found}
    sent, now = clock(), list[Surface]()
    for latest in evaluate_all(running):
        now = [latest[view.title] for view in found]
        changed = not panels or any(new.level > old.surface.level for new, old in zip(now, panels, strict=True))
        if not panels:
            panels.extend(panel(task, target, view, surface) for view, surface in zip(found, now, strict=True))
        elif changed:
            panels[:] = [refined(task, target, old, new) for old, new in zip(panels, now, strict=True)]
        if changed and all(each.surface.level for each in panels):
            yield {"kind": "surfaces", "steps": list(steps), **_drawn(panels)}
        if changed or clock() - sent >= INTERVAL:
            yield {"kind": "progress", **_counts(now, found)}
            sent = clock()
    yield {"kind": "drawn", **_counts(now, found), "reason": _reason(panels, found)}


def refined(task: Task, target: Target, standing: Panel, surface: Surface) -> Panel:
    """The panel on a finer surface; its paths, which do not change, are not evaluated again."""
    finer = panel(task, target, replace(standing.view, paths={}), surface)
    return replace(finer, view=standing.view, paths=standing.paths)


def _counts(now: Sequence[Surface], found: Sequence[View]) -> Message:
    return {"done": sum(surface.done for surface in now), "total": sum(view.grid.size**2 for view in found)}


def _drawn(panels: Sequence[Panel]) -> Message:
    low, high = loss_range(panels)
    shown = [{**finite(figures(each)), "sentences": sentences(each), "thumbnails": thumbnails(each.surface)} for each in panels]
    return {"panels": shown, "range": [low, high]}


def thumbnails(surface: Surface) -> Message | None:
    """The pictures at the points of the level drawn as one WebP sheet: row i along the first axis, column j the second."""
    if surface.thumbnails is None or surface.level == 0:
        return None
    stride = (surface.grid.size - 1) // (surface.level - 1)
    pictures = surface.thumbnails[::stride, ::stride]  # (n, n, 3, s, s)
    side = pictures.shape[-1]
    return {"side": side, "sheet": webp(sheet(pictures))}


def sheet(pictures: Tensor) -> Tensor:
    """(n, n, 3, s, s) -> (3, n·s, n·s)."""
    n, _, channels, side, _ = pictures.shape
    return pictures.permute(2, 0, 3, 1, 4).reshape(channels, n * side, n * side).contiguous()


def finite(value: Any) -> Any:
    """The same with None for what JSON cannot say, and seven figures, which is what a float32 has."""
    if isinstance(value, float):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(each) for key, each in value.items()}
    return [finite(each) for each in value] if isinstance(value, list | tuple) else value


def _reason(panels: Sequence[Panel], found: Sequence[View]) -> str:
    if not panels or any(each.surface.level == 0 for each in panels):
        return "Stopped before the first coarse surface was complete."
    if all(each.surface.level == view.grid.size for each, view in zip(panels, found, strict=True)):
        return ""
    return "Stopped; the finest complete surface is kept."
