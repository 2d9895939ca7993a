"""What the Invert tab's panel follows: the frames of an animation, or of a zip of pictures. Knows nothing of Gradio."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.following.run import Source, asked_of
from app.runs.legs import finite
from app.runs.session import Message
from landscape_core.errors import UserError
from landscape_core.generators.following import export_pictures, followed_pictures, load_picture_clip
from landscape_core.images.pixels import to_bytes, webp
from landscape_core.search.follow import Track
from landscape_core.search.judges import psnr
from landscape_core.search.race import RunSettings
from landscape_core.search.task import Task

MOST_FRAMES = 60
BATCH = 4  # frames of a pass, where they are cold
SUFFIXES = [".gif", ".webp", ".png", ".avif", ".zip"]


def source_of(task: Task, race: RunSettings, path: str | None, data: Mapping[str, Any]) -> Source:
    """The clip of an uploaded file, by every lane of the race's settings.

    Raises:
        UserError: no file, one that is no clip, a number that cannot be, or a model that makes no pictures.
    """
    asked = asked_of(data, BATCH)
    if task.picture is not None:
        raise UserError(f"{task.name} makes no pictures, whose frames could be followed.")
    if path is None:
        raise UserError("Add a clip first: an animated picture, or a zip of pictures.")
    clip, settings = load_picture_clip(Path(path), task, **asked.range, most=MOST_FRAMES), asked.settings(race)

    def begin() -> Message:
        return {"pictures": [webp(picture) for picture in to_bytes(clip.target.value)], "side": task.side}

    def column(track: Track, done: int) -> Message:
        found = track.output.cpu()
        values = psnr(found, clip.target.value[done : done + len(track)]).tolist()
        return {"picture": [webp(picture) for picture in to_bytes(found)], "error": [finite(value) for value in values]}

    return Source(
        task, clip.target, settings, asked.how, clip, begin, column,
        lambda tracks: followed_pictures(task, clip, settings, asked.how, tracks),
        lambda file, followed: export_pictures(file, clip, followed),
    )  # fmt: skip
