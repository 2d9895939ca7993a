"""A skeleton and its forward kinematics: local joint rotations to joint positions in centimetres."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from landscape_core.errors import UserError, reading

# roma is imported where it is used: it loads torch's compiler, which takes longer than everything else here.


def rotvec_to_matrix(rotvec: Tensor) -> Tensor:
    """Axis-angle in radians (..., 3) -> rotation matrices (..., 3, 3), differentiable everywhere."""
    import roma

    return roma.rotvec_to_rotmat(rotvec)


def matrix_to_rotvec(matrix: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) -> axis-angle in radians (..., 3), of length at most pi."""
    import roma

    return roma.rotmat_to_rotvec(matrix)


def rotation_angle(a: Tensor, b: Tensor) -> Tensor:
    """Angle in radians [0, pi) between rotations (..., 3, 3): (...). Its gradient stays finite at 0 and pi."""
    import roma

    return roma.rotmat_geodesic_distance(a, b, clamping=1.0 - 1e-5)


@dataclass(frozen=True, eq=False)
class Skeleton:
    """J joints below the hips. Node 0 is the hips, called `root`, node i + 1 is joint i; a parent comes before its children.

    names: J joint names, hips excluded. parents: J node indices. offsets: (J, 3), cm, in the parent's frame.
    reference: (J, 3, 3), the local rotations that a pose is relative to. hips_reference: (3, 3), y up.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Tensor
    reference: Tensor
    hips_reference: Tensor
    root: str = "Hips"

    def __post_init__(self) -> None:
        n = len(self.names)
        shapes = (tuple(self.offsets.shape), tuple(self.reference.shape), tuple(self.hips_reference.shape))
        if n == 0 or len(self.parents) != n or shapes != ((n, 3), (n, 3, 3), (3, 3)):
            raise UserError(
                f"A skeleton of {n} joints needs as many parents, offsets and reference rotations; it has {shapes}."
            )
        if not all(0 <= parent <= joint for joint, parent in enumerate(self.parents)):
            raise UserError("Every joint of a skeleton must come after its parent (0 is the hips, i + 1 is joint i).")
        _check_rotations(torch.cat([self.reference, self.hips_reference[None]]))
        if not torch.isfinite(self.offsets).all():
            raise UserError("The offsets of a skeleton must be finite numbers, in centimetres.")

    def __len__(self) -> int:
        return len(self.names)

    @property
    def node_names(self) -> tuple[str, ...]:
        """The J + 1 names of the rows of joint positions: "Hips", then every joint."""
        return (self.root, *self.names)

    def to_json(self) -> str:
        """The skeleton as JSON; `Skeleton.from_json` returns the same numbers."""
        tensors = {name: getattr(self, name).tolist() for name in ("offsets", "reference", "hips_reference")}
        return json.dumps({"names": self.names, "parents": self.parents, "unit": "cm", **tensors}, indent=1)

    @staticmethod
    def from_json(text: str) -> Skeleton:
        """Inverse of `to_json`. Raises UserError for text that describes no skeleton."""
        with reading("This skeleton", "is not JSON"):
            fields = json.loads(text)
        return Skeleton.of(fields)

    @staticmethod
    def of(fields: Any) -> Skeleton:
        """From a mapping with this class's field names and anything torch accepts as numbers."""
        with reading("This", "describes no skeleton (names, parents, offsets, reference, hips_reference)"):
            names = tuple(str(name) for name in fields["names"])
            parents = tuple(int(parent) for parent in fields["parents"])
            offsets, reference, hips = (
                torch.as_tensor(fields[key], dtype=torch.float32) for key in ("offsets", "reference", "hips_reference")
            )
        return Skeleton(names, parents, offsets, reference, hips)


def _check_rotations(matrices: Tensor) -> None:
    identity = torch.eye(3).expand_as(matrices)
    orthogonal = torch.allclose(matrices @ matrices.mT, identity, atol=1e-3)
    if not orthogonal or not bool((torch.linalg.det(matrices) > 0).all()):
        raise UserError("The reference rotations of a skeleton must be rotation matrices.")


def load_skeleton(path: Path) -> Skeleton:
    """The skeleton in a JSON file written from `Skeleton.to_json`. Raises UserError where there is none."""
    with reading(str(path), "cannot be read as a skeleton"):
        text = path.read_text(encoding="utf-8")
    return Skeleton.from_json(text)


class ForwardKinematics(nn.Module):
    """Local rotations (B, J, 3, 3), relative to the skeleton's reference -> joint positions (B, J + 1, 3) in cm.

    The hips stay at the origin in `hips_reference`, y up. `nn.Sequential(decoder, ForwardKinematics(skeleton))`
    is the forward model whose observations are 3D joints.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        super().__init__()
        for name in ("offsets", "reference", "hips_reference"):
            self.register_buffer(name, getattr(skeleton, name).clone())
        self.levels, order = _levels(skeleton.parents)
        self.register_buffer("order", order)

    def forward(self, rotations: Tensor) -> Tensor:
        return self.frames(rotations)[0]

    def frames(self, rotations: Tensor) -> tuple[Tensor, Tensor]:
        """Positions (B, J + 1, 3) in cm and global orientations (B, J + 1, 3, 3) of every node, hips first."""
        offsets, order = self.get_buffer("offsets"), self.get_buffer("order")
        local = self.get_buffer("reference") @ rotations  # (B, J, 3, 3)
        turns = [self.get_buffer("hips_reference").expand(len(local), 1, 3, 3)]
        places = [local.new_zeros(len(local), 1, 3)]
        for joints, parents in self.levels:  # joints of one depth at once: their parents are the level before
            parent = turns[-1][:, parents]  # (B, n, 3, 3)
            places.append(places[-1][:, parents] + (parent @ offsets[joints, :, None]).squeeze(-1))
            turns.append(parent @ local[:, joints])
        return torch.cat(places, dim=1)[:, order], torch.cat(turns, dim=1)[:, order]


def _levels(parents: tuple[int, ...]) -> tuple[list[tuple[list[int], list[int]]], Tensor]:
    """Joints by depth as (joints, place of each one's parent in the level before), and the way back to node order."""
    levels: list[tuple[list[int], list[int]]] = []
    nodes, before = [0], [0]
    while len(nodes) <= len(parents):
        joints = [joint for joint, parent in enumerate(parents) if parent in before]
        levels.append((joints, [before.index(parents[joint]) for joint in joints]))
        before = [joint + 1 for joint in joints]
        nodes += before
    return levels, torch.tensor(nodes).argsort()
