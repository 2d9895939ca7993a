"""Counting right answers over many test pictures, as messages for the batch view. Knows nothing of Gradio."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor

from app.defence.pictures import Defences
from app.defence.settings import DefenceSettings
from app.defence.stream import attack_words
from app.runs.jobs import Job
from app.runs.progress import reporting
from app.runs.session import Message
from landscape_core.defence.counting import LANES, STATIC, UNDEFENDED, Tally, counted, share
from landscape_core.errors import UserError
from landscape_core.features.cifar10 import Cifar10Test

LEAST, MOST, CHUNK = 10, 1000, 10
WORDS = {STATIC: "static attack", "X": "attack that knows X", "Z": "attack that knows Z"}


def count(defences: Defences, job: Job, asked: DefenceSettings, n: Any) -> Iterator[Message]:
    """Attack and defend n test pictures drawn by the seed, a tally after every few; a stop keeps the last one.

    Raises:
        UserError: the data set is not here, or n is out of range.
    """
    if defences.cifar is None:
        raise UserError(defences.no_cifar)
    if not isinstance(n, int) or not LEAST <= n <= MOST:
        raise UserError(f"The number of test pictures must be a whole number from {LEAST} to {MOST}.")
    for message in _messages(defences, defences.cifar, job, asked, n):
        if message["kind"] != "progress":  # one that is missed is soon followed by another
            message = {**message, "run": job.id, "seq": len(job.messages)}
            job.messages.append(message)
        yield message


def tally_message(tally: Tally, n: int, seconds: float) -> Message:
    """The table as it stands: accuracy and interval of every row under both attacks, in one message."""
    rows = [{"name": row, "static": share(tally.static[row]), "aware": share(tally.aware[row])} for row in (UNDEFENDED, *LANES)]
    left = seconds / len(tally) * (n - len(tally)) if len(tally) else None
    return {"kind": "tally", "done": len(tally), "n": n, "clean": share(tally.clean), "rows": rows, "left": left}


def _messages(defences: Defences, cifar: Cifar10Test, job: Job, asked: DefenceSettings, n: int) -> Iterator[Message]:
    defence, plan = defences.get(asked.settings.task), asked.plan()
    plan.lanes(defence)  # so that a space that is not there is said before anything is done
    attack = f"{attack_words(plan.attack)} ({plan.aware_steps} where the attacker knows)"
    settings = [defence.name.upper(), attack, f"{plan.steps} steps of defence", f"seed {plan.seed}"]
    yield {"kind": "begin", "n": n, "settings": " · ".join(settings)}
    total, started = Tally.empty(), time.perf_counter()
    for index, (pictures, labels) in enumerate(_chunks(cifar, n, plan.seed)):
        found = yield from reporting(
            partial(counted, defence, plan, index, pictures, labels), partial(_progress, len(total), n), job.stop.is_set
        )
        if found is None:
            break
        total = total + found
        yield tally_message(total, n, time.perf_counter() - started)
    stopped = "" if len(total) == n else f"Stopped after {len(total)} of {n} pictures; what was counted is kept."
    yield {"kind": "end", "reason": stopped}


def _progress(before: int, n: int, what: str, done: int, of: int) -> Message:
    last = min(before + CHUNK, n)
    return {"kind": "progress", "text": f"Pictures {before + 1} to {last} of {n}: {WORDS[what]}, step {done} of {of}…"}


def _chunks(cifar: Cifar10Test, n: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    drawn = cifar.draw(n, seed)
    for first in range(0, n, CHUNK):
        part = drawn[first : first + CHUNK]
        yield cifar.pictures(part), torch.tensor([label for label, _ in part])
