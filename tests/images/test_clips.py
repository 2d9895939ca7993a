"""Clips from users: animations with their speed, folders and zips in order, and what is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from PIL import Image

from landscape_core.errors import UserError
from landscape_core.images import clips
from landscape_core.images.clips import load_frames

LEVELS = (0, 100, 200)


def pictures(size: tuple[int, int] = (20, 30)) -> list[Image.Image]:
    return [Image.new("RGB", size, (level, 0, 40)) for level in LEVELS]


def test_an_animation_has_its_frames_and_its_speed(tmp_path: Path) -> None:
    first, *others = pictures()
    first.save(tmp_path / "a.gif", save_all=True, append_images=others, duration=[50, 150, 100])
    found = load_frames(tmp_path / "a.gif")
    assert found.fps == pytest.approx(10.0)
    assert [image.getpixel((3, 3)) for image in found.images] == [(level, 0, 40) for level in LEVELS]


def test_a_zip_and_a_folder_are_taken_in_the_order_of_their_names(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for number, picture in reversed([*enumerate(pictures())]):
            picture.save(tmp_path / f"{number}.png")
            archive.write(tmp_path / f"{number}.png", f"{number}.png")
    for path in (tmp_path / "b.zip", tmp_path):
        assert [image.getpixel((3, 3)) for image in load_frames(path).images] == [(level, 0, 40) for level in LEVELS]


def test_what_is_no_clip_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *others = pictures()
    first.save(tmp_path / "one.png")
    (tmp_path / "bad.gif").write_bytes(b"GIF89a")
    folder = tmp_path / "sizes"
    folder.mkdir()
    first.save(folder / "0.png")
    Image.new("RGB", (5, 5)).save(folder / "1.png")
    for path, said in ((tmp_path / "one.png", "is one picture"), (tmp_path / "bad.gif", "not a picture"),
                       (folder, "several sizes"), (tmp_path / "none.gif", "no file")):  # fmt: skip
        with pytest.raises(UserError, match=said):
            load_frames(path)
    first.save(tmp_path / "long.gif", save_all=True, append_images=others)
    monkeypatch.setattr(clips, "MAX_FRAMES", 2)
    with pytest.raises(UserError, match="more than 2 frames"):
        load_frames(tmp_path / "long.gif")
