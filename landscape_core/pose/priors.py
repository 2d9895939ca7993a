"""Every pose prior by the names of its tasks: the embedded one, which has two, and those that were adopted."""

from __future__ import annotations

from landscape_core.errors import UserError
from landscape_core.pose.adopting import PRIOR, adopted, adopted_body, load_adopted
from landscape_core.pose.network import VPoser, vposer_from
from landscape_core.pose.task import NAMES, Body, Observation, load_body, load_pose_task
from landscape_core.search.task import Task
from landscape_core.search.thetas import THETA
from landscape_core.storage import zoo

_OBSERVATIONS: dict[str, Observation] = {name: observation for observation, name in NAMES.items()}


def pose_tasks() -> list[str]:
    """The names of all pose tasks."""
    return [*_OBSERVATIONS, *adopted()]


def _check(task: str) -> str:
    if task not in _OBSERVATIONS and task not in adopted():
        raise UserError(f"{task!r} is no pose task; those are: {', '.join(pose_tasks())}.")
    return task


def body_of(task: str) -> Body:
    """The body as the pose task of that name sees it. Raises UserError where that is no pose task."""
    observation = _OBSERVATIONS.get(_check(task))
    return adopted_body() if observation is None else load_body(observation)


def load_any_pose_task(task: str) -> Task:
    """The pose task of that name, with every Θ trained for it. Raises UserError where there is none, or it is damaged."""
    observation = _OBSERVATIONS.get(_check(task))
    return load_adopted(task) if observation is None else load_pose_task(observation)


def prior_of(task: str) -> tuple[zoo.Card, VPoser]:
    """The prior that a pose task searches. Raises UserError where there is none, or it is damaged."""
    name = "pose" if _check(task) in _OBSERVATIONS else f"{task}{PRIOR}"
    card, tensors = zoo.load(name, zoo.shelf_of(name))
    with zoo.fitting(card):
        return card, vposer_from(tensors, card.architecture)


def drawing_task(task: str) -> str:
    """The pose task that draws poses for another: that of the same prior whose F gives rotations."""
    return NAMES["rotations"] if task in _OBSERVATIONS else task


def theta_prefix(task: str) -> str:
    """How the names of the Θs of a pose task begin."""
    return f"pose{THETA}{_OBSERVATIONS[task]}-" if task in _OBSERVATIONS else f"{task}{THETA}"
