"""How body poses are registered."""

from __future__ import annotations

from pathlib import Path

from landscape_core.domain import Domain, Observed
from landscape_core.errors import UserError
from landscape_core.pose.motion import load_motion, pose_of
from landscape_core.pose.naming import read_joint_map
from landscape_core.pose.priors import body_of, load_any_pose_task, pose_tasks
from landscape_core.pose.recordings import MOCAP, draw_poses, load_poses
from landscape_core.pose.run_card import PoseCard, pose_card_target
from landscape_core.search.objectives import Target
from landscape_core.search.race import DEFAULT_PERCEPTUAL, Perceptual
from landscape_core.search.task import Task


def _load(name: str, perceptual: Perceptual = DEFAULT_PERCEPTUAL, device: str = "cpu") -> Task:
    if device not in ("cpu", "auto"):
        raise UserError(f"The pose prior runs on the CPU alone, not on {device}.")
    return load_any_pose_task(name)


def _observe(task: Task, path: Path, frame: int, names: Path | None) -> Observed:
    """One frame of a motion, as the task sees it."""
    body, motion = body_of(task.name), load_motion(path)
    named = None if names is None else read_joint_map(names, body.skeleton)
    return Observed(body.target(pose_of(motion, body.skeleton, frame, named)[None]), motion.notices)


def _recorded(task: Task, data: Path, split: str, n: int, seed: int) -> tuple[Target, str]:
    return body_of(task.name).target(draw_poses(load_poses(data / MOCAP, split), n, seed)), MOCAP


def _carried(card: PoseCard, task: Task) -> Target:
    return pose_card_target(card)


DOMAIN = Domain("pose", pose_tasks, _load, _observe, PoseCard, _carried, _recorded)
