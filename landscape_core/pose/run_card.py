"""Runs on poses: their target, their card, and their export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from landscape_core.errors import UserError
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.kinematics import matrix_to_rotvec
from landscape_core.pose.priors import body_of
from landscape_core.pose.task import Body
from landscape_core.records.export import file_name
from landscape_core.records.run_card import Card, environment, models_used
from landscape_core.records.run_zip import PLAIN, Told, export_zip
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings
from landscape_core.search.solver import Lane
from landscape_core.search.task import Task
from landscape_core.search.trajectory import Trajectory

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


def export_poses(
    path: Path, card: PoseCard, task: Task, lanes: Sequence[Lane], trajectory: Trajectory, target: Target, told: Told = PLAIN
) -> None:
    """A zip of the run, with the target and each lane's best poses as BVH, one frame a hypothesis."""
    skeleton, decoder = body_of(task.name).skeleton, decoder_of(task)
    files = {TARGET: bvh_text(skeleton, torch.tensor(card.rotvec)[None]).encode()}
    about = {TARGET: "the target"}
    for lane, now in zip(lanes, trajectory.last.lanes if trajectory.last else (), strict=trajectory.last is not None):
        with torch.no_grad():
            rotations = decoder(lane.space.to_x(now.best_variable))
        name = f"{file_name(lane.name)}.bvh"
        files[name] = bvh_text(skeleton, matrix_to_rotvec(rotations)).encode()
        about[name] = f"the best poses that {lane.name} found, a frame for each"
    known = replace(told, sample="hypothesis", extra=files, about=about)
    export_zip(path, card, task, lanes, trajectory, target, known)
