"""A motion followed: every frame as a target of which some joints are seen, how far every joint is off, and the files of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.images.pixels import to_bytes
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.clip import PoseClip
from landscape_core.pose.drawing import draw
from landscape_core.pose.kinematics import matrix_to_rotvec
from landscape_core.pose.run_card import TARGET, decoder_of
from landscape_core.pose.task import Body
from landscape_core.records.export import file_name
from landscape_core.records.follow_export import Followed, export_followed
from landscape_core.records.run_card import models_used
from landscape_core.search.follow import Following, Track
from landscape_core.search.race import RunSettings
from landscape_core.search.task import Task

UNIT = "cm"


def followed_motion(
    task: Task, body: Body, clip: PoseClip, settings: RunSettings, how: Following, tracks: Sequence[Track]
) -> Followed:  # fmt: skip
    """What was found of the clip's first frames, with the distance of every joint from where it was recorded, seen or not."""
    done = len(tracks[0])
    truth = body.target(clip.rotvec[:done]).value
    errors = {track.name: body.joint_error(track.output, truth) for track in tracks}
    names, models = body.skeleton.names, models_used(task, settings)
    return Followed(clip.name, settings, how, models, clip.frames[:done], clip.fps, tracks, names, errors, UNIT)


@torch.no_grad()
def motion_of(task: Task, body: Body, x: Tensor, fps: float) -> str:
    """Inputs of F (T, 32) as the text of a BVH file at that rate; the hips rest, for the prior knows nothing of them."""
    return bvh_text(body.skeleton, matrix_to_rotvec(decoder_of(task)(x)), fps)


def export_motion(path: Path, task: Task, body: Body, clip: PoseClip, followed: Followed) -> None:
    """The zip of a followed motion, with the target and every lane's poses as BVH at the clip's own rate."""
    done = len(followed.frames)
    truth = body.positions(body.target(clip.rotvec[:done]).value)
    figures = {track.name: to_bytes(draw(body.positions(track.output), body.skeleton)) for track in followed.tracks}
    motions = {f"{file_name(track.name)}.bvh": motion_of(task, body, track.x, clip.fps) for track in followed.tracks}
    motions[TARGET] = bvh_text(body.skeleton, clip.rotvec[:done], clip.fps)
    extra = {name: text.encode() for name, text in motions.items()}
    export_followed(path, followed, to_bytes(draw(truth, body.skeleton)), figures, extra)
