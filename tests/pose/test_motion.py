"""Own BVH files: what is drawn from a file or a folder, and sentences that name the file that is wrong."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import torch

from landscape_core.errors import UserError
from landscape_core.pose import recordings
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.recordings import draw_bvh_poses, held_back, recorded_poses
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


def test_of_every_recording_as_large_a_part_is_taken_in_its_order_and_the_last_eighth_held_back(tmp_path: Path) -> None:
    frames = torch.linspace(-0.5, 0.5, 32)[:, None, None].expand(-1, 5, 3)  # a frame says where in its recording it is
    (tmp_path / "a.bvh").write_text(bvh_text(SKELETON, frames))
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.writestr("deep/b.BVH", bvh_text(SKELETON, frames[:16]))
        archive.writestr("notes.txt", "not a motion")
    every = recorded_poses(tmp_path, SKELETON, 100)
    assert (every.names, every.sequence.bincount().tolist()) == (("a", "b"), [32, 16])
    learned, held = held_back(every)
    torch.testing.assert_close(held[:, 0, 0], frames[[28, 29, 30, 31, 14, 15], 0, 0], atol=1e-4, rtol=0)
    assert len(learned) + len(held) == 48
    some = recorded_poses(tmp_path, SKELETON, 24, seed=1)
    assert some.sequence.bincount().tolist() == [16, 8]
    assert bool((some.rotvec[:16, 0, 0].diff() > 0).all())
    assert torch.equal(some.rotvec, recorded_poses(tmp_path, SKELETON, 24, seed=1).rotvec)
    assert not torch.equal(some.rotvec, recorded_poses(tmp_path, SKELETON, 24, seed=2).rotvec)


def test_a_zip_that_is_none_or_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "walks.zip"
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(UserError, match=r"walks\.zip is not a zip"):
        recorded_poses(path, SKELETON)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.bvh", bvh_text(SKELETON, 0.4 * random_rotvec(3, 5)))
    assert len(recorded_poses(path, SKELETON)) == 3
    monkeypatch.setattr(recordings, "MOST_UNPACKED", 100)
    with pytest.raises(UserError, match=r"walks\.zip unpacks to [\d,]+ bytes; at most 100 are accepted"):
        recorded_poses(path, SKELETON)


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
