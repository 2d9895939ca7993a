"""What the Pose tab's panel follows: the frames of a file, or of a motion that the prior draws. Knows nothing of Gradio."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.following.run import Asked, Source, asked_of
from app.pose.run import joints_of
from app.pose.stream import flat, skeleton_of
from app.runs.legs import finite
from app.runs.session import Message
from landscape_core.pose.clip import PoseClip, drawn_clip, load_clip
from landscape_core.pose.following import export_motion, followed_motion
from landscape_core.pose.naming import read_joint_map
from landscape_core.pose.priors import body_of
from landscape_core.search.follow import Track
from landscape_core.search.race import RunSettings
from landscape_core.search.task import Task

MOST_FRAMES = 600
BATCH = 16  # frames of a pass, where they are cold: few enough that one sees them come


def clip_of(drawing: Task, number: Any, path: str | None, names: str | None, asked: Asked) -> PoseClip:
    """The range of an uploaded file that is asked for, or without one the motion drawn by a number.

    Raises:
        UserError: as `load_clip` and `drawn_clip`.
    """
    if path is None:
        return drawn_clip(drawing, number)
    skeleton = body_of(drawing.name).skeleton
    named = None if names is None else read_joint_map(Path(names), skeleton)
    return load_clip(Path(path), skeleton, named, **asked.range, most=MOST_FRAMES)


def source_of(
    task: Task, drawing: Task, race: RunSettings, number: Any, path: str | None, names: str | None, data: Mapping[str, Any]
) -> Source:
    """The clip that the page asks for, by every lane of the race's settings, from the joints seen.

    Raises:
        UserError: a clip or a number that cannot be, or joints that do not exist.
    """
    asked, body = asked_of(data, BATCH), body_of(task.name)
    visible, settings = joints_of(body, data.get("visible")), asked.settings(race)
    clip = clip_of(drawing, number, path, names, asked)
    target = body.target(clip.rotvec, visible)

    def begin() -> Message:
        return {"motion": [flat(frame) for frame in body.positions(target.value)], **skeleton_of(body)}

    def column(track: Track, done: int) -> Message:
        errors = body.joint_error(track.output, target.value[done : done + len(track)]).mean(dim=1).tolist()
        joints = [flat(frame) for frame in body.positions(track.output)]
        return {"joints": joints, "error": [finite(error) for error in errors]}

    return Source(
        task, target, settings, asked.how, clip, begin, column,
        lambda tracks: followed_motion(task, body, clip, settings, asked.how, tracks),
        lambda file, followed: export_motion(file, task, body, clip, followed),
    )  # fmt: skip
