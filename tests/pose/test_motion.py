"""Own BVH files: what is drawn from a file or a folder, and sentences that name the file that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from landscape_core.errors import UserError
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.recordings import draw_bvh_poses
from tests.tiny.pose import random_rotvec, tiny_skeleton

SKELETON = tiny_skeleton()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    for index, name in enumerate(("a.bvh", "deep/b.BVH")):
        (tmp_path / name).write_text(bvh_text(SKELETON, 0.4 * random_rotvec(3, 5, seed=index)))
    (tmp_path / "notes.txt").write_text("not a motion")
    return tmp_path


def nearest(poses: torch.Tensor) -> set[tuple[int, int]]:
    """(file, frame) of every pose."""
    known = torch.stack([0.4 * random_rotvec(3, 5, seed=index) for index in range(2)])  # (2, 3, 5, 3)
    apart = (poses[:, None, None] - known).abs().amax(dim=(3, 4))
    assert apart.flatten(1).amin(dim=1).max() < 1e-4
    return {divmod(int(place), 3) for place in apart.flatten(1).argmin(dim=1)}


def test_frames_of_a_folder_are_drawn_without_replacement(folder: Path) -> None:
    assert nearest(draw_bvh_poses(folder, SKELETON, 10, 0)) == {(i, j) for i in range(2) for j in range(3)}
    some = draw_bvh_poses(folder, SKELETON, 4, 1)
    assert len(nearest(some)) == 4
    assert torch.equal(some, draw_bvh_poses(folder, SKELETON, 4, 1))
    assert nearest(draw_bvh_poses(folder / "a.bvh", SKELETON, 10, 0)) == {(0, 0), (0, 1), (0, 2)}


def test_what_is_wrong_is_said_with_the_name_of_the_file(folder: Path) -> None:
    with pytest.raises(UserError, match="no file or folder"):
        draw_bvh_poses(folder / "absent", SKELETON, 4, 0)
    (folder / "empty").mkdir()
    with pytest.raises(UserError, match="no BVH or AMASS file in"):
        draw_bvh_poses(folder / "empty", SKELETON, 4, 0)
    (folder / "c.bvh").write_text((folder / "a.bvh").read_text().replace("JOINT Head", "JOINT Tail"))
    with pytest.raises(UserError, match=r"^c\.bvh: The file has another skeleton"):
        draw_bvh_poses(folder, SKELETON, 10, 0)
    (folder / "c.bvh").write_text("not a motion")
    with pytest.raises(UserError, match=r"^c\.bvh: This is not a BVH file"):
        draw_bvh_poses(folder, SKELETON, 10, 0)
    broken = (folder / "a.bvh").read_text().splitlines()
    (folder / "c.bvh").write_text("\n".join([*broken[:-1], broken[-1].replace(broken[-1].split()[3], "nan", 1)]))
    with pytest.raises(UserError, match=r"^c\.bvh: The frame 2 of this BVH contains values that are not finite"):
        draw_bvh_poses(folder, SKELETON, 10, 0)
