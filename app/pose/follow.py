"""A clip followed in the Pose tab: every frame in X and in Z, as messages for its panel. Knows nothing of Gradio."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.pose.run import joints_of
from app.pose.stream import flat, skeleton_of
from app.runs.jobs import Job
from app.runs.lanes import table_of
from app.runs.legs import finite, numbered
from app.runs.session import Message
from landscape_core.errors import UserError, first_problem
from landscape_core.pose.clip import Clip, drawn_clip, load_clip
from landscape_core.pose.following import export_motion, followed_motion
from landscape_core.pose.naming import read_joint_map
from landscape_core.pose.run_card import body_of
from landscape_core.pose.task import Body, load_body
from landscape_core.search.export import file_name
from landscape_core.search.follow import Following, Track, follow, joined
from landscape_core.search.follow_export import Followed, summary
from landscape_core.search.race import MAX_STEPS, RunSettings
from landscape_core.search.task import Task

MOST_FRAMES = 600
BATCH = 16  # frames of a pass, where they are cold: few enough that one sees them come


@dataclass(frozen=True)
class Chosen:
    """What is followed, and how."""

    task: Task
    body: Body
    clip: Clip
    settings: RunSettings
    how: Following


@dataclass
class FollowJob(Job):
    """A clip on its way: `parts` are what each lane found of its frames so far."""

    chosen: Chosen | None = None
    parts: list[list[Track]] = field(default_factory=list)


def clip_of(drawing: Task, number: Any, path: str | None, names: str | None, data: Mapping[str, Any]) -> Clip:
    """The range of frames that the page asks for: of an uploaded file, or without one of the motion drawn by a number.

    Raises:
        UserError: as `load_clip` and `drawn_clip`, or numbers that are none.
    """
    first, last, every = (data.get(name) for name in ("first", "last", "every"))
    if not isinstance(first, int) or not isinstance(every, int) or not isinstance(last, int | None):
        raise UserError("First, last and every how manyth frame are whole numbers; the last may be left empty.")
    if path is None:
        return drawn_clip(drawing, number)
    skeleton = load_body().skeleton
    named = None if names is None else read_joint_map(Path(names), skeleton)
    return load_clip(Path(path), skeleton, named, first=first, last=last, every=every, most=MOST_FRAMES)


def start(
    job: FollowJob, task: Task, settings: RunSettings, make: Callable[[], Clip], data: Mapping[str, Any]
) -> Iterator[Message]:
    """Follow a clip by the first column of the settings, with steps, order and smoothness of the panel and the joints seen.

    Raises:
        UserError: the clip or a number cannot be, or joints or spaces do not exist.
    """
    steps = data.get("steps")
    if not isinstance(steps, int) or not 1 <= steps <= MAX_STEPS:
        raise UserError(f"Steps a frame: a whole number from 1 to {MAX_STEPS} is needed.")
    try:
        how = Following.model_validate({"order": data.get("order"), "smoothness": data.get("smoothness"), "batch": BATCH})
    except ValidationError as error:
        raise UserError(first_problem(error)) from error
    column = tuple(lane for lane in settings.lanes if lane.optimizer.name == settings.optimizers[0])
    settings = settings.model_copy(update={"lanes": column, "steps": steps, "start": "mean"})
    for space in settings.learned:
        task.learned(space)
    body = body_of(task.name)
    visible = joints_of(body, data.get("visible"))
    job.chosen = Chosen(task, body, make(), settings, how)
    return numbered(job, _messages(job, job.chosen, visible))


def _messages(job: FollowJob, chosen: Chosen, visible: list[str]) -> Iterator[Message]:
    body, clip = chosen.body, chosen.clip
    target = body.target(clip.rotvec, visible)
    yield {
        "kind": "begin", "number": job.number, "label": clip.name, "notices": list(clip.notices),
        "lanes": chosen.settings.names(), "table": table_of(chosen.settings), "limit": len(clip), "numbers": list(clip.frames),
        "fps": clip.fps, "motion": [flat(frame) for frame in body.positions(target.value)], **skeleton_of(body),
    }  # fmt: skip
    done = 0
    for part in follow(chosen.task, chosen.settings, target, chosen.how, stop=job.stop.is_set):
        job.parts.append(part)
        yield _frames(chosen, part, done)
        done += len(part[0])
    yield {"kind": "end", "reason": _reason(done, len(clip)), "summary": f"{summary(followed(job)[1])}." if done else ""}


def _frames(chosen: Chosen, part: list[Track], done: int) -> Message:
    """Where every joint is in the next frames, and how far off on average, in cm."""
    body = chosen.body
    truth = body.target(chosen.clip.rotvec[done : done + len(part[0])]).value
    lanes = {
        track.name: {
            "joints": [flat(frame) for frame in body.positions(track.output)],
            "error": [finite(error) for error in body.joint_error(track.output, truth).mean(dim=1).tolist()],
        }
        for track in part
    }
    return {"kind": "frames", "steps": list(range(done, done + len(part[0]))), "lanes": lanes}


def _reason(done: int, frames: int) -> str:
    return "" if done == frames else f"Stopped after {done} of {frames} frames; those are kept."


def followed(job: FollowJob | None) -> tuple[Chosen, Followed]:
    """What was chosen, and what was found of it so far.

    Raises:
        UserError: nothing yet.
    """
    if job is None or job.chosen is None or not job.parts:
        raise UserError("There is nothing to export yet; press Run first.")
    chosen = job.chosen
    return chosen, followed_motion(chosen.task, chosen.body, chosen.clip, chosen.settings, chosen.how, joined(job.parts))


def export(job: FollowJob | None) -> Path:
    """A zip with target, X and Z as BVH, the errors, chart and film, in a new temporary folder.

    Raises:
        UserError: there is nothing yet.
    """
    chosen, found = followed(job)
    path = Path(tempfile.mkdtemp(prefix="landscape-")) / f"{file_name(chosen.clip.name)}.zip"
    export_motion(path, chosen.task, chosen.body, chosen.clip, found)
    return path
