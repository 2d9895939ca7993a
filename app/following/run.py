"""A clip followed frame by frame in a tab: what the page asks, the job, its messages and its file. Knows nothing of Gradio, and
not what a frame is: that is the tab's `Source`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.runs.address import Values, of_panel, over
from app.runs.jobs import Job
from app.runs.lanes import table_of
from app.runs.legs import INTERVAL, numbered
from app.runs.session import Message
from app.scratch import export_path
from landscape_core.errors import UserError, first_problem
from landscape_core.records.clip import Clip
from landscape_core.records.export import file_name
from landscape_core.records.follow_export import Followed, summary
from landscape_core.search.follow import MAX_SMOOTHNESS, Following, Track, followed, joined
from landscape_core.search.objectives import Target
from landscape_core.search.race import MAX_STEPS, RunSettings
from landscape_core.search.task import Task

PANEL = "clip"  # its name in an address
USUAL: Values = {"first": 0, "last": None, "every": 1, "steps": 20, "order": "warm", "smoothness": 0.0}
FARTHEST = 10**6  # frame that an address can ask for
LIMITS: dict[str, tuple[float, float]] = {
    "first": (0, FARTHEST), "last": (0, FARTHEST), "every": (1, FARTHEST), "steps": (1, MAX_STEPS),
    "smoothness": (0.0, MAX_SMOOTHNESS),
}  # fmt: skip
WORDS = {
    "first": "first frame", "last": "last frame", "every": "every how manyth frame", "steps": "steps a frame",
    "order": "where a frame begins",
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What the panel asks: a range of frames, steps for every one, and how they are gone through."""

    first: int
    last: int | None
    every: int
    steps: int
    how: Following

    @property
    def range(self) -> dict[str, Any]:
        """As the readers of clips take it."""
        return {"first": self.first, "last": self.last, "every": self.every}

    def settings(self, settings: RunSettings) -> RunSettings:
        """Those of a race, with so many steps."""
        return settings.model_copy(update={"steps": self.steps})


def asked_of(data: Mapping[str, Any], batch: int) -> Asked:
    """What the page sent, which is untrusted; `batch` frames share a pass where they are cold.

    Raises:
        UserError: a number that is none, or out of range.
    """
    first, last, every, steps = (data.get(name) for name in ("first", "last", "every", "steps"))
    if not isinstance(first, int) or not isinstance(every, int) or not isinstance(last, int | None):
        raise UserError("First, last and every how manyth frame are whole numbers; the last may be left empty.")
    if not isinstance(steps, int) or not 1 <= steps <= MAX_STEPS:
        raise UserError(f"Steps a frame: a whole number from 1 to {MAX_STEPS} is needed.")
    try:
        how = Following.model_validate({"order": data.get("order"), "smoothness": data.get("smoothness"), "batch": batch})
    except ValidationError as error:
        raise UserError(first_problem(error)) from error
    return Asked(first, last, every, steps, how)


def from_query(query: Mapping[str, str]) -> tuple[Values, list[str]]:
    """The panel's settings from the address, with a sentence for each thing changed or ignored."""
    return over(of_panel(query, PANEL), USUAL, lambda values: asked_of(values, batch=1), LIMITS, WORDS)


@dataclass(frozen=True)
class Source:
    """A clip as its tab knows it: `target` (T, ...) for a task, searched by `settings`. `begin()` is what the page shows of it;
    `column(track, done)` what it shows of a lane's next frames, which begin at number `done`, "error" among it; `found` and
    `export` are the domain's."""

    task: Task
    target: Target
    settings: RunSettings
    how: Following
    clip: Clip
    begin: Callable[[], Message]
    column: Callable[[Track, int], Message]
    found: Callable[[Sequence[Track]], Followed]
    export: Callable[[Path, Followed], None]


@dataclass
class FollowJob(Job):
    """A clip on its way: `parts` are what each lane found of its frames so far."""

    source: Source | None = None
    parts: list[list[Track]] = field(default_factory=list)


def start(job: FollowJob, source: Source) -> Iterator[Message]:
    """Follow a clip.

    Raises:
        UserError: a space that its task does not have.
    """
    for space in source.settings.learned:
        source.task.learned(space)
    job.source = source
    return numbered(job, _messages(job, source))


def _messages(job: FollowJob, source: Source) -> Iterator[Message]:
    clip, frames = source.clip, len(source.target)
    yield {
        **source.begin(), "kind": "begin", "number": job.number, "label": clip.name, "notices": list(clip.notices),
        "lanes": source.settings.names(), "table": table_of(source.settings), "limit": frames,
        "numbers": list(clip.frames), "fps": clip.fps,
    }  # fmt: skip
    done, told = 0, time.perf_counter()
    for part in followed(source.task, source.settings, source.target, source.how):
        if isinstance(part, float):
            if job.stop.is_set():
                break
            if time.perf_counter() - told >= INTERVAL:
                told = time.perf_counter()
                yield {"kind": "progress", "share": part / frames}
            continue
        job.parts.append(part)
        steps = list(range(done, done + len(part[0])))
        yield {"kind": "frames", "steps": steps, "lanes": {track.name: source.column(track, done) for track in part}}
        done += len(steps)
    kept = f"Stopped after {done} of {frames} frames; those are kept." if done else "Stopped before the first frames were done."
    stopped = "" if done == frames else kept
    yield {"kind": "end", "reason": stopped, "summary": f"{summary(source.found(joined(job.parts)))}." if done else ""}


def export(job: FollowJob | None) -> Path:
    """A zip of what was found so far, in a new temporary folder.

    Raises:
        UserError: there is nothing yet.
    """
    if job is None or job.source is None or not job.parts:
        raise UserError("There is nothing to export yet; press Run first.")
    path = export_path(f"{file_name(job.source.clip.name)}.zip")
    job.source.export(path, job.source.found(joined(job.parts)))
    return path
