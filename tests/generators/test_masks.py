"""Masks: presets, what is refused and in which words, and reading a painted picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from landscape_core.errors import UserError
from landscape_core.generators.masks import PRESETS, check_mask, preset, read_mask
from landscape_core.images.reading import CropBox


def pixels(visible: int, side: int = 8) -> torch.Tensor:
    mask = torch.zeros(side * side)
    mask[:visible] = 1.0
    return mask.reshape(1, 1, side, side)


@pytest.mark.parametrize(
    ("visible", "words"),
    [(64, "Nothing is hidden"), (0, "Everything is hidden"), (63, "one pixel is hidden"), (1, "one pixel is visible")],
)
def test_masks_that_make_no_problem_are_refused_in_a_sentence(visible: int, words: str) -> None:
    with pytest.raises(UserError, match=words):
        check_mask(pixels(visible))


def test_one_bad_mask_spoils_its_batch() -> None:
    with pytest.raises(UserError, match="Nothing is hidden"):
        check_mask(torch.cat([pixels(30), pixels(64)]))


@pytest.mark.parametrize("visible", [2, 62])
def test_two_pixels_are_enough(visible: int) -> None:
    assert check_mask(pixels(visible).bool()).sum() == visible


def test_grey_and_misshapen_masks_are_a_programming_error() -> None:
    with pytest.raises(ValueError, match=r"0 .* and 1"):
        check_mask(torch.full((1, 1, 4, 4), 0.5))
    with pytest.raises(ValueError, match="shape"):
        check_mask(torch.ones(4, 4))


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_valid_at_every_size(name: str) -> None:
    for size in (16, 64, 128):
        assert check_mask(preset(name, size)).shape == (1, 1, size, size)


def test_presets_hide_what_they_say() -> None:
    assert preset("left-half", 64)[..., :32].sum() == 0
    assert preset("left-half", 64)[..., 32:].mean() == 1
    assert preset("centre", 64).sum() == 32 * 32
    assert preset("centre", 64)[0, 0, 32, 32] == 1
    assert preset("border", 64)[0, 0, 0].sum() == 0
    assert preset("border", 64)[0, 0, 8, 8] == 1
    assert preset("mouth", 64)[0, 0, 46, 32] == 0
    assert preset("mouth", 64)[0, 0, 32, 32] == 1
    assert preset("eyes", 64)[0, 0, 32, 25] == 0
    assert preset("eyes", 64)[0, 0, 46, 32] == 1


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(UserError, match="centre, mouth, eyes"):
        preset("nose", 64)


def test_light_opaque_paint_hides(tmp_path: Path) -> None:
    rgba = np.zeros((128, 128, 4), np.uint8)
    rgba[:64, :, :] = 255  # the top half painted white and opaque
    rgba[64:, :, :3] = 255  # the rest white but transparent
    Image.fromarray(rgba).save(tmp_path / "paint.png")
    mask = read_mask(tmp_path / "paint.png", 64)
    assert mask[..., :32, :].sum() == 0
    assert mask[..., 32:, :].mean() == 1


@pytest.mark.parametrize(("content", "words"), [(b"", "is empty"), (b"not a picture", "not a picture that can be read")])
def test_unreadable_masks_are_a_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "mask.png").write_bytes(content)
    with pytest.raises(UserError, match=f"The mask mask.png .*{words}"):
        read_mask(tmp_path / "mask.png", 64)
    with pytest.raises(UserError, match="There is no file"):
        read_mask(tmp_path / "missing.png", 64)


def test_an_all_black_mask_picture_hides_nothing(tmp_path: Path) -> None:
    Image.new("L", (64, 64)).save(tmp_path / "black.png")
    with pytest.raises(UserError, match="Nothing is hidden"):
        read_mask(tmp_path / "black.png", 64)


def test_a_huge_mask_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    Image.new("1", (9000, 9000)).save(tmp_path / "huge.png")
    with pytest.raises(UserError, match="9,000×9,000"):
        read_mask(tmp_path / "huge.png", 64)


def test_a_mask_as_large_as_the_photograph_is_cropped_like_it(tmp_path: Path) -> None:
    paint = np.zeros((100, 200), np.uint8)
    paint[:, 150:] = 255
    Image.fromarray(paint).save(tmp_path / "mask.png")
    box = CropBox(left=100, top=0, side=100)
    assert read_mask(tmp_path / "mask.png", 64, box=box, box_in=(200, 100))[0, 0, 5].sum() == 32  # right half hidden


@pytest.mark.parametrize("scale", [0.5, 2.0, 0.33])
def test_a_scaled_mask_hides_what_it_would_hide_unscaled(tmp_path: Path, scale: float) -> None:
    paint = Image.new("L", (900, 500))
    paint.paste(255, (640, 200, 760, 380))
    paint.save(tmp_path / "whole.png")
    paint.resize((round(900 * scale), round(500 * scale)), Image.Resampling.NEAREST).save(tmp_path / "scaled.png")
    box = CropBox(left=560.0, top=120.0, side=260.0)
    whole, scaled = (1 - read_mask(tmp_path / f"{n}.png", 64, box=box, box_in=(900, 500)) for n in ("whole", "scaled"))
    assert whole.mean() == pytest.approx(120 * 180 / 260**2, abs=0.02)
    assert (whole * scaled).sum() / (whole + scaled).clamp(max=1).sum() > 0.93


def test_a_mask_of_other_proportions_is_refused_unless_it_is_the_crop(tmp_path: Path) -> None:
    box = CropBox(left=0.0, top=0.0, side=300.0)
    for size in ((64, 64), (200, 200)):
        Image.new("L", size).save(tmp_path / "mask.png")
        with pytest.raises(UserError, match="Nothing is hidden"):  # a square one lies on the crop
            read_mask(tmp_path / "mask.png", 64, box=box, box_in=(900, 500))
    Image.new("L", (300, 400)).save(tmp_path / "mask.png")
    with pytest.raises(UserError, match=r"300x400; it must be square, to lie on the crop, or .* 900:500"):
        read_mask(tmp_path / "mask.png", 64, box=box, box_in=(900, 500))
    with pytest.raises(UserError, match="300x400; it must be square, to lie on the crop"):
        read_mask(tmp_path / "mask.png", 64)


def test_on_a_square_photograph_only_a_mask_of_the_models_size_lies_on_the_crop(tmp_path: Path) -> None:
    box = CropBox(left=0.0, top=0.0, side=100.0)
    for side, hidden in ((100, 1.0), (64, 0.25)):  # its upper left quarter is painted
        paint = Image.new("L", (side, side))
        paint.paste(255, (0, 0, side // 2, side // 2 - 1))
        paint.save(tmp_path / "mask.png")
        found = 1 - read_mask(tmp_path / "mask.png", 64, box=box, box_in=(200, 200))
        assert found.mean() == pytest.approx(hidden, abs=0.03)


def test_a_mask_of_a_photograph_is_turned_with_it(tmp_path: Path) -> None:
    """A painted disc at the upper left of a square on its corner is at the top of the crop."""
    mask = Image.new("L", (400, 300))
    ImageDraw.Draw(mask).ellipse((120, 60, 160, 100), fill=255)
    mask.save(tmp_path / "mask.png")
    box = CropBox.around(200, 140, 240, angle=-45)
    hidden = 1.0 - read_mask(tmp_path / "mask.png", 64, box=box, box_in=(400, 300))[0, 0]
    rows, columns = torch.nonzero(hidden, as_tuple=True)
    distance = 60 * 2**0.5 / 240 * 64
    assert rows.float().mean() + 0.5 == pytest.approx(32 - distance, abs=0.5)
    assert columns.float().mean() + 0.5 == pytest.approx(32, abs=0.5)
    assert hidden.sum() == pytest.approx(torch.pi * (20 / 240 * 64) ** 2, rel=0.06)
