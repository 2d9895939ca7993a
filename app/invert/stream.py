"""A run as messages for the browser: small JSON deltas, numbered so that a gap can be seen and asked for again.

Kinds: `begin` (what is run), `frames` (a batch of steps), `end` (why and with what result). Losses and seconds are
sent for every step, pictures (PNG, lossless) for every step up to 300 and every fifth after that, so that a run of
2000 steps stays near 10 MB in the browser.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from app.runs.legs import INTERVAL, Message, finite, png
from app.runs.session import Run
from app.runs.settings import words
from landscape_core.images.pixels import png_base64, to_unit
from landscape_core.search.solver import State
from landscape_core.search.summary import psnr, race_summary, reached

EVERY_STEP_TO, THEN_EVERY = 300, 5


def shown(step: int) -> bool:
    """Whether the browser gets a picture of this step."""
    return step <= EVERY_STEP_TO or step % THEN_EVERY == 0


def begin(run: Run, encoder: Tensor | None) -> Message:
    """The first message: the target, and the encoder's one-pass guess (1, 3, H, W) as the line to beat."""
    target = to_unit(run.target.picture)[None]
    message: Message = {
        "kind": "begin",
        "number": run.number,
        "target": png_base64(run.target.picture),
        "label": run.target.label,
        "lanes": [lane.name for lane in run.solver.lanes],
        "settings": words(run.settings),
        "limit": run.solver.max_steps,
        "every": [EVERY_STEP_TO, THEN_EVERY],
    }
    if encoder is not None:
        loss = run.task.objective.bind(run.solver.target)(encoder)
        message["encoder"] = {"loss": float(loss[0]), "psnr": float(psnr(encoder, target)[0]), "png": png(encoder[0])}
    return message


def batches(run: Run, states: Iterator[State], *, clock: Callable[[], float] = time.perf_counter) -> Iterator[Message]:
    """Record the states and send them on: the first at once, then whatever came in each `INTERVAL` seconds."""
    target = to_unit(run.target.picture)[None]
    batch = _empty(run)
    sent = -INTERVAL + clock()
    for state in states:
        run.trajectory.record(state)
        _append(batch, state, target)
        if clock() - sent >= INTERVAL:
            yield batch
            batch, sent = _empty(run), clock()
    if batch["steps"]:
        yield batch


def end(run: Run, reason: str) -> Message:
    """The last message: why, the summary, the best and last of each lane with their pictures, who passed whom when."""
    state = run.trajectory.last
    assert state is not None  # a run always records its start
    target = to_unit(run.target.picture)[None]
    lanes = {}
    for lane, now in zip(run.solver.lanes, state.lanes, strict=True):
        with torch.no_grad():
            best = run.task.forward(lane.space.to_x(now.best_variable))
        lanes[lane.name] = {
            "best": _still(int(now.best_step[0]), now.best_loss, best, target),
            "last": _still(state.step, now.loss, now.output, target),
        }
    return {
        "kind": "end",
        "reason": reason,
        "summary": race_summary(run.trajectory),
        "lanes": lanes,
        "reached": reached(run.trajectory, fast="Z", slow="X"),
    }


def _empty(run: Run) -> Message:
    lanes: Message = {lane.name: {"loss": [], "seconds": [], "psnr": [], "png": []} for lane in run.solver.lanes}
    return {"kind": "frames", "steps": [], "lanes": lanes}


def _append(batch: Message, state: State, target: Tensor) -> None:
    batch["steps"].append(state.step)
    for columns, lane in zip(batch["lanes"].values(), state.lanes, strict=True):
        columns["loss"].append(finite(float(lane.loss[0])))
        columns["seconds"].append(lane.seconds)
        columns["psnr"].append(finite(float(psnr(lane.output, target)[0])))
        columns["png"].append(png(lane.output[0]) if shown(state.step) else None)


def _still(step: int, loss: Tensor, output: Tensor, target: Tensor) -> Message:
    quality = float(psnr(output, target)[0])
    return {"step": step, "loss": finite(float(loss[0])), "psnr": finite(quality), "png": png(output[0])}
