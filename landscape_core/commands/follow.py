"""`follow`: every frame of a motion, or of pictures in a row, in X and in Z."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from landscape_core.console import Bar, apply_threads, leave
from landscape_core.domains import domain_for, load_task
from landscape_core.errors import UserError
from landscape_core.generators.following import export_pictures, followed_pictures, load_picture_clip
from landscape_core.options import (
    POSED_HELP,
    Device,
    Distance,
    JointMap,
    LearnedSpace,
    Optimizers,
    Out,
    PriorWeight,
    Seed,
    SeenJoints,
    Threads,
    columns,
)
from landscape_core.pose.clip import load_clip
from landscape_core.pose.domain import DOMAIN as POSE
from landscape_core.pose.following import export_motion, followed_motion
from landscape_core.pose.motion import SUFFIXES
from landscape_core.pose.naming import read_joint_map
from landscape_core.pose.priors import body_of
from landscape_core.pose.task import seen_joints
from landscape_core.records.clip import Clip
from landscape_core.records.follow_export import Followed, summary
from landscape_core.search.follow import MAX_BATCH, MAX_SMOOTHNESS, Following, Order, Track, joined
from landscape_core.search.follow import follow as follow_clip
from landscape_core.search.objectives import Target
from landscape_core.search.race import DEFAULT_PERCEPTUAL, MAX_STEPS, RunSettings
from landscape_core.search.task import Task
from landscape_core.storage.files import unused

Found = Callable[[RunSettings, Following, Sequence[Track]], Followed]
_POSE_ONLY = "--seen and --map are for motions, not for pictures."


@dataclass(frozen=True)
class _Range:
    """Frames from `first` to `last`, every `every`th."""

    first: int
    last: int | None
    every: int


@dataclass(frozen=True)
class _Followable:
    """A clip with its frames as a target (T, ...), and how what was found of it is kept."""

    clip: Clip
    target: Target
    found: Found
    export: Callable[[Path, Followed], None]


def follow(
    file: Annotated[
        Path, typer.Argument(help="A motion (BVH, or AMASS .npz), an animated picture, or a folder or zip of pictures.")
    ],
    first: Annotated[int, typer.Option(help="First frame.", min=0)] = 0,
    last: Annotated[int | None, typer.Option(help="Last frame; the file's where absent.", min=0)] = None,
    every: Annotated[int, typer.Option(help="Every how manyth frame; what is written keeps the clip's speed.", min=1)] = 1,
    order: Annotated[
        Order, typer.Option(help="warm: each frame from what was found of the last one. cold: all alike, in batches.")
    ] = "warm",
    smoothness: Annotated[
        float, typer.Option(help="Weight on the distance from the last frame's output.", min=0.0, max=MAX_SMOOTHNESS)
    ] = 0.0,
    batch: Annotated[int, typer.Option(help="Frames of one pass, where they are cold.", min=1, max=MAX_BATCH)] = 64,
    task: Annotated[str | None, typer.Option(help=f"{POSED_HELP} Where absent, pose for motions, faces for pictures.")] = None,
    seen: SeenJoints = "all",
    names: JointMap = None,
    space: LearnedSpace = None,
    steps: Annotated[int, typer.Option(help="Steps of descent for every frame.", min=1, max=MAX_STEPS)] = 20,
    optimizer: Optimizers = None,
    prior_weight: PriorWeight = 0.0,
    out: Out = Path("runs/follow"),
    device: Device = "cpu",
    perceptual: Distance = DEFAULT_PERCEPTUAL,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Follow a clip, X and Z each by itself; writes a zip: settings, measures of every frame, chart, film, and poses as BVH.

    Ctrl-C keeps the frames that are done.
    """
    apply_threads(threads)
    name = task or ("pose" if file.suffix.lower() in SUFFIXES else "faces")
    loaded = load_task(name, perceptual=perceptual, device=device)
    chosen = loaded.z_space(space)
    frames = _Range(first, last, every)
    if domain_for(name) is POSE:
        source = _motion(loaded, file, frames, seen, names)
    elif seen != "all" or names is not None:
        raise UserError(_POSE_ONLY)
    else:
        source = _pictures(loaded, file, frames)
    by = columns(optimizer, loaded.advice(chosen).name)
    settings = RunSettings.table(loaded, chosen, by, steps=steps, seed=seed, perceptual=perceptual, prior_weight=prior_weight)
    how = Following(order=order, batch=batch, smoothness=smoothness)
    for notice in source.clip.notices:
        typer.echo(f"{file.name}: {notice}")
    tracks, stopped = _followed(loaded, source, settings, how)
    if tracks:
        followed = source.found(settings, how, tracks)
        archive = unused(out / f"{source.clip.name}.zip")
        source.export(archive, followed)
        typer.echo(f"{summary(followed)}.\nWrote {archive}.")
    leave(stopped=stopped)


def _motion(task: Task, file: Path, frames: _Range, seen: str, names: Path | None) -> _Followable:
    body = body_of(task.name)
    named = None if names is None else read_joint_map(names, body.skeleton)
    clip = load_clip(file, body.skeleton, named, **vars(frames))
    return _Followable(
        clip, body.target(clip.rotvec, seen_joints(body, seen)),
        lambda settings, how, tracks: followed_motion(task, body, clip, settings, how, tracks),
        lambda path, followed: export_motion(path, task, body, clip, followed),
    )  # fmt: skip


def _pictures(task: Task, file: Path, frames: _Range) -> _Followable:
    clip = load_picture_clip(file, task, **vars(frames))
    return _Followable(
        clip, clip.target,
        lambda settings, how, tracks: followed_pictures(task, clip, settings, how, tracks),
        lambda path, followed: export_pictures(path, clip, followed),
    )  # fmt: skip


def _followed(task: Task, source: _Followable, settings: RunSettings, how: Following) -> tuple[list[Track], bool]:
    """The tracks of the frames that were done, none if there are none, and whether Ctrl-C cut them short."""
    parts: list[list[Track]] = []
    with Bar(source.clip.name) as bar:
        done = 0
        for part in follow_clip(task, settings, source.target, how, stop=lambda: bar.stopped):
            parts.append(part)
            done += len(part[0])
            bar(done, len(source.target), {track.name: float(track.loss.mean()) for track in part})
        return joined(parts) if parts else [], bar.stopped
