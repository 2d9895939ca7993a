"""What pages are told of the trainings: where each stands, what it costs and how long it will still take."""

from __future__ import annotations

import base64
from typing import Any

from app.runs.session import Message
from app.train.queue import Trainings
from app.train.request import PRESET_WORDS
from app.train.training import DIARY, Training
from landscape_core.search.optimizers import OPTIMISER_NAMES

PATIENCE = 20  # seconds; a model is loaded in fewer, unless others have the processor


def told(trainings: Trainings, shown: str | None, since: int) -> Message:
    """Every training in brief, and of the one that is shown the looks from number `since` on."""
    every = trainings.all()
    queue = [training.id for training in trainings.waiting()]
    looks = next((each.looks[max(0, since) :] for each in every if each.id == shown), [])
    return {"trainings": [_brief(trainings, each, queue) for each in every], "looks": [_look(look) for look in looks]}


def _brief(trainings: Trainings, training: Training, queue: list[str]) -> Message:
    record, request = training.record, training.record.request
    return {
        "id": training.id, "tab": trainings.models.tab(request.task), "task": request.task,
        "name": request.name, "preset": PRESET_WORDS[request.preset],
        "minutes": request.minutes, "data": record.data or "drawn by the model", "state": record.state, "reason": record.reason,
        "stopping": training.asked_to_stop and training.process is not None, "looks": len(training.looks),
        "place": queue.index(training.id) + 1 if training.id in queue else 0,
        "plan": {name: training.plan.get(name) for name in ("buffers", "targets", "inputs")} if training.plan else None,
        "measuring": [training.phase["done"], training.phase["total"]] if training.phase else None,
        "busy": _busy(training.age), **_progress(training),
    }  # fmt: skip


def _busy(seconds: float) -> str:
    """What is said of a training whose model is still loaded that long after it was begun; in tens, as it may be read aloud."""
    if seconds < PATIENCE:
        return ""
    least = "a training gets only the processor time that nothing else on this machine asks for"
    return f" It was begun {10 * int(seconds / 10)} s ago: {least}."


def _progress(training: Training) -> Message:
    """The buffer and how much of it is done, of how many; the seconds spent, and those that are left where that is known."""
    last = training.looks[-1] if training.looks else {"buffer": 0, "of": 0, "seconds": 0.0}
    at = training.at if training.at and training.at["buffer"] >= last["buffer"] else {**last, "share": 0.0}
    done, of, seconds = at["buffer"] + at["share"], at["of"], max(at["seconds"], last["seconds"])
    first = training.looks[0]["seconds"] if training.looks else 0.0
    left = None
    if done > 0 and of:
        whole = (seconds - first) / done * (of - done)
        left = max(0.0, min(whole, 60 * training.record.request.minutes - seconds))
    return {"buffer": at["buffer"], "share": at["share"], "of": of, "seconds": seconds, "left": left}


def _look(look: dict[str, Any]) -> Message:
    """A look as the page draws it; the name of the file of its pictures is not the page's."""
    kept = ("buffer", "seconds", "x", "z", "ratio", "interval", "n", "losses")
    return {**{name: look[name] for name in kept}, "optimizer": OPTIMISER_NAMES[look["optimizer"]]}


def sheet(training: Training, index: int) -> str | None:
    """The pictures of a look by its number, WebP in base64; None where there are none."""
    if not 0 <= index < len(training.looks):
        return None
    path = training.folder / DIARY / str(training.looks[index]["sheet"])
    return base64.b64encode(path.read_bytes()).decode() if path.exists() else None
