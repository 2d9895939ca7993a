"""Runs and their surfaces as messages for the browser, of any task whose outputs can be seen as pictures.

Kinds: `begin`, `frames` and `end` as in a race's stream; `averages` (what experiments found); `surfaces` (whole panels at
each level that became complete, with the range all of them share), `cut` (a whole one), `progress`, `drawn` (the last).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from app.landscape.drawing import Drawing
from app.runs.legs import png
from app.runs.session import Message
from app.runs.standing import Standing
from landscape_core.images.pixels import webp
from landscape_core.search.judges import psnr
from landscape_core.search.objectives import Target
from landscape_core.search.summary import race_summary, reached
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import Trajectory, evenly
from landscape_core.surfaces.averages import Averages
from landscape_core.surfaces.cut import cut_between, cut_figures, cut_sentence
from landscape_core.surfaces.cut_export import PLACES
from landscape_core.surfaces.look import loss_range
from landscape_core.surfaces.panels import Panel, enough, figures, panel
from landscape_core.surfaces.surface import Cache, Surface, evaluate, evaluate_all
from landscape_core.surfaces.verdict import verdict, warnings
from landscape_core.surfaces.views import View
from landscape_core.threads import InTurns

THUMBNAIL = 32
INTERVAL = 0.25
LANES = "XZ"
BATCH = 32  # steps in a message
POINTS = 16  # of a grid at once: few, so that threads share a coarse surface evenly and Stop waits for little
FEW = 11  # points of a path on the first surfaces


def target_message(task: Task, target: Target, label: str) -> Message:
    """What is searched for, before anything is run."""
    return {"kind": "target", "target": png(task.shown(None, target)[0]), "label": label}


def begin(number: int, standing: Standing, path: Trajectory, plan: str) -> Message:
    """A run that is over, `path` being the steps that are told of it; `plan` is the key of what is drawn of it."""
    return {
        **target_message(standing.task, standing.target, standing.label),
        "kind": "begin",
        "number": number,
        "of": standing.key,
        "plan": plan,
        "lanes": [lane.name for lane in path.lanes],
        "table": _table(standing.optimiser),
        "settings": standing.settings,
        "limit": standing.trajectory.steps[-1],
        "every": [1, 1],
    }


def steps(standing: Standing, path: Trajectory, in_turns: InTurns) -> Iterator[Message]:
    """The steps of `path` with their pictures, and the end with the summary of the whole run."""
    for first in range(0, len(path.steps), BATCH):
        part = slice(first, first + BATCH)
        columns = in_turns(partial(_columns, standing, path, part), LANES)
        yield {"kind": "frames", "steps": path.steps[part], "lanes": dict(zip(LANES, columns, strict=True))}
    whole = standing.trajectory
    lanes = {lane: {"best": _still(standing, lane, best=True), "last": _still(standing, lane, best=False)} for lane in LANES}
    summary = race_summary(whole)
    yield {"kind": "end", "reason": "", "summary": summary, "lanes": lanes, "reached": reached(whole, fast="Z", slow="X")}


def _table(optimiser: str) -> Message:
    """By what both lanes descend, where it is known."""
    words = {"optimiser": optimiser, "settings": "with the run's own settings"}
    return {lane: {"cell": lane, **words} for lane in "XZ"} if optimiser else {}


def _columns(standing: Standing, path: Trajectory, part: slice, lane: str) -> Message:
    record = path.lane(lane)
    pictures, quality = _seen(standing, lane, torch.cat(record.variables[part]))
    return {
        "loss": [finite(float(loss[0])) for loss in record.losses[part]],
        "seconds": record.seconds[part],
        "psnr": quality,
        "png": [png(picture) for picture in pictures],
    }


def _still(standing: Standing, lane: str, *, best: bool) -> Message:
    record = standing.trajectory.lane(lane)
    losses = record.loss_table()[:, 0].nan_to_num(torch.inf)
    at = int(losses.argmin()) if best else len(losses) - 1
    pictures, quality = _seen(standing, lane, record.variables[at])
    loss = finite(float(record.losses[at][0]))
    return {"step": standing.trajectory.steps[at], "loss": loss, "psnr": quality[0], "png": png(pictures[0])}


@torch.no_grad()
def _seen(standing: Standing, lane: str, variables: Tensor) -> tuple[Tensor, list[float | None]]:
    """What F makes of variables (n, dim) of a lane as pictures, and in dB how near, where outputs are pictures."""
    task = standing.task
    outputs = task.forward(task.space(X if lane == X else standing.space).to_x(variables))
    pictures = task.shown(outputs, standing.target).cpu()
    if task.picture is not None:
        return pictures, [None] * len(pictures)
    return pictures, [finite(value) for value in psnr(outputs, standing.target.value.to(outputs)).tolist()]


def surfaces(
    drawing: Drawing, standing: Standing, found: Sequence[View], steps: Sequence[int], told: Iterator[Message], *, note: str,
    cache: Cache, in_turns: InTurns, clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Message]:  # fmt: skip
    """Evaluate the views in turn, coarse first. `steps` are those of the paths' points, few of which are on the first
    surfaces: all are once these have a shape, after the messages `told`. The drawing's panels are kept up to date in place, for
    whoever exports them. `note` says where the planes are from."""
    task, target, panels, stop = standing.task, standing.target, drawing.panels, drawing.stop.is_set
    running = {
        v.title: evaluate(
            task, target, v.grid, batch=POINTS, thumbnail=THUMBNAIL, cache=cache, stop=stop, in_turns=in_turns
        )
        for v in found
    }  # fmt: skip

    def place(surfaces: Sequence[Surface], at: Sequence[int]) -> None:
        """Panels with these of the paths' points."""
        drawing.steps = [steps[i] for i in at]
        pairs = [(view.thinned(at), surface) for view, surface in zip(found, surfaces, strict=True)]
        panels[:] = in_turns(lambda pair: panel(task, target, *pair), pairs)

    sent, now, shown = clock(), list[Surface](), None
    for latest in evaluate_all(running):
        now = [latest[view.title] for view in found]
        levels = [surface.level for surface in now]
        if changed := levels != shown:
            if shown is None:
                place(now, evenly(len(steps), FEW))
            else:
                panels[:] = [refined(task, target, old, new) for old, new in zip(panels, now, strict=True)]
            shown = levels
        if changed and all(levels):
            yield _surfaces(drawing, note)
            if all(enough(surface) or surface.level == surface.grid.size for surface in now):
                yield from told
                if len(drawing.steps) < len(steps) and not stop():
                    place(now, range(len(steps)))
                    yield _surfaces(drawing, note)
        if changed or clock() - sent >= INTERVAL:
            yield {"kind": "progress", **_counts(now, found)}
            sent = clock()
    yield from told  # where it was stopped before
    yield {"kind": "drawn", **_counts(now, found), "reason": _reason(panels, found)}


def line(drawing: Drawing, size: int) -> Iterator[Message]:
    """The cut between both ends of the run that stands, with twice as many points as a surface has a side."""
    standing, total = drawing.standing, 2 * size - 1
    assert standing is not None
    for cut in cut_between(
        standing.task, standing.target, standing.trajectory, standing.space, size=total, stop=drawing.stop.is_set
    ):
        drawing.cut = cut
        yield {"kind": "progress", "done": int(torch.isfinite(cut.losses).sum()), "total": total}
    whole = drawing.cut is not None and drawing.cut.whole
    if drawing.cut is not None and whole:
        yield {"kind": "cut", **finite(cut_figures(drawing.cut)), "verdict": cut_sentence(drawing.cut), "axis": PLACES}
    reason = "" if whole else "Stopped before the cut was complete."
    yield {"kind": "drawn", "done": total if whole else 0, "total": total, "reason": reason}


def refined(task: Task, target: Target, standing: Panel, surface: Surface) -> Panel:
    """The panel on a finer surface; its paths, which do not change, are not evaluated again."""
    finer = panel(task, target, replace(standing.view, paths={}), surface)
    return replace(finer, view=standing.view, paths=standing.paths)


def average(found: Averages) -> Message:
    """Averages as the browser takes them: by figure and lane [mean, deviation, low and high of the mean's interval]."""
    rows = {
        name: {lane: finite([each.mean, each.deviation, each.low, each.high]) for lane, each in lanes.items()}
        for name, lanes in found.spreads.items()
    }
    return {"source": found.source, "n": found.n, "steps": found.steps, "optimizers": dict(found.optimizers), "rows": rows}


def _counts(now: Sequence[Surface], found: Sequence[View]) -> Message:
    return {"done": sum(surface.done for surface in now), "total": sum(view.grid.size**2 for view in found)}


def _surfaces(drawing: Drawing, note: str) -> Message:
    """The panels at the finest level that is known whole."""
    panels = drawing.panels
    said = {"verdict": verdict(panels), "warnings": warnings(panels), "note": note}
    shown = {"panels": [_panel(each) for each in panels], "range": list(loss_range(panels))}
    return {"kind": "surfaces", "steps": [*drawing.steps], **shown, **said}


def _panel(drawn: Panel) -> Message:
    return {**finite(figures(drawn)), "range": list(loss_range([drawn])), "thumbnails": thumbnails(drawn.surface)}


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
