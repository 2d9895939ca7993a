"""A square cut from a picture: beyond its edges, turned, by fractions of a pixel, and boxes that cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from landscape_core.errors import UserError
from landscape_core.images.datasets import ImageSource, load_images
from landscape_core.images.reading import CropBox, centre_box, crop_square, load_picture
from tests.tiny.pictures import gradient, saved


def test_one_pixel_fills_the_square(tmp_path: Path) -> None:
    image = load_picture(saved(tmp_path / "a.png", Image.new("RGB", (1, 1), (1, 2, 3)))).image
    square = crop_square(image, centre_box(image), 64)
    assert (square == torch.tensor([1, 2, 3], dtype=torch.uint8)[:, None, None]).all()


@pytest.mark.parametrize("size", [(100, 70), (71, 100), (64, 64), (30, 31)])
def test_centre_square_is_the_data_sets_square(tmp_path: Path, size: tuple[int, int]) -> None:
    saved(tmp_path / "a.png", gradient(*size))
    image = load_picture(tmp_path / "a.png").image
    assert torch.equal(crop_square(image, centre_box(image), 64), load_images(ImageSource(tmp_path, None, 64))[0])


def test_beyond_the_picture_its_edge_is_repeated() -> None:
    square = crop_square(gradient(64, 64), CropBox(-64, -64, 128), 64)  # the picture in the lower right quarter
    inside = crop_square(gradient(64, 64), CropBox(0, 0, 64), 32)
    assert torch.equal(square[:, 32:, 32:], inside)
    assert torch.equal(square[:, 32:, :32], inside[:, :, :1].expand(3, 32, 32))
    assert torch.equal(square[:, :32, 32:], inside[:, :1].expand(3, 32, 32))


def test_crop_follows_fractions_of_a_pixel() -> None:
    centres = [crop_square(gradient(100, 100), CropBox(left, 20, 64), 64)[0].float().mean() for left in (20, 20.5, 21)]
    assert centres[0] < centres[1] < centres[2]


coordinate = st.floats(allow_nan=False, allow_infinity=False) | st.floats(-300, 300)


@settings(max_examples=200, deadline=None)
@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    coordinate,
    coordinate,
    st.floats(min_value=0, exclude_min=True, allow_infinity=False) | st.floats(0.1, 300),
    st.just(0.0) | st.floats(-400, 400) | st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([1, 8, 64]),
)
def test_any_box_gives_a_square_of_the_pictures_colours(
    shape: tuple[int, int], left: float, top: float, side: float, angle: float, size: int
) -> None:
    square = crop_square(Image.new("RGB", shape, (9, 99, 199)), CropBox(left, top, side, angle), size)
    assert square.shape == (3, size, size)
    assert square.dtype == torch.uint8
    assert (square == torch.tensor([9, 99, 199], dtype=torch.uint8)[:, None, None]).all()


def waves(size: int, period: float) -> Image.Image:
    """Circular waves of one wavelength about the middle."""
    rows, columns = np.mgrid[0:size, 0:size] - (size - 1) / 2
    light = 127.5 + 100 * np.cos(2 * np.pi * np.hypot(rows, columns) / period)
    return Image.fromarray(np.repeat(light[..., None], 3, axis=2).round().astype(np.uint8))


@pytest.mark.parametrize("angle", [30, -135, 200])
@pytest.mark.parametrize("side", [40, 100, 260, 700])
def test_turning_shows_a_turned_picture_as_sharp_as_lanczos_does(angle: float, side: float) -> None:
    """Circular waves look the same from every side."""
    image = waves(1000, period=side / 8)
    turned, straight = (crop_square(image, CropBox.around(500, 500, side, a), 64).float() for a in (angle, 0))
    assert (turned - straight).abs().mean() < 4
    assert turned.std() > 0.9 * straight.std()


@pytest.mark.parametrize("angle", [20, 45])
def test_turning_averages_what_is_too_fine_for_the_square(angle: float) -> None:
    """Lines of two pixels, ten to a pixel of the result, become an even grey instead of a coarser pattern."""
    lines = np.zeros((1000, 1000, 3), dtype=np.uint8)
    lines[:, ::2] = 200
    square = crop_square(Image.fromarray(lines), CropBox.around(500, 500, 640, angle), 64).float()
    assert (square - 100).abs().max() < 6


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_a_quarter_turn_is_a_quarter_turn(quarter: int) -> None:
    image = gradient(64, 64)
    square = crop_square(image, CropBox(0, 0, 64, 90 * quarter), 64).float()
    expected = torch.from_numpy(np.rot90(np.asarray(image), quarter).copy()).permute(2, 0, 1).float()
    assert (square - expected).abs().max() <= 1


def test_beyond_a_turned_square_the_edge_is_repeated_too() -> None:
    image = gradient(64, 64)
    square = crop_square(image, CropBox(-64, -64, 128, 90), 64)  # the picture's corner in the middle, what is left of it below
    corner = torch.from_numpy(np.array(image)[0, 0])
    assert (square[:, 34:, :30] == corner[:, None, None]).all()
    assert square[1, 34:, 34:].float().mean() > 100


@pytest.mark.parametrize("values", [(float("nan"), 0, 1), (0, float("inf"), 1), (0, 0, 0), (0, 0, -3), (0, 0, 1, float("inf"))])
def test_impossible_boxes_are_refused(values: tuple[float, ...]) -> None:
    with pytest.raises(UserError, match="crop"):
        CropBox(*values)
