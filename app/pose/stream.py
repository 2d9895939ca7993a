"""A pose run as messages for the browser: losses, errors in cm, and where every joint is at every step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from app.runs.legs import INTERVAL, Message, finite
from app.runs.session import Run
from app.runs.settings import words
from landscape_core.pose.hypotheses import measure
from landscape_core.pose.task import Body
from landscape_core.search.solver import LaneState, State
from landscape_core.search.summary import race_summary


def flat(positions: Tensor) -> list[int]:
    """Positions (..., 3) in cm as whole millimetres in one list: short to send, and finer than a screen shows."""
    return [int(value) for value in (positions * 10).round().flatten().tolist()]


def target_message(body: Body, rotvec: Tensor, label: str, visible: list[str] | None = None) -> Message:
    """A target before it is run: the figure of a pose (J, 3), and the skeleton it hangs on. `visible` names the joints
    that are seen; without it those stay that the visitor chose."""
    positions = body.positions(body.target(rotvec[None]).value)[0]
    message = {"kind": "target", "label": label, "joints": flat(positions), **skeleton_of(body)}
    return message if visible is None else {**message, "visible": visible}


def skeleton_of(body: Body) -> Message:
    """Names of all nodes, hips first, and each one's parent (-1 for the hips)."""
    return {"names": list(body.skeleton.node_names), "parents": [-1, *body.skeleton.parents]}


def begin(run: Run, body: Body, visible: list[str]) -> Message:
    """The first message: the target, which joints of it were seen, and the settings in words."""
    about = [pair for pair in words(run.settings) if pair[0] not in ("model", "start", "perceptual distance")]
    k = len(run.solver.target)
    return {
        **target_message(body, run.target.picture, run.target.label, visible),
        "kind": "begin",
        "number": run.number,
        "k": k,
        "lanes": [lane.name for lane in run.solver.lanes],
        "settings": [["observed", body.observation], ["hypotheses", str(k)], ["joints seen", str(len(visible))], *about],
        "limit": run.solver.max_steps,
    }


def batches(
    run: Run, body: Body, visible: list[str], states: Iterator[State], *, clock: Callable[[], float] = time.perf_counter
) -> Iterator[Message]:
    """Record the states and send them on: the first at once, then whatever came in each `INTERVAL` seconds."""
    truth = body.positions(body.target(run.target.picture[None]).value)
    batch, sent = _empty(run), clock() - INTERVAL
    for state in states:
        run.trajectory.record(state)
        batch["steps"].append(state.step)
        for columns, lane in zip(batch["lanes"].values(), state.lanes, strict=True):
            _append(columns, body, lane, truth, visible)
        if clock() - sent >= INTERVAL:
            yield batch
            batch, sent = _empty(run), clock()
    if batch["steps"]:
        yield batch


def end(run: Run, reason: str, more: int) -> Message:
    """The last message: why the run ended, the race in a sentence, and each lane's best loss with its step."""
    state = run.trajectory.last
    assert state is not None  # a run always records its start
    lanes = {}
    for lane, now in zip(run.solver.lanes, state.lanes, strict=True):
        first = int(now.best_loss.argmin())
        lanes[lane.name] = {"loss": finite(float(now.best_loss[first])), "step": int(now.best_step[first])}
    summary = race_summary(run.trajectory) if len(run.solver.target) == 1 else _many(run, state)
    return {"kind": "end", "reason": reason, "summary": summary, "lanes": lanes, "more": more}


def _many(run: Run, state: State) -> str:
    x, z = (float(lane.best_loss.mean()) for lane in state.lanes)
    lower, name = (z / x, "Z") if z <= x else (x / z, "X")
    saved = f"{100 * (1 - lower):.0f} % less loss on average"
    return f"{len(run.solver.target)} hypotheses each: {name} fits what was seen with {saved}."


def _append(columns: Message, body: Body, lane: LaneState, truth: Tensor, visible: list[str]) -> None:
    found = measure(body, lane.output, truth, visible)
    columns["loss"].append(finite(float(lane.loss.mean())))
    columns["seconds"].append(lane.seconds)
    columns["error"].append(finite(float(found.visible[0])))
    columns["spread"].append(finite(float(found.diversity[0])))
    with torch.no_grad():
        columns["joints"].append(flat(body.positions(lane.output)))


def _empty(run: Run) -> Message:
    keys = ("loss", "seconds", "error", "spread", "joints")
    return {"kind": "frames", "steps": [], "lanes": {lane.name: {key: [] for key in keys} for lane in run.solver.lanes}}
