"""A clip, whatever its frames are: what is told of it, and which frames of its source it takes."""

from __future__ import annotations

from dataclasses import dataclass

from landscape_core.errors import UserError


@dataclass(frozen=True, eq=False, kw_only=True)
class Clip:
    """Frames in a row, `fps` of them a second, and which `frames` of their source they are; `notices` say what was made of
    the source in reading it. What a frame is, its kinds say."""

    name: str
    fps: float
    frames: range
    notices: tuple[str, ...] = ()


def frames_of(there: int, first: int, last: int | None, every: int, most: int) -> range:
    """Every `every`th of so many frames from `first` to `last` (the last there is where it is None), both among them.

    Raises:
        UserError: none, some that are not there, or more than `most`.
    """
    end = there - 1 if last is None else last
    if every < 1 or not 0 <= first <= end < there:
        raise UserError(f"There are frames 0 to {there - 1}; from {first} to {end} by {every} is no range of them.")
    frames = range(first, end + 1, every)
    if len(frames) > most:
        raise UserError(f"These are {len(frames):,} frames, and at most {most:,} are followed; take a range, or every nth.")
    return frames
