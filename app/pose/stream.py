"""A pose run as messages for the browser: losses, errors in cm, and where every joint is at every step."""

from __future__ import annotations

import torch
from torch import Tensor

from app.pose.session import PoseRun, PoseTarget
from app.runs.lanes import table_of
from app.runs.legs import finite
from app.runs.sentences import start_sentence, verdict
from app.runs.session import Message
from app.runs.settings import words
from landscape_core.pose.hypotheses import measure
from landscape_core.pose.task import Body
from landscape_core.search.solver import LaneState, State
from landscape_core.search.summary import columns


def flat(positions: Tensor) -> list[int]:
    """Positions (..., 3) in cm as whole millimetres in one list: short to send, and finer than a screen shows."""
    return [int(value) for value in (positions * 10).round().flatten().tolist()]


def target_message(target: PoseTarget, visible: list[str] | None = None) -> Message:
    """A target before it is run: its figure, and the skeleton it hangs on. `visible` names the joints that are seen;
    without it those stay that the visitor chose."""
    body = target.body
    positions = body.positions(body.target(target.rotvec[None]).value)[0]
    message = {"kind": "target", "label": target.label, "joints": flat(positions), **skeleton_of(body)}
    return message if visible is None else {**message, "visible": visible}


def skeleton_of(body: Body) -> Message:
    """Names of all nodes, hips first, and each one's parent (-1 for the hips)."""
    return {"names": list(body.skeleton.node_names), "parents": [-1, *body.skeleton.parents]}


def begin(run: PoseRun) -> Message:
    """The first message: the target, which joints of it were seen, and the settings in words."""
    about = [pair for pair in words(run.settings) if pair[0] not in ("model", "start", "perceptual distance")]
    k, seen = len(run.solver.target), str(len(run.visible))
    return {
        **target_message(run.target, run.visible),
        "kind": "begin",
        "number": run.number,
        "k": k,
        "lanes": [lane.name for lane in run.solver.lanes],
        "table": table_of(run.settings),
        "columns": columns(run.settings.names()),
        "start": start_sentence(run),
        "settings": [["observed", run.body.observation], ["hypotheses", str(k)], ["joints seen", seen], *about],
        "limit": run.solver.max_steps,
    }


def column(run: PoseRun, step: int, lane: LaneState) -> Message:
    """What a lane's hypotheses measure at a step: mean loss, errors in cm, and where every joint is."""
    body = run.body
    truth = body.positions(body.target(run.target.rotvec[None]).value)
    found = measure(body, lane.output, truth, run.visible)
    with torch.no_grad():
        joints = flat(body.positions(lane.output))
    return {
        "loss": finite(float(lane.loss.mean())),
        "error": finite(float(found.visible[0])),
        "spread": finite(float(found.diversity[0])),
        "joints": joints,
    }


def end(run: PoseRun, reason: str) -> Message:
    """The last message: why the run ended, the race in a sentence, and each lane's best loss with its step."""
    state = run.trajectory.last
    assert state is not None  # a run always records its start
    lanes = {}
    for lane, now in zip(run.solver.lanes, state.lanes, strict=True):
        first = int(now.best_loss.argmin())
        lanes[lane.name] = {"loss": finite(float(now.best_loss[first])), "step": int(now.best_step[first])}
    summary = verdict(run) if len(run.solver.target) == 1 else _many(run, state)
    return {"kind": "end", "reason": reason, "summary": summary, "lanes": lanes}


def _many(run: PoseRun, state: State) -> str:
    mean = {lane.name: float(now.best_loss.mean()) for lane, now in zip(run.solver.lanes, state.lanes, strict=True)}
    sentences = [_column(x, mean[x], z, mean[z]) for x, z in columns(run.settings.names())]
    return f"{len(run.solver.target)} hypotheses each: {'; '.join(sentences) or 'no optimiser searched both X and Z'}."


def _column(x: str, x_loss: float, z: str, z_loss: float) -> str:
    lower, name = (z_loss / x_loss, z) if z_loss <= x_loss else (x_loss / z_loss, x)
    return f"{name} fits what was seen with {100 * (1 - lower):.0f}\u00a0% less loss on average"
