"""Counting right answers over many test pictures, as messages for the table below a defence. Knows nothing of Gradio."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from app.defence.pictures import Defences
from app.defence.settings import DefenceSettings
from app.defence.stream import attack_words
from app.runs.jobs import Job
from app.runs.legs import numbered
from app.runs.progress import reporting
from app.runs.session import Message
from app.scratch import export_path
from landscape_core.defence.counting import LANES, STATIC, UNDEFENDED, Tally, counted, share
from landscape_core.errors import UserError
from landscape_core.features.cifar10 import CIFAR10_CLASSES, Cifar10Test
from landscape_core.storage.csv_text import csv_text

LEAST, MOST, CHUNK = 10, 1000, 10
WORDS = {STATIC: "static attack", "X": "attack that knows X", "Z": "attack that knows Z"}


@dataclass
class CountJob(Job):
    """What was counted: `tally` belongs to the first of the test pictures `drawn`, each a (class, number)."""

    settings: dict[str, str] = field(default_factory=dict)
    drawn: list[tuple[int, int]] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally.empty)


def count(defences: Defences, job: CountJob, asked: DefenceSettings, n: Any) -> Iterator[Message]:
    """Attack and defend n test pictures drawn by the seed, a tally after every few; a stop keeps the last one.

    Raises:
        UserError: the data set is not here, or n is out of range.
    """
    if defences.cifar is None:
        raise UserError(defences.no_cifar)
    if not isinstance(n, int) or not LEAST <= n <= MOST:
        raise UserError(f"The number of test pictures must be a whole number from {LEAST} to {MOST}.")
    return numbered(job, _messages(defences, defences.cifar, job, asked, n))


def export(job: CountJob | None) -> Path:
    """CSV in a new temporary folder: whether every picture that was counted got its right class, in every row and column of the
    table; the settings above.

    Raises:
        UserError: nothing was counted.
    """
    if job is None or not len(job.tally):
        raise UserError("There is nothing to export yet; press Run first.")
    tally, rows = job.tally, (UNDEFENDED, *LANES)
    answers = {"no attack": tally.clean}
    answers |= {f"{row}, {STATIC} attack": tally.static[row] for row in rows}
    answers |= {f"{row}, {WORDS[row]}": tally.aware[row] for row in LANES}
    pictures = ((CIFAR10_CLASSES[label], number) for label, number in job.drawn)
    right = torch.stack(list(answers.values()), dim=1).int().tolist()
    table = ((*picture, *each) for picture, each in zip(pictures, right, strict=False))  # a stop leaves pictures uncounted
    path = export_path(f"counted-{job.number}.csv")
    path.write_text(csv_text(["class", "number", *answers], table, job.settings), encoding="utf-8")
    return path


def tally_message(tally: Tally, n: int, seconds: float) -> Message:
    """The table as it stands: accuracy and interval of every row under both attacks, in one message."""
    rows = [{"name": row, "static": share(tally.static[row]), "aware": share(tally.aware[row])} for row in (UNDEFENDED, *LANES)]
    left = seconds / len(tally) * (n - len(tally)) if len(tally) else None
    return {"kind": "tally", "done": len(tally), "n": n, "clean": share(tally.clean), "rows": rows, "left": left}


def _messages(defences: Defences, cifar: Cifar10Test, job: CountJob, asked: DefenceSettings, n: int) -> Iterator[Message]:
    defence, plan = defences.get(asked.settings.task), asked.plan()
    plan.lanes(defence)  # so that a space that is not there is said before anything is done
    job.settings = {
        "classifier": defence.name.upper(),
        "attack": f"{attack_words(plan.attack)} ({plan.aware_steps} where the attacker knows)",
        "steps of defence": str(plan.steps),
        "seed": str(plan.seed),
    }
    job.drawn = cifar.draw(n, plan.seed)
    told = " · ".join(f"{what} {value}" for what, value in job.settings.items())
    yield {"kind": "begin", "number": job.number, "n": n, "settings": told}
    started = time.perf_counter()
    for index, (pictures, labels) in enumerate(_chunks(cifar, job.drawn)):
        found = yield from reporting(
            partial(counted, defence, plan, index, pictures, labels), partial(_progress, len(job.tally), n), job.stop.is_set
        )
        if found is None:
            break
        job.tally = job.tally + found
        yield tally_message(job.tally, n, time.perf_counter() - started)
    done = len(job.tally)
    stopped = "" if done == n else f"Stopped after {done} of {n} pictures; what was counted is kept."
    yield {"kind": "end", "reason": stopped}


def _progress(before: int, n: int, what: str, done: int, of: int) -> Message:
    last = min(before + CHUNK, n)
    return {"kind": "progress", "text": f"Pictures {before + 1} to {last} of {n}: {WORDS[what]}, step {done} of {of}…"}


def _chunks(cifar: Cifar10Test, drawn: list[tuple[int, int]]) -> Iterator[tuple[Tensor, Tensor]]:
    for first in range(0, len(drawn), CHUNK):
        part = drawn[first : first + CHUNK]
        yield cifar.pictures(part), torch.tensor([label for label, _ in part])
