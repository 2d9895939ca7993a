"""A clip of pictures followed: all frames in the square of the first, and how near each lane comes to every one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from landscape_core.generators.datasets import framing_of
from landscape_core.images.clips import load_frames
from landscape_core.images.faces import choose_crop
from landscape_core.images.pixels import to_bytes, to_unit
from landscape_core.images.reading import crop_square
from landscape_core.records.clip import Clip, frames_of
from landscape_core.records.follow_export import Followed, export_followed
from landscape_core.records.run_card import models_used
from landscape_core.search.follow import Following, Track
from landscape_core.search.judges import psnr
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings
from landscape_core.search.task import Task

MAX_FRAMES = 300


@dataclass(frozen=True, eq=False, kw_only=True)
class PictureClip(Clip):
    """Pictures as a target (T, 3, side, side)."""

    target: Target


def load_picture_clip(
    path: Path, task: Task, *, first: int = 0, last: int | None = None, every: int = 1, most: int = MAX_FRAMES
) -> PictureClip:
    """Every `every`th frame of an animation, folder or zip from `first` to `last`, both among them, each cropped as the first
    one is: a face stays where it is in the picture.

    Raises:
        UserError: as `clips.load_frames` and `clip.frames_of`.
    """
    source = load_frames(path)
    frames = frames_of(len(source.images), first, last, every, most)
    box, said = choose_crop(source.images[frames[0]], framing_of(task.name))
    pictures = torch.stack([crop_square(source.images[frame], box, task.side) for frame in frames])
    return PictureClip(
        name=path.stem, target=Target(to_unit(pictures)), fps=source.fps / frames.step, frames=frames, notices=said
    )


def followed_pictures(
    task: Task, clip: PictureClip, settings: RunSettings, how: Following, tracks: Sequence[Track]
) -> Followed:  # fmt: skip
    """What was found of the clip's first frames, with its PSNR to each."""
    done = len(tracks[0])
    measured = {track.name: psnr(track.output.cpu(), clip.target.value[:done])[:, None] for track in tracks}
    models = models_used(task, settings)
    return Followed(clip.name, settings, how, models, clip.frames[:done], clip.fps, tracks, ["PSNR"], measured, "dB")


def export_pictures(path: Path, clip: PictureClip, followed: Followed) -> None:
    """The zip of followed pictures; the film has the target beside."""
    done = len(followed.frames)
    shown = {track.name: to_bytes(track.output) for track in followed.tracks}
    export_followed(path, followed, to_bytes(clip.target.value[:done]), shown)
