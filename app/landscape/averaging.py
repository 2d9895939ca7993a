"""Averages over random targets, measured while one waits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from app.landscape import stream
from app.landscape.drawing import Drawing, Resources, recovered
from app.runs.legs import numbered
from app.runs.session import Message
from app.runs.standing import Standing
from landscape_core.errors import UserError
from landscape_core.surfaces.averages import Example, LandscapeSettings, averages, examined, series
from landscape_core.surfaces.planes import StoppedError

MIN_SAMPLES, MAX_SAMPLES = 2, 50


def measure(shared: Resources, drawing: Drawing | None, n: Any) -> Iterator[Message]:
    """The figures of `n` random targets of the task that stands, averaged anew after each.

    Raises:
        UserError: nothing stands, or not a number of samples.
    """
    if drawing is None or drawing.standing is None:
        raise UserError("Press Run first: what is measured is the task of the run that stands.")
    if not isinstance(n, int) or not MIN_SAMPLES <= n <= MAX_SAMPLES:
        raise UserError(f"Samples: a whole number from {MIN_SAMPLES} to {MAX_SAMPLES} is needed.")
    drawing.stop.clear()
    drawing.measured, drawing.live = drawing.measured + 1, None
    return numbered(drawing, _measured(shared, drawing, drawing.standing, n))


def _measured(shared: Resources, drawing: Drawing, standing: Standing, n: int) -> Iterator[Message]:
    task, settings = standing.task, LandscapeSettings(space=standing.space)
    try:
        planes, _ = yield from recovered(shared, task, standing.space, needed=True, stop=drawing.stop.is_set)
    except StoppedError as before:
        yield {"kind": "drawn", "done": 0, "total": n, "reason": f"Stopped before {before}."}
        return
    assert planes is not None  # they are found where they are needed
    yield {"kind": "measuring", "done": 0, "total": n, "entry": None}
    targets = task.sampled(n, torch.Generator().manual_seed(drawing.measured))
    found: dict[str, list[Example]] = {"X": [], "Z": []}
    for done, example in enumerate(examined(task, targets, planes, settings, stop=drawing.stop.is_set), start=1):
        for lane, each in example.items():
            found[lane].append(each)
        source = f"random targets drawn here, number {drawing.measured}"
        drawing.live = averages(source, series(found), settings.words(task), steps=settings.steps) if done > 1 else None
        yield {"kind": "measuring", "done": done, "total": n, "entry": drawing.live and stream.average(drawing.live)}
    done = len(found["X"])
    reason = "" if done == n else f"Stopped after {done} of {n} samples" + ("." if done > 1 else "; an average needs two.")
    yield {"kind": "drawn", "done": done, "total": n, "reason": reason}
