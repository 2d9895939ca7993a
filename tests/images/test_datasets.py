"""Data sets as folders and zips."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from landscape_core.errors import UserError
from landscape_core.images.datasets import ImageSource, load_images
from landscape_core.images.pixels import to_bytes, to_unit


def picture(path: Path, size: tuple[int, int], colour: tuple[int, int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "set"
    picture(root / "train/b.png", (80, 60), (0, 0, 255))
    picture(root / "train/a.png", (64, 64), (255, 0, 0))
    picture(root / "val/c.webp", (64, 64), (0, 255, 0))
    (root / "train/notes.txt").write_text("not a picture")
    return root


def zipped(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*.*"):
            archive.write(file, file.relative_to(folder))
    return path


def test_a_folder_and_its_zip_give_the_same_pictures_in_order_of_names(folder: Path) -> None:
    from_folder = load_images(ImageSource(folder, "train", 16))
    from_zip = load_images(ImageSource(zipped(folder), "train", 16))
    assert torch.equal(from_folder, from_zip)
    assert from_folder.shape == (2, 3, 16, 16)
    assert from_folder[0, 0].min() == 255  # a.png is red
    assert len(load_images(ImageSource(folder, None, 16))) == 3
    assert len(load_images(ImageSource(zipped(folder), "train", 16), limit=1)) == 1


def test_a_box_is_cut_out_before_resizing(tmp_path: Path) -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[7:59] = 200
    tmp_path.joinpath("one").mkdir()
    Image.fromarray(pixels).save(tmp_path / "one/a.png")
    cut = load_images(ImageSource(tmp_path / "one", None, 64, (0, 7, 64, 59)))
    assert (cut[:, :, 4:-4] == 200).all()  # the filter reaches a few rows beyond the box


def test_what_cannot_be_loaded_is_said_in_a_sentence(folder: Path) -> None:
    with pytest.raises(UserError, match="no folder or zip"):
        load_images(ImageSource(folder / "absent", None, 16))
    with pytest.raises(UserError, match="No pictures"):
        load_images(ImageSource(folder, "test", 16))
    with pytest.raises(UserError, match="neither a folder nor a zip"):
        load_images(ImageSource(folder / "train/notes.txt", None, 16))
    (folder / "train/z.png").write_bytes(b"broken")
    with pytest.raises(UserError, match=r"z\.png"):
        load_images(ImageSource(folder, "train", 16))


def test_bytes_and_units_are_inverse() -> None:
    values = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_bytes(to_unit(values)), values)
    assert to_bytes(torch.tensor([-3.0, 3.0])).tolist() == [0, 255]
