"""Faces: found in pictures, and framed as the training pictures frame theirs."""

from __future__ import annotations

import io
import math
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from landscape_core.errors import UserError
from landscape_core.images.faces import (
    ALIGNED_FRAMING,
    Eyes,
    Framing,
    choose_crop,
    eye_crop,
    face_crop,
    find_eyes,
    find_faces,
    measure_framing,
    overlap,
    prepare_upload,
)
from landscape_core.images.reading import CropBox, crop_square, load_picture

SHARED = Path(__file__).parents[3] / "shared"
FACES, ASTRONAUT = SHARED / "data" / "faces128.zip", SHARED / "examples" / "astronaut.png"
BACKGROUND = (120, 130, 125)


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
    image = Image.new("RGB", size, BACKGROUND)
    for left, top, side in faces:
        image.paste(drawn_face(side), (left, top))
    return image


def turned(point: tuple[float, float], angle: float, centre: tuple[float, float]) -> tuple[float, float]:
    """The point after turning the picture clockwise by `angle` degrees about `centre`."""
    turn, dx, dy = math.radians(angle), point[0] - centre[0], point[1] - centre[1]
    return centre[0] + dx * math.cos(turn) - dy * math.sin(turn), centre[1] + dx * math.sin(turn) + dy * math.cos(turn)


def tilted(angle: float) -> tuple[Image.Image, Eyes]:
    """A drawn face of 240 pixels, turned clockwise, and where its eyes are then."""
    centre = (170.0, 180.0)
    image = scene((50, 60, 240)).rotate(-angle, Image.Resampling.BICUBIC, center=centre, fillcolor=BACKGROUND)
    return image, Eyes.of(*(turned((50 + 1.2 * x, 60 + 1.2 * 90), angle, centre) for x in (75, 125)))


def photographs(split: str, count: int, seed: int) -> Iterator[Image.Image]:
    """Pictures of faces128.zip, aligned by the eyes."""
    if not FACES.exists():
        pytest.skip("needs ../shared/data/faces128.zip")
    with zipfile.ZipFile(FACES) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith(f"{split}/"))
        for index in np.random.default_rng(seed).choice(len(names), count, replace=False):
            with Image.open(io.BytesIO(archive.read(names[index]))) as image:
                yield image.convert("RGB")


def surrounded(image: Image.Image) -> Image.Image:
    """With a margin of its own size, its outermost pixels repeated."""
    by = image.width
    return Image.fromarray(np.pad(np.asarray(image), ((by, by), (by, by), (0, 0)), mode="edge"))


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


def test_face_crop_inverts_the_framing() -> None:
    crop = face_crop(CropBox(10, 20, 100), Framing(right=0.1, down=-0.2, side=2.0))
    assert crop == CropBox(10 + 50 + 10 - 100, 20 + 50 - 20 - 100, 200)


@pytest.mark.parametrize("angle", [-14, 0, 9])
def test_eyes_are_found_in_a_tilted_face(angle: float) -> None:
    image, eyes = tilted(angle)
    found = find_eyes(image, find_faces(image)[0])
    assert found is not None
    apart = math.dist(eyes.left, eyes.right)
    assert math.dist(found.left, eyes.left) < 0.08 * apart
    assert math.dist(found.right, eyes.right) < 0.08 * apart


def test_no_eyes_in_a_face_that_hides_them() -> None:
    image = scene((50, 60, 240))
    face = find_faces(image)[0]
    image.paste((225, 185, 160), (90, 130, 250, 190))
    assert find_eyes(image, face) is None


@pytest.mark.parametrize("size", [64, 128])
@pytest.mark.parametrize(("angle", "apart", "middle"), [(0, 40, (200, 150)), (17, 90, (210, 160)), (-33, 25, (150, 120)),
                                                        (75, 60, (180, 160))])  # fmt: skip
def test_eyes_land_where_the_training_pictures_have_them(
    angle: float, apart: float, middle: tuple[float, float], size: int
) -> None:
    """Two dots in a picture come out at (0.35, 0.44) and (0.65, 0.44) of the side, within a pixel."""
    points = [turned((middle[0] + side * apart / 2, middle[1]), angle, middle) for side in (-1, 1)]
    rows, columns = np.mgrid[0:300, 0:400] + 0.5
    width = apart / 12
    red, green = (255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * width**2)) for x, y in (points[0], points[1]))
    image = Image.fromarray(np.stack([red, green, 0 * red], axis=-1).round().astype(np.uint8))
    square = crop_square(image, eye_crop(Eyes.of(points[1], points[0])), size).double()
    places = (np.arange(size) + 0.5)[None]
    for channel, x in ((0, 0.35), (1, 0.65)):
        weights = square[channel].numpy()
        found = (weights.sum(0) * places).sum() / weights.sum(), (weights.sum(1) * places).sum() / weights.sum()
        assert math.dist(found, (x * size, 0.44 * size)) < 0.3


def test_eyes_are_two_points() -> None:
    assert Eyes.of((30, 5), (10, 6)) == Eyes((10, 6), (30, 5))
    for one, other in (((1, 1), (2, 2)), ((math.nan, 1), (20, 2)), ((1, 1), (math.inf, 2))):
        with pytest.raises(UserError, match="two pixels apart"):
            Eyes.of(one, other)


def test_the_astronauts_eyes_are_found() -> None:
    if not ASTRONAUT.exists():
        pytest.skip("needs ../shared/examples/astronaut.png")
    image = load_picture(ASTRONAUT).image
    eyes = find_eyes(image, find_faces(image)[0])
    assert eyes is not None
    assert math.dist(eyes.left, (203, 101)) < 5
    assert math.dist(eyes.right, (246, 103)) < 5
    crop, said = choose_crop(image)
    assert said == ("Framed by the eyes that were found.",)
    assert crop == eye_crop(eyes)


def test_overlap() -> None:
    assert overlap(CropBox(0, 0, 2), CropBox(1, 0, 2)) == pytest.approx(2 / 6)
    assert overlap(CropBox(0, 0, 2), CropBox(5, 0, 2)) == 0


def test_measured_framing_reproduces_the_constants() -> None:
    """On all of 300 training pictures it gives the constants themselves; 25 keep this quick."""
    measured = measure_framing((surrounded(image), CropBox(128, 128, 128)) for image in photographs("train", 25, seed=0))
    assert measured.right == pytest.approx(ALIGNED_FRAMING.right, abs=0.02)
    assert measured.down == pytest.approx(ALIGNED_FRAMING.down, abs=0.02)
    assert measured.side == pytest.approx(ALIGNED_FRAMING.side, abs=0.08)


def test_framing_cannot_be_measured_without_faces() -> None:
    with pytest.raises(UserError, match="No face"):
        measure_framing([(Image.new("RGB", (99, 99)), CropBox(0, 0, 99))])


def test_training_crop_is_recovered_from_tilted_photographs() -> None:
    """Most of them by the eyes: turned as they are, to a few degrees."""
    rng, overlaps, angles, by_eyes = np.random.default_rng(1), [], [], 0
    for face in photographs("val", 12, seed=1):
        angle = rng.uniform(-12, 12)
        photograph = surrounded(face).rotate(-angle, Image.Resampling.BICUBIC)
        crop, said = choose_crop(photograph)
        if said[-1] == "Framed by the eyes that were found.":
            by_eyes += 1
            overlaps.append(overlap(crop, CropBox(128, 128, 128)))
            angles.append(abs(crop.angle - angle))
    assert by_eyes >= 9
    assert np.median(overlaps) > 0.85
    assert np.median(angles) < 3


def test_upload_is_cropped_by_the_eyes_of_the_largest_face(tmp_path: Path) -> None:
    image, _ = tilted(9)
    image.paste(drawn_face(120), (480, 300))
    image.save(tmp_path / "two.png")
    prepared = prepare_upload(tmp_path / "two.png", size=64)
    assert prepared.notices == ("2 faces were found; the largest is used.", "Framed by the eyes that were found.")
    eyes = find_eyes(image, find_faces(image)[0])
    assert eyes is not None
    assert prepared.box == eye_crop(eyes)
    assert prepared.box.angle == pytest.approx(9, abs=3)
    assert (prepared.image == crop_square(image, prepared.box, 64)).all()
    assert prepared.image.shape == (3, 64, 64)


def test_without_eyes_the_face_itself_is_framed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = scene((50, 60, 240))
    image.save(tmp_path / "face.png")
    monkeypatch.setattr("landscape_core.images.faces.find_eyes", lambda image, face: None)
    prepared = prepare_upload(tmp_path / "face.png", size=64)
    assert prepared.notices == ("No pair of eyes was found; the face is framed by its outline, not turned.",)
    assert prepared.box == face_crop(find_faces(image)[0])


def test_given_eyes_frame_any_picture_of_a_domain_of_faces(tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "teal").save(tmp_path / "plain.png")
    eyes = Eyes((100, 90), (150, 80))
    prepared = prepare_upload(tmp_path / "plain.png", size=64, eyes=eyes)
    assert prepared.notices == ("Framed by the two eyes that were given.",)
    assert prepared.box == eye_crop(eyes)
    assert prepare_upload(tmp_path / "plain.png", size=64, eyes=eyes, framing=None).box == CropBox(50, 0, 200)


def test_face_is_found_after_turning_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = scene((50, 60, 240)).transpose(Image.Transpose.ROTATE_90)
    lying.save(tmp_path / "lying.jpg", exif=exif)
    prepared = prepare_upload(tmp_path / "lying.jpg", size=64)
    upright, _ = choose_crop(scene((50, 60, 240)))
    assert overlap(prepared.box, upright) > 0.9
    assert abs(prepared.box.angle) < 3


def test_picture_framed_already_is_used_whole(tmp_path: Path) -> None:
    image, eyes = tilted(4)
    crop = crop_square(image, eye_crop(eyes), 64)
    Image.fromarray(crop.permute(1, 2, 0).numpy()).save(tmp_path / "framed.png")
    prepared = prepare_upload(tmp_path / "framed.png", size=64)
    assert prepared.notices == ("The picture is framed like the training pictures already and is used whole.",)
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
    prepared = prepare_upload(tmp_path / "face.png", size=64)
    assert prepared.box == CropBox(50, 0, 600)
    (notice,) = prepared.notices
    assert notice.startswith("The centre square is used.")
    assert "opencv-python-headless" in notice


def test_users_box_overrides_the_face(tmp_path: Path) -> None:
    scene((50, 60, 240)).save(tmp_path / "face.png")
    box = CropBox(-20, 500, 333.3)
    prepared = prepare_upload(tmp_path / "face.png", size=64, box=box)
    assert prepared.box == box
    assert prepared.notices == ()


def test_size_and_notices_of_decoding(tmp_path: Path) -> None:
    frames = [scene(size=(1400, 700)), scene((0, 0, 90), size=(1400, 700))]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    prepared = prepare_upload(tmp_path / "a.gif", size=64)
    assert prepared.notices == ("The first of 2 frames is used.", "No face was found; the centre square is used.")
    assert prepared.original_size == (1400, 700)
