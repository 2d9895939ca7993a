"""A race of pictures as messages for the browser.

Losses and seconds are sent for every step, pictures (PNG, lossless) for every step up to 300 and every fifth after that,
so that a run of 2000 steps stays near 10 MB in the browser.
"""

from __future__ import annotations

import torch
from torch import Tensor

from app.runs.lanes import table_of
from app.runs.legs import finite, png
from app.runs.sentences import start_sentence, verdict
from app.runs.session import Message, Picked, Run
from app.runs.settings import words
from landscape_core.images.pixels import png_base64
from landscape_core.search.judges import psnr
from landscape_core.search.solver import LaneState
from landscape_core.search.summary import columns, reached
from landscape_core.search.task import Task

EVERY_STEP_TO, THEN_EVERY = 300, 5
WHY_X = "\nThe model drew this picture itself: X's best case, for there is an x that gives it exactly."


def shown(step: int) -> bool:
    """Whether the browser gets a picture of this step."""
    return step <= EVERY_STEP_TO or step % THEN_EVERY == 0


def begin(run: Run[Picked]) -> Message:
    """The first message: the target, and the encoder's one-pass guess as the line to beat."""
    message: Message = {
        "kind": "begin",
        "number": run.number,
        "target": png_base64(run.target.picture),
        "label": run.target.label,
        "credit": run.target.credit,
        "lanes": [lane.name for lane in run.solver.lanes],
        "table": table_of(run.settings),
        "columns": columns(run.settings.names()),
        "start": start_sentence(run),
        "settings": [*words(run.settings), ["observed", "the whole picture"]],
        "limit": run.solver.max_steps,
        "every": [EVERY_STEP_TO, THEN_EVERY],
    }
    encoder = encoded(run.task, run.target)
    if encoder is not None:
        loss = run.task.objective.bind(run.solver.target)(encoder)
        message["encoder"] = {"loss": float(loss[0]), "psnr": _quality(run, encoder), "png": _picture(run, encoder)}
    return message


def column(run: Run[Picked], step: int, lane: LaneState) -> Message:
    """What a lane measures at a step."""
    return {
        "loss": finite(float(lane.loss[0])),
        "psnr": _quality(run, lane.output),
        "png": _picture(run, lane.output) if shown(step) else None,
    }


def end(run: Run[Picked], reason: str) -> Message:
    """The last message: why, the summary, the best and last of each lane with their pictures, who passed whom when."""
    state = run.trajectory.last
    assert state is not None  # a run always records its start
    lanes = {}
    for lane, now in zip(run.solver.lanes, state.lanes, strict=True):
        with torch.no_grad():
            best = run.task.forward(lane.space.to_x(now.best_variable))
        lanes[lane.name] = {
            "best": _still(run, int(now.best_step[0]), now.best_loss, best),
            "last": _still(run, state.step, now.loss, now.output),
        }
    return {
        "kind": "end",
        "reason": reason,
        "summary": summary(run),
        "lanes": lanes,
        "reached": {slow: reached(run.trajectory, fast=fast, slow=slow) for slow, fast in columns(run.settings.names())},
    }


def summary(run: Run[Picked]) -> str:
    """What each column says, and where X wins, why it can."""
    best = {lane.name: float(lane.best_so_far()[-1, 0]) for lane in run.trajectory.lanes}
    drawn = run.target.query.get("target", "").startswith("drawn-")
    x_wins = any(best[x] < best[z] for x, z in columns(run.settings.names()))
    return verdict(run) + (WHY_X if drawn and x_wins else "")


def encoded(task: Task, picked: Picked) -> Tensor | None:
    """The encoder's reconstruction (1, 3, H, W) in one pass; None for a task without an encoder."""
    if task.encode is None:
        return None
    with torch.no_grad():
        return task.forward(task.encode(picked.target.value.to(task.device)))


def _quality(run: Run[Picked], output: Tensor) -> float | None:
    """PSNR in dB of one output (1, ...), where it is a picture."""
    return finite(float(psnr(output, run.target.target.value.to(output))[0])) if run.task.picture is None else None


def _picture(run: Run[Picked], output: Tensor) -> str:
    """One output (1, ...) as people see it."""
    return png(run.task.shown(output, run.solver.target)[0])


def _still(run: Run[Picked], step: int, loss: Tensor, output: Tensor) -> Message:
    return {"step": step, "loss": finite(float(loss[0])), "psnr": _quality(run, output), "png": _picture(run, output)}
