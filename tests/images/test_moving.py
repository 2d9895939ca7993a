"""Pictures in a row as files: what is read back is what was written, as far as each format can."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from landscape_core.images.moving import frames_zip, gif, mp4
from landscape_core.images.pixels import to_image


def frames() -> list[Image.Image]:
    """Ever more red."""
    plain = torch.tensor([0, 0, 40])[:, None, None].expand(3, 32, 64)
    return [to_image((plain + torch.tensor([level, 0, 0])[:, None, None]).byte()) for level in (0, 120, 240)]


def test_a_gif_has_the_pictures_in_their_order() -> None:
    with Image.open(io.BytesIO(gif(frames()))) as image:
        assert image.n_frames == 3
        image.seek(2)
        assert image.convert("RGB").getpixel((5, 5)) == (240, 0, 40)
        assert image.info["loop"] == 0


@pytest.mark.parametrize("rate", [12, 30, 60, 120])
def test_a_gif_takes_as_long_as_its_frames_at_a_speed_that_browsers_keep(rate: int) -> None:
    pictures = [frame for _ in range(20) for frame in frames()]
    durations = []
    with Image.open(io.BytesIO(gif(pictures, rate=rate, rest=1))) as image:
        for number in range(image.n_frames):
            image.seek(number)
            durations.append(image.info["duration"])
    assert min(durations) >= 20
    assert sum(durations) == pytest.approx(1000 * len(pictures) / rate, abs=40)  # one frame more or less


def test_an_mp4_has_the_pictures_in_their_order_and_colours(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(mp4(frames(), rest=0))
    reader = cv2.VideoCapture(str(path))
    read = []
    while (found := reader.read())[0]:
        read.append(found[1][..., ::-1].mean(axis=(0, 1)))  # blue first
    assert len(read) == 3
    assert np.allclose([colour[0] for colour in read], [0, 120, 240], atol=12)


def test_frames_are_numbered_and_without_loss() -> None:
    with zipfile.ZipFile(io.BytesIO(frames_zip(frames()))) as archive:
        assert archive.namelist() == ["000.png", "001.png", "002.png"]
        with Image.open(io.BytesIO(archive.read("001.png"))) as image:
            assert image.getpixel((0, 0)) == (120, 0, 40)
