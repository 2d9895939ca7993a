"""Runs on poses: their target, their card, and their export."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from landscape_core.errors import UserError
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.kinematics import matrix_to_rotvec
from landscape_core.pose.task import NAMES, Body, load_body
from landscape_core.search.export import CARD, LATENTS, LOSSES, file_name, latents, losses_csv
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings
from landscape_core.search.run_card import Card, environment, models_used
from landscape_core.search.solver import Lane
from landscape_core.search.task import Task
from landscape_core.search.trajectory import Trajectory
from landscape_core.storage.files import whole

MAX_HYPOTHESES = 64
TARGET = "target.bvh"
_MAX_JOINTS = 200
Angles = tuple[float, float, float]


class PoseCard(Card):
    """The card of a run on a pose: axis-angle in radians per joint, the names of those seen, how many hypotheses."""

    kind: Literal["pose"] = "pose"
    rotvec: list[Angles] = Field(max_length=_MAX_JOINTS)
    visible: list[str] = Field(max_length=_MAX_JOINTS)
    hypotheses: int = Field(1, ge=1, le=MAX_HYPOTHESES)


def body_of(task: str) -> Body:
    """The body as the pose task of that name sees it. Raises UserError where that is no pose task."""
    for observation, name in NAMES.items():
        if name == task:
            return load_body(observation)
    raise UserError(f"{task!r} is no pose task; those are: {', '.join(NAMES.values())}.")


def hypotheses_target(body: Body, rotvec: Tensor, visible: Sequence[str], k: int) -> Target:
    """One pose (J, 3), radians, as the target of k hypotheses, of which the named joints are seen.

    Raises:
        UserError: not a number of hypotheses, or no such pose or joints.
    """
    if not isinstance(k, int) or not 1 <= k <= MAX_HYPOTHESES:
        raise UserError(f"The number of hypotheses must be from 1 to {MAX_HYPOTHESES}.")
    return body.target(rotvec[None].expand(k, -1, -1), visible)


def make_pose_card(
    task: Task, settings: RunSettings, rotvec: Tensor, visible: Sequence[str], k: int, **result: Any
) -> PoseCard:
    """The card of a run of k hypotheses on one pose (J, 3)."""
    return PoseCard(
        settings=settings,
        models=models_used(task, settings),
        rotvec=[(x, y, z) for x, y, z in rotvec.tolist()],
        visible=list(visible),
        hypotheses=k,
        environment=environment(),
        result=result,
    )


def pose_card_target(card: PoseCard) -> Target:
    """The target a card carries. Raises UserError where its pose is none of this skeleton's."""
    return hypotheses_target(body_of(card.settings.task), torch.tensor(card.rotvec), card.visible, card.hypotheses)


def decoder_of(task: Task) -> nn.Module:
    """The part of F that gives rotations: the first of a sequence, or all of it."""
    return task.forward[0] if isinstance(task.forward, nn.Sequential) else task.forward


def export_poses(path: Path, card: PoseCard, task: Task, lanes: Sequence[Lane], trajectory: Trajectory) -> None:
    """A zip with the card, the losses and latents of the first hypothesis, and as BVH the target and each lane's best
    poses, one frame a hypothesis."""
    skeleton, decoder = body_of(task.name).skeleton, decoder_of(task)
    with whole(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(CARD, card.model_dump_json(indent=2))
        archive.writestr(LOSSES, losses_csv(trajectory))
        archive.writestr(LATENTS, latents(trajectory))
        archive.writestr(TARGET, bvh_text(skeleton, torch.tensor(card.rotvec)[None]))
        if trajectory.last is None:
            return
        for lane, now in zip(lanes, trajectory.last.lanes, strict=True):
            with torch.no_grad():
                rotations = decoder(lane.space.to_x(now.best_variable))
            archive.writestr(f"{file_name(lane.name)}.bvh", bvh_text(skeleton, matrix_to_rotvec(rotations)))
