"""Faces: found in pictures, and framed as the training pictures frame theirs."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from landscape_core.errors import UserError
from landscape_core.images.faces import (
    CELEBA_FRAMING,
    Framing,
    find_faces,
    measure_framing,
    overlap,
    prepare_upload,
    training_crop,
)
from landscape_core.images.reading import CropBox, crop_square

FACES = Path(__file__).parents[3] / "shared" / "data" / "faces64.zip"
WIDTH, HEIGHT = 178, 218  # the pictures of faces64.zip before they were squashed to 64×64
TOP = HEIGHT * 7 / 64  # where the training crop, the box (0, 7, 64, 59) of the squashed picture, begins


def drawn_face(side: int) -> Image.Image:
    """A schematic face, enough for the detector."""
    image = Image.new("RGB", (200, 200), (70, 90, 110))
    draw = ImageDraw.Draw(image)
    draw.ellipse((35, 5, 165, 200), fill=(60, 40, 30))
    draw.ellipse((45, 25, 155, 185), fill=(225, 185, 160))
    for x in (75, 125):
        draw.ellipse((x - 18, 76, x + 18, 100), fill=(165, 120, 100))
        draw.ellipse((x - 14, 82, x + 14, 98), fill=(250, 250, 250))
        draw.ellipse((x - 8, 82, x + 8, 98), fill=(40, 30, 30))
        draw.rectangle((x - 18, 68, x + 18, 76), fill=(70, 45, 35))
    draw.polygon([(100, 90), (88, 130), (112, 130)], fill=(240, 205, 180))
    draw.rectangle((88, 128, 112, 133), fill=(150, 100, 85))
    draw.ellipse((75, 145, 125, 162), fill=(150, 60, 60))
    return image.filter(ImageFilter.GaussianBlur(2)).resize((side, side))


def scene(*faces: tuple[int, int, int], size: tuple[int, int] = (700, 600)) -> Image.Image:
    image = Image.new("RGB", size, (120, 130, 125))
    for left, top, side in faces:
        image.paste(drawn_face(side), (left, top))
    return image


def photographs(split: str, count: int, seed: int) -> Iterator[Image.Image]:
    """Pictures of faces64.zip with the squash undone."""
    if not FACES.exists():
        pytest.skip("needs ../shared/data/faces64.zip")
    with zipfile.ZipFile(FACES) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith(f"{split}/"))
        for index in np.random.default_rng(seed).choice(len(names), count, replace=False):
            with Image.open(io.BytesIO(archive.read(names[index]))) as image:
                yield image.convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def test_faces_are_found_largest_first() -> None:
    small, large = (480, 300, 120), (50, 60, 240)
    found = find_faces(scene(small, large))
    assert len(found) == 2
    for box, (left, top, side) in zip(found, (large, small), strict=True):
        assert box.left + box.side / 2 == pytest.approx(left + side / 2, abs=side * 0.1)
        assert box.top + box.side / 2 == pytest.approx(top + side * 0.55, abs=side * 0.1)


@pytest.mark.parametrize("factor", [0.25, 4])
def test_boxes_are_in_the_pictures_own_pixels(factor: float) -> None:
    image = scene((50, 60, 240))
    scaled = image.resize((round(image.width * factor), round(image.height * factor)))
    (reference,), (box,) = find_faces(image), find_faces(scaled)
    assert overlap(CropBox(box.left / factor, box.top / factor, box.side / factor), reference) > 0.8


@pytest.mark.parametrize("size", [(1, 1), (16_000, 1), (1, 16_000), (300, 200)])
def test_no_face_in_a_plain_picture(size: tuple[int, int]) -> None:
    assert find_faces(Image.new("RGB", size, "grey")) == []


def test_training_crop_inverts_the_framing() -> None:
    crop = training_crop(CropBox(10, 20, 100), Framing(right=0.1, down=-0.2, side=2.0))
    assert crop == CropBox(10 + 50 + 10 - 100, 20 + 50 - 20 - 100, 200)


def test_overlap() -> None:
    assert overlap(CropBox(0, 0, 2), CropBox(1, 0, 2)) == pytest.approx(2 / 6)
    assert overlap(CropBox(0, 0, 2), CropBox(5, 0, 2)) == 0


def test_measured_framing_reproduces_the_constants() -> None:
    """On all of 300 training pictures it gives the constants themselves; 25 keep this quick."""

    def pairs() -> Iterator[tuple[Image.Image, CropBox]]:
        for image in photographs("train", 25, seed=0):
            around = np.pad(np.asarray(image), ((89, 89), (89, 89), (0, 0)), mode="edge")
            yield Image.fromarray(around), CropBox(89, 89 + TOP, WIDTH)

    measured = measure_framing(pairs())
    assert measured.right == pytest.approx(CELEBA_FRAMING.right, abs=0.02)
    assert measured.down == pytest.approx(CELEBA_FRAMING.down, abs=0.02)
    assert measured.side == pytest.approx(CELEBA_FRAMING.side, abs=0.08)


def test_framing_cannot_be_measured_without_faces() -> None:
    with pytest.raises(UserError, match="No face"):
        measure_framing([(Image.new("RGB", (99, 99)), CropBox(0, 0, 99))])


def test_training_crop_is_recovered_from_larger_pictures() -> None:
    rng, overlaps, missed = np.random.default_rng(1), [], 0
    for face in photographs("val", 30, seed=1):
        scale = rng.uniform(0.7, 3)
        face = face.resize((round(WIDTH * scale), round(HEIGHT * scale)))
        width, height = (round(side * rng.uniform(1.2, 2.5)) for side in face.size)
        left, top = int(rng.integers(0, width - face.width)), int(rng.integers(0, height - face.height))
        canvas = Image.new("RGB", (width, height), (128, 128, 128))
        canvas.paste(face, (left, top))
        found = find_faces(canvas)
        missed += not found
        overlaps += [overlap(training_crop(box), CropBox(left, top + TOP * scale, WIDTH * scale)) for box in found[:1]]
    assert np.median(overlaps) > 0.8
    assert missed <= 6


def test_upload_is_cropped_to_the_largest_face(tmp_path: Path) -> None:
    image = scene((480, 300, 120), (50, 60, 240))
    image.save(tmp_path / "two.png")
    prepared = prepare_upload(tmp_path / "two.png")
    assert prepared.notices == ("2 faces were found; the largest is used.",)
    assert prepared.box == training_crop(find_faces(image)[0])
    assert (prepared.image == crop_square(image, prepared.box, 64)).all()
    assert prepared.image.shape == (3, 64, 64)


def test_face_is_found_after_turning_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = scene((50, 60, 240)).transpose(Image.Transpose.ROTATE_90)
    lying.save(tmp_path / "lying.jpg", exif=exif)
    prepared = prepare_upload(tmp_path / "lying.jpg")
    assert overlap(prepared.box, training_crop(find_faces(scene((50, 60, 240)))[0])) > 0.9


def test_picture_framed_already_is_used_whole(tmp_path: Path) -> None:
    image = scene((50, 60, 240))
    crop = crop_square(image, training_crop(find_faces(image)[0]), 64)
    Image.fromarray(crop.permute(1, 2, 0).numpy()).save(tmp_path / "framed.png")
    prepared = prepare_upload(tmp_path / "framed.png")
    assert prepared.notices == ()
    assert prepared.box == CropBox(0, 0, 64)
    assert (prepared.image == crop).all()


def test_without_a_face_the_centre_square_is_used(tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "teal").save(tmp_path / "plain.png")
    prepared = prepare_upload(tmp_path / "plain.png", size=32)
    assert prepared.notices == ("No face was found; the centre square is used.",)
    assert prepared.box == CropBox(50, 0, 200)
    assert prepared.image.shape == (3, 32, 32)


@pytest.mark.parametrize("broken", ["package", "cascade"])
def test_without_the_detector_the_centre_square_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    if broken == "package":
        monkeypatch.setitem(sys.modules, "cv2", None)
    else:
        monkeypatch.delattr("cv2.CascadeClassifier")
    scene((50, 60, 240)).save(tmp_path / "face.png")
    prepared = prepare_upload(tmp_path / "face.png")
    assert prepared.box == CropBox(50, 0, 600)
    (notice,) = prepared.notices
    assert notice.startswith("The centre square is used.")
    assert "opencv-python-headless" in notice


def test_users_box_overrides_the_face(tmp_path: Path) -> None:
    scene((50, 60, 240)).save(tmp_path / "face.png")
    box = CropBox(-20, 500, 333.3)
    prepared = prepare_upload(tmp_path / "face.png", box=box)
    assert prepared.box == box
    assert prepared.notices == ()


def test_size_and_notices_of_decoding(tmp_path: Path) -> None:
    frames = [scene(size=(1400, 700)), scene((0, 0, 90), size=(1400, 700))]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    prepared = prepare_upload(tmp_path / "a.gif")
    assert prepared.notices == ("The first of 2 frames is used.", "No face was found; the centre square is used.")
    assert prepared.original_size == (1400, 700)
