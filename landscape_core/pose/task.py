"""Body pose (section 4.2): F is VPoser's decoder, alone or followed by forward kinematics, L is Eq. 6 per entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from landscape_core.errors import UserError, listed
from landscape_core.pose.drawing import FIGURE_SIDE, draw
from landscape_core.pose.kinematics import ForwardKinematics, Skeleton, load_skeleton, matrix_to_rotvec, rotvec_to_matrix
from landscape_core.pose.naming import side_and_part
from landscape_core.pose.network import VPoser, vposer_from
from landscape_core.search.objectives import SquaredError, Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.spaces import Prior
from landscape_core.search.task import Task, X
from landscape_core.search.thetas import RANDOM, THETA, random_mapping, thetas, tuned_on
from landscape_core.storage import zoo

Observation = Literal["rotations", "positions"]
MAX_ANGLE = 1000.0  # radians
NAMES: dict[Observation, str] = {"rotations": "pose", "positions": "pose-positions"}


@dataclass(frozen=True, eq=False)
class Body:
    """A skeleton seen through one kind of observation: rotations (B, J, 3, 3), or positions (B, J + 1, 3) in cm."""

    skeleton: Skeleton
    kinematics: ForwardKinematics
    observation: Observation

    def target(self, rotvec: Tensor, visible: Sequence[str] | None = None) -> Target:
        """Poses (B, J, 3) in radians as what was observed of them; `visible` names the joints that were, all if None.

        Raises:
            UserError: angles that are not finite or beyond MAX_ANGLE, another number of joints, or joints that do not exist.
        """
        if rotvec.dim() != 3 or rotvec.shape[1:] != (len(self.skeleton), 3):
            raise UserError(f"A pose here has {len(self.skeleton)} joints with 3 angles each, not {tuple(rotvec.shape[1:])}.")
        if not torch.isfinite(rotvec).all():
            raise UserError("The pose contains joint angles that are not finite numbers.")
        if rotvec.abs().max() > MAX_ANGLE:
            raise UserError(f"The pose contains joint angles beyond {MAX_ANGLE:g} radians, of which no digit can be trusted.")
        rotations = rotvec_to_matrix(rotvec)
        value = rotations if self.observation == "rotations" else self.kinematics(rotations)
        mask = None if visible is None else self.mask(visible).expand(len(value), *[-1] * (value.dim() - 1))
        return Target(value, mask)

    def mask(self, visible: Sequence[str]) -> Tensor:
        """1 at the named joints: (1, J, 1, 1) for rotations, (1, J + 1, 1) for positions.

        Raises:
            UserError: no joint, or one that does not exist.
        """
        rows = self.skeleton.names if self.observation == "rotations" else self.skeleton.node_names
        unknown = sorted(set(visible) - set(self.skeleton.node_names))
        if unknown:
            raise UserError(f"There is no joint {listed(unknown)}; there are: {', '.join(self.skeleton.names)}.")
        if not set(visible) & set(self.skeleton.names):
            raise UserError("At least one joint must be visible.")
        shape = (1, -1, 1, 1) if self.observation == "rotations" else (1, -1, 1)
        return torch.tensor([float(name in visible) for name in rows]).reshape(shape)

    def positions(self, output: Tensor) -> Tensor:
        """What F gives, as joint positions (B, J + 1, 3) in cm, hips first and at the origin."""
        return self.kinematics(output) if self.observation == "rotations" else output

    def picture(self, output: Tensor | None, target: Target) -> Tensor:
        """What F gives (n, ...), or the target itself where it is None, as drawn figures (n, 3, side, side) in [-1, 1]."""
        return draw(self.positions(target.value if output is None else output), self.skeleton)

    def joint_error(self, output: Tensor, target: Tensor) -> Tensor:
        """Distance in cm of every joint between two outputs of F: (B, J)."""
        return (self.positions(output) - self.positions(target))[:, 1:].norm(dim=-1)


def upper_body(skeleton: Skeleton) -> list[str]:
    """Every joint whose chain to the hips does not pass a leg."""
    lower = set(lower_body(skeleton))
    return [name for name in skeleton.names if name not in lower]


def lower_body(skeleton: Skeleton) -> list[str]:
    """The legs: every joint named for leg, foot or toes."""
    return [name for name in skeleton.names if any(part in name for part in ("Leg", "Hip", "Knee", "Ankle", "Foot", "Toes"))]


def seen_joints(body: Body, words: str) -> list[str]:
    """Joints by a word, "all", "upper" or "lower", or by their names with commas between."""
    groups = {"all": list(body.skeleton.names), "upper": upper_body(body.skeleton), "lower": lower_body(body.skeleton)}
    return groups.get(words) or [name.strip() for name in words.split(",")]


def body_parts(skeleton: Skeleton) -> list[list[int]]:
    """Joint indices of torso, left arm, right arm and legs."""
    upper = upper_body(skeleton)
    groups = [*([name for name in upper if side_and_part(name)[0] == side] for side in ("", "_L", "_R")), lower_body(skeleton)]
    return [[skeleton.names.index(name) for name in group] for group in groups]


def load_body(observation: Observation = "rotations", assets: Path = zoo.ASSETS) -> Body:
    """The embedded prior's skeleton. Raises UserError where it is missing."""
    skeleton = load_skeleton(assets / "pose" / "skeleton.json")
    return Body(skeleton, ForwardKinematics(skeleton), observation)


@torch.no_grad()
def sampled_poses(n: int, seed: int, assets: Path = zoo.ASSETS) -> Tensor:
    """n poses (n, J, 3) that the embedded prior makes of inputs drawn by `seed`."""
    card, tensors = zoo.load("pose", assets)
    with zoo.fitting(card):
        decoder = vposer_from(tensors, card.architecture).decoder
    x = torch.randn(n, decoder.latent, generator=torch.Generator().manual_seed(seed))
    return matrix_to_rotvec(decoder(x))


def load_pose_task(observation: Observation = "rotations", assets: Path = zoo.ASSETS) -> Task:
    """The embedded pose prior with every Θ trained for one kind of observation.

    Inputs x (B, 32) with prior N(0, I). Rotations can be encoded (VPoser's encoder mean); positions cannot.

    Raises:
        UserError: a model is missing or altered.
    """
    card, tensors = zoo.load("pose", assets)
    with zoo.fitting(card):
        vposer = vposer_from(tensors, card.architecture)
    body = load_body(observation, assets)
    task = rotations_task(NAMES[observation], card, vposer, body, f"pose{THETA}{observation}-", assets)
    if observation == "rotations":
        return task
    return replace(task, forward=nn.Sequential(vposer.decoder, body.kinematics).eval(), encode=None)


def rotations_task(name: str, card: zoo.Card, vposer: VPoser, body: Body, prefix: str, assets: Path) -> Task:
    """A prior as a task whose F gives rotations (B, J, 3, 3), with the Θs below `assets` whose names begin with `prefix`.

    Raises:
        UserError: a Θ is altered.
    """
    latent = vposer.decoder.latent
    prior = Prior(torch.zeros(latent), torch.eye(latent))

    @torch.no_grad()
    def encode(rotations: Tensor) -> Tensor:
        mean: Tensor = vposer.encoder(matrix_to_rotvec(rotations)).mean
        return mean

    learned = thetas(prefix, prior, assets)
    return Task(
        name=name,
        forward=vposer.decoder,
        prior=prior,
        objective=SquaredError(),
        mappings={**learned.spaces, RANDOM: random_mapping(prior)},
        encode=encode,
        hashes={card.name: card.sha256, **learned.hashes},
        advised={X: OptimizerSettings(name="lbfgs", lr=1.0), **learned.advised},
        tuned={X: tuned_on(card), **learned.tuned},
        picture=body.picture,
        side=FIGURE_SIDE,
    )
