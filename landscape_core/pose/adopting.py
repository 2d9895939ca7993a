"""Published VPoser checkpoints as pose tasks: converted once, with a card that says what was assumed."""

from __future__ import annotations

from pathlib import Path

import torch

from landscape_core.errors import UserError, listed
from landscape_core.pose.amass import rest_skeleton
from landscape_core.pose.kinematics import ForwardKinematics
from landscape_core.pose.network import load_published_vposer, vposer_from
from landscape_core.pose.task import NAMES, Body, rotations_task
from landscape_core.search.task import Task
from landscape_core.storage import zoo

PRIOR = "/vposer"  # a task's name and this is its model's
SUFFIXES = (".ckpt", ".pt")
ASSUMED = (
    "Assumed: the 21 joints of SMPL's body without the pelvis, in its order, their rotations relative to the parent joint; the "
    "negative slopes of the published code, 0.2 for v1 and 0.01 for v2; a prior N(0, I). Figures and errors in cm are of an "
    "average body's bones, since the file has none. SMPL's own body model is not needed and not in it."
)


def is_vposer(path: Path) -> bool:
    """Whether a path looks like a VPoser's: a folder, as it is published, or a checkpoint of its trainer."""
    return path.is_dir() or path.suffix == ".ckpt"


def adopt_vposer(path: Path, name: str, *, licence: str, command: str, own: Path = zoo.OWN) -> zoo.Card:
    """Write `NAME/vposer` below `own` from a published folder (v1 or v2; its only or last snapshot) or a checkpoint file.

    Raises:
        UserError: no checkpoint there, tensors that are neither version's, another body's joints, or a name that is taken.
    """
    if name in [*NAMES.values(), *adopted(own)]:
        raise UserError(f"There is a pose task {name!r} already; choose another --name.")
    file = snapshot(path)
    vposer = load_published_vposer(file)
    joints, body = vposer.settings["joints"], rest_skeleton()
    if joints != len(body):
        raise UserError(f"{file.name} is a prior of {joints} joints; SMPL's body has {len(body)}.")
    version, latent = vposer.settings["version"], vposer.settings["latent"]
    card = zoo.Card(
        name=f"{name}{PRIOR}", kind=f"published VPoser v{version}, F: x ({latent}) -> rotations of {joints} joints",
        architecture=dict(vposer.settings), trained_on=f"by others; read from {file.name}", licence=licence, command=command,
        budget={}, metrics={}, sha256="", seed=0, notes=ASSUMED,
    )  # fmt: skip
    return zoo.save(card, vposer.state_dict(), own, dtype=torch.float32)


def snapshot(path: Path) -> Path:
    """The checkpoint in a published folder, the last by name where there are several; a file is itself.

    Raises:
        UserError: there is none.
    """
    if not path.is_dir():
        return path
    found = sorted(each for suffix in SUFFIXES for each in path.rglob(f"*{suffix}") if each.is_file())
    if not found:
        inside = listed(sorted(each.name for each in path.iterdir()), 4)
        raise UserError(
            f"There is no snapshot ({', '.join(SUFFIXES)}) in {path}, as in a VPoser's folder; there are: {inside}."
        )
    return found[-1]


def adopted(own: Path = zoo.OWN) -> list[str]:
    """The names of the tasks that were adopted."""
    return [name.removesuffix(PRIOR) for name in zoo.names(own) if name.endswith(PRIOR)]


def adopted_body() -> Body:
    """An average SMPL body, of which joint rotations are observed."""
    skeleton = rest_skeleton()
    return Body(skeleton, ForwardKinematics(skeleton), "rotations")


def load_adopted(name: str, own: Path = zoo.OWN) -> Task:
    """The task of an adopted VPoser, with every Θ trained for it.

    Raises:
        UserError: there is none of that name, or its model is altered.
    """
    card, tensors = zoo.load(f"{name}{PRIOR}", own)
    with zoo.fitting(card):
        vposer = vposer_from(tensors, card.architecture)
    return rotations_task(name, card, vposer, adopted_body(), f"{name}/theta-", own)
