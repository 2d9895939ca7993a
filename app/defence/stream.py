"""A defence as messages for the browser: the clean picture, the attack and its progress, every step of both lanes, the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from app.runs.legs import INTERVAL, Message, png
from app.runs.session import Picked, Run
from landscape_core.defence.attacks import AttackSettings
from landscape_core.defence.objective import Defence, margin, restored
from landscape_core.defence.report import magnified, race_sentence
from landscape_core.images.pixels import png_base64, to_unit
from landscape_core.search.solver import LaneState, State

KNOWS = {"static": "no defence", "X": "the defence in X", "Z": "the defence in Z"}
NORMS = {"l2": "L2", "linf": "L∞"}
KEYS = ("loss", "seconds", "margin", "probabilities", "factor", "l2", "linf", "png", "added")


@dataclass(kw_only=True)
class DefenceRun(Run):
    """A run of both lanes on one attacked picture; `attack` is the one taken, `knows` what it knew. The solver's target is
    the clean picture until the attack is over."""

    defence: Defence
    truth: int
    attack: AttackSettings
    knows: str


def picture_message(defence: Defence, picked: Picked, truth: int) -> Message:
    """A picture before it is attacked, and what the classifier says of it."""
    clean = to_unit(picked.picture)[None]
    return {
        "kind": "picture",
        "label": picked.label,
        "classes": list(defence.classes),
        "truth": truth,
        "clean": {"png": png_base64(picked.picture), **answer(defence, clean, truth)},
    }


def answer(defence: Defence, picture: Tensor, truth: int) -> Message:
    """Class probabilities and margin of one picture (1, 3, 32, 32)."""
    logits = defence.logits(picture)
    return {
        "probabilities": [round(float(p), 4) for p in logits.softmax(dim=1)[0]],
        "margin": round(float(margin(logits, torch.tensor([truth]))[0]), 5),
    }


def begin(run: DefenceRun) -> Message:
    """The first message of a run."""
    return {
        **picture_message(run.defence, run.target, run.truth),
        "kind": "begin",
        "number": run.number,
        "lanes": [lane.name for lane in run.solver.lanes],
        "limit": run.solver.max_steps,
        "attack": ball_words(run.attack),
        "about": f"{attack_words(run.attack)}; the attacker knows {KNOWS[run.knows]}",
    }


def ball_words(attack: AttackSettings) -> str:
    """ "L2 256/255"."""
    return f"{NORMS[attack.norm]} {attack.eps * 255:.0f}/255"


def attack_words(attack: AttackSettings) -> str:
    """ "L2 256/255, 200 steps"."""
    return f"{ball_words(attack)}, {attack.steps} steps"


def met(run: DefenceRun, attacked: Tensor) -> Message:
    """The attack's result (1, 3, 32, 32)."""
    added = magnified((attacked - to_unit(run.target.picture)[None])[0])
    return {
        "kind": "attacked",
        "png": png(attacked[0]),
        "added": {"png": png_base64(added.picture), "factor": added.factor, "l2": added.l2 * 255, "linf": added.linf * 255},
        **answer(run.defence, attacked, run.truth),
    }


def batches(run: DefenceRun, states: Iterator[State], *, clock: Callable[[], float] = time.perf_counter) -> Iterator[Message]:
    """Record the states and send them on: the first at once, then whatever came in each `INTERVAL` seconds."""
    batch, sent = _empty(run), clock() - INTERVAL
    for state in states:
        run.trajectory.record(state)
        batch["steps"].append(state.step)
        for columns, lane in zip(batch["lanes"].values(), state.lanes, strict=True):
            for key, value in _column(run, lane).items():
                columns[key].append(value)
        if clock() - sent >= INTERVAL:
            yield batch
            batch, sent = _empty(run), clock()
    if batch["steps"]:
        yield batch


def end(run: DefenceRun, reason: str, more: int) -> Message:
    """The last message: why, and what came of it in a sentence."""
    kinds = {message["kind"]: message for message in run.messages}
    if "attacked" not in kinds:
        return {"kind": "end", "reason": reason, "summary": "", "more": more}
    frames = [message for message in run.messages if message["kind"] == "frames"]
    margins = {lane.name: [m for f in frames for m in f["lanes"][lane.name]["margin"]] for lane in run.solver.lanes}
    summary = race_sentence(kinds["begin"]["clean"]["margin"], kinds["attacked"]["margin"], margins)
    about = f"Attack: {attack_words(run.attack)}; the attacker knows {KNOWS[run.knows]}."
    return {"kind": "end", "reason": f"{reason} {about}", "summary": summary, "more": more}


def _column(run: DefenceRun, lane: LaneState) -> Message:
    picture = restored(run.solver.target.value, lane.output)
    added = magnified(lane.output[0])
    loss = float(lane.loss[0])
    return {
        "loss": loss if abs(loss) < float("inf") else None,  # JSON has no infinity
        "seconds": lane.seconds,
        "png": png(picture[0]),
        "added": png_base64(added.picture),
        "factor": added.factor,
        "l2": added.l2 * 255,
        "linf": added.linf * 255,
        **answer(run.defence, picture, run.truth),
    }


def _empty(run: DefenceRun) -> Message:
    return {"kind": "frames", "steps": [], "lanes": {lane.name: {key: [] for key in KEYS} for lane in run.solver.lanes}}
