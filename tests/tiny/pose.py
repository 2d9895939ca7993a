"""A small skeleton and random poses for it, and the shared data where it is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from landscape_core.pose.kinematics import Skeleton

SHARED = Path(__file__).resolve().parents[3] / "shared"


def shared(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"../shared/{name} is not here")
    return path


def tiny_skeleton(seed: int = 0) -> Skeleton:
    """Hips, a spine of two, and two limbs of one and two joints, with turned references."""
    random = np.random.default_rng(seed)
    turns = torch.from_numpy(Rotation.random(6, rng=random).as_matrix()).float()
    offsets = torch.from_numpy(random.normal(scale=20.0, size=(5, 3))).float()
    return Skeleton(("Spine", "Leg_L", "Foot_L", "Leg_R", "Head"), (0, 0, 2, 0, 1), offsets, turns[:5], turns[5])


def random_rotvec(n: int, joints: int, seed: int = 0) -> Tensor:
    return 0.7 * torch.randn(n, joints, 3, generator=torch.Generator().manual_seed(seed))
