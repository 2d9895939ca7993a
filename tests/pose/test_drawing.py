"""Poses as pictures: limbs appear where the joints are, and nearer limbs hide farther ones."""

from __future__ import annotations

import torch

from landscape_core.pose.drawing import draw
from landscape_core.pose.kinematics import Skeleton


def skeleton(*parents: int) -> Skeleton:
    n = len(parents)
    names = tuple(f"Arm{i}" for i in range(n))
    return Skeleton(names, parents, torch.zeros(n, 3), torch.eye(3).expand(n, 3, 3), torch.eye(3))


def test_a_limb_is_painted_along_its_bone_and_nowhere_else() -> None:
    positions = torch.tensor([[[0.0, 0, 0], [0, 80, 0]], [[0.0, 0, 0], [0, -80, 0]]])
    up, down = (draw(positions, skeleton(0), side=64) < 0.5).any(dim=1)  # (64, 64): painted
    assert up[10:31, 31:33].all()
    assert not up[40:].any()
    assert not up[:, :20].any()
    assert down[33:54, 31:33].all()
    assert not down[:24].any()


def test_what_is_nearer_covers_what_is_behind() -> None:
    toward = torch.tensor([-0.479, 0.0, 0.878])  # to the eye, which looks from 0.5 radians aside
    near, far = 60 * toward, -60 * toward
    body = torch.stack([torch.zeros(3), near, near + torch.tensor([0.0, 60, 0]), far, far + torch.tensor([0.0, 60, 0])])
    picture = draw(torch.stack([body, body[[0, 3, 4, 1, 2]]]), skeleton(0, 1, 0, 3), side=64)
    assert torch.equal(picture[0], picture[1]), "the order in which limbs are listed does not matter"
    alone = draw(body[None, :3], skeleton(0, 1), side=64)
    torch.testing.assert_close(picture[0, :, 12:20, 32], alone[0, :, 12:20, 32])


def test_left_and_right_limbs_have_colours_of_their_own() -> None:
    limb = torch.tensor([[[0.0, 0, 0], [0, 80, 0]]])
    colours = {}
    for name in ("Arm_L", "Arm_R", "Spine"):
        body = Skeleton((name,), (0,), torch.zeros(1, 3), torch.eye(3).expand(1, 3, 3), torch.eye(3))
        picture = draw(limb, body)
        assert picture.shape[-1] >= 128, "on screen it is larger still"
        colours[name] = picture[0, :, picture.shape[-1] * 3 // 10, picture.shape[-1] // 2]
    left, right, middle = colours.values()
    assert left[0] < right[0] - 0.5
    assert min(float((a - b).abs().max()) for a, b in ((left, right), (left, middle), (right, middle))) > 0.2
