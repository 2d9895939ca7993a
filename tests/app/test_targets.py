"""Targets of the app: drawn, example and upload, with bad files and bad crops."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from app.runs.models import Models
from app.runs.session import Picked, Session, Sessions
from app.target import targets
from app.target.chooser import TargetChooser, build_target
from app.target.examples import EXAMPLES, FOLDER
from app.target.targets import choose, crop, mark_eyes, photo_message, upload
from app.views.form import Form
from landscape_core.errors import UserError
from landscape_core.generators.task import TRUNCATION
from tests.app.racing import laid_out, race_of, two_models
from tests.tiny.models import tiny_task


def save(path: Path, image: Image.Image, **options: Any) -> str:
    image.save(path, **options)
    return str(path)


def test_a_photo_is_cropped_as_the_square_says(tmp_path: Path) -> None:
    image = Image.new("RGB", (300, 200), "blue")
    image.paste("red", (0, 0, 100, 100))
    session = Session()
    picked = upload(session, save(tmp_path / "a.png", image), tiny_task())
    assert picked.picture.shape == (3, 64, 64)
    red = crop(session, [10, 10, 80], 64).picture
    assert red[0].min() > 250
    assert red[2].max() < 5
    shown = photo_message(session.photo)
    assert (shown["width"], shown["height"], shown["box"]) == (300, 200, [10, 10, 80, 0])


def test_a_target_is_cut_again_for_a_model_of_another_side(tmp_path: Path) -> None:
    """From the photograph, not from the smaller picture; what was drawn or read from a card is scaled."""
    fine = Image.effect_noise((256, 256), 90).convert("RGB")
    small, large = tiny_task(), tiny_task("cats", 128)
    session = Session()
    picked = upload(session, save(tmp_path / "a.png", fine), small)
    again = targets.for_model(picked, large)
    assert torch.equal(again.picture, targets.cropped(session.photo, 128).picture)
    assert again.label == picked.label
    assert picked.at(64) is picked
    assert torch.equal(targets.for_model(targets.example("cat", 64), large).picture, targets.example("cat", 128).picture)
    assert Picked(picked.picture, "from a run card").at(128).picture.shape == (3, 128, 128)
    assert targets.for_model(targets.drawn(small, 3), large).picture.shape == (3, 128, 128)


@pytest.mark.parametrize("box", [None, [1, 2], ["a", 0, 5], [0, 0, -3], [float("nan"), 0, 5], {"left": 0}])
def test_a_crop_that_is_none_is_refused(tmp_path: Path, box: Any) -> None:
    session = Session()
    upload(session, save(tmp_path / "a.png", Image.new("RGB", (50, 50))), tiny_task())
    with pytest.raises(UserError, match="crop"):
        crop(session, box, 64)


def test_a_turned_square_shows_the_picture_turned(tmp_path: Path) -> None:
    image = Image.new("RGB", (300, 200), "blue")
    image.paste("red", (0, 0, 150, 200))
    session = Session()
    upload(session, save(tmp_path / "a.png", image), tiny_task())
    turned = crop(session, [100, 50, 100, 90], 64).picture.float()  # what was on the left is below
    assert turned[0, 40:].min() > 250
    assert turned[2, :24].min() > 250
    assert photo_message(session.photo)["box"] == [100, 50, 100, 90]


def test_two_eyes_frame_a_face(tmp_path: Path) -> None:
    session = Session()
    upload(session, save(tmp_path / "a.png", Image.new("RGB", (300, 200))), tiny_task())
    assert photo_message(session.photo)["eyes"]
    mark_eyes(session, [[180, 100], [120, 100]], 64)
    shown = photo_message(session.photo)
    assert shown["box"] == pytest.approx([50, 100 - 0.44 * 200, 200, 0])
    assert shown["notices"] == ["Framed by the two eyes that were given."]
    mark_eyes(session, [[120, 100], [150, 130]], 64)
    assert photo_message(session.photo)["box"][3] == pytest.approx(45)


@pytest.mark.parametrize(
    "points", [None, [], [[1, 2]], [[1, 2], [3]], [["a", 2], [3, 4]], [[1, 2], [1, 2]], [1, 2], [[1, 2], [float("nan"), 2]]]
)
def test_eyes_that_are_none_are_refused(tmp_path: Path, points: Any) -> None:
    session = Session()
    with pytest.raises(UserError, match="upload one first"):
        mark_eyes(session, points, 64)
    upload(session, save(tmp_path / "a.png", Image.new("RGB", (50, 50))), tiny_task("cats"))
    assert not photo_message(session.photo)["eyes"]
    with pytest.raises(UserError, match="upload one first"):
        mark_eyes(session, points, 64)
    upload(session, save(tmp_path / "a.png", Image.new("RGB", (50, 50))), tiny_task())
    with pytest.raises(UserError, match="two points"):
        mark_eyes(session, points, 64)


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [("empty.png", b"", "empty"), ("notes.png", b"hello, this is text", "not a picture"),
     ("cut.jpg", base64.b64decode("/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgG"), "")],
)  # fmt: skip
def test_a_file_that_is_no_picture_gets_a_sentence_and_keeps_the_target(
    tmp_path: Path, session: Session, name: str, data: bytes, sentence: str
) -> None:
    (tmp_path / name).write_bytes(data)
    before = session.target
    shown, message = choose(session, lambda: upload(session, str(tmp_path / name), tiny_task()))
    assert shown is None
    assert sentence in message
    assert message.endswith(".")
    assert session.target is before


def written(folder: Path, kind: str) -> Path:
    """An unusual picture."""
    path = folder / kind
    if kind == "dot.png":
        Image.new("RGB", (1, 1), "red").save(path)
    elif kind == "cmyk.jpg":
        Image.new("CMYK", (90, 60), (0, 255, 255, 0)).save(path)
    elif kind == "clear.png":
        Image.new("RGBA", (90, 60), (255, 0, 0, 0)).save(path)
    elif kind == "moving.webp":
        frames = [Image.new("RGB", (90, 60), colour) for colour in ("red", "blue")]
        frames[0].save(path, save_all=True, append_images=frames[1:])
    else:
        Image.new("1", {"large.png": (6400, 6200), "vast.png": (8000, 5100), "ribbon.png": (2, 3000)}[kind], 1).save(path)
    return path


@pytest.mark.parametrize("domain", ["faces", "cats"])
@pytest.mark.parametrize(
    ("kind", "colour", "notice"),
    [("dot.png", (255, 0, 0), ""), ("cmyk.jpg", (255, 0, 0), ""), ("clear.png", (255, 255, 255), ""),
     ("moving.webp", (255, 0, 0), "first of 2 frames"), ("large.png", (255, 255, 255), ""),
     ("ribbon.png", (255, 255, 255), "")],
)  # fmt: skip
def test_an_unusual_picture_works_and_what_was_done_to_it_is_said(
    tmp_path: Path, domain: str, kind: str, colour: tuple[int, int, int], notice: str
) -> None:
    session = Session()
    picked = upload(session, str(written(tmp_path, kind)), tiny_task(domain))
    middle = picked.picture[:, 32, 32].float()
    assert (middle - torch.tensor(colour)).abs().max() <= 3
    shown = photo_message(session.photo)
    assert notice in " ".join(shown["notices"])
    json.dumps(shown, allow_nan=False)


def test_a_picture_of_more_than_forty_megapixels_is_refused(tmp_path: Path, session: Session) -> None:
    shown, message = choose(session, lambda: upload(session, str(written(tmp_path, "vast.png")), tiny_task("cats")))
    assert shown is None
    assert "40 megapixels" in message


def test_examples_are_what_the_code_draws() -> None:
    for name, (_, draw) in EXAMPLES.items():
        with Image.open(FOLDER / f"{name}.png") as saved:
            assert saved.size == draw().size
            assert saved.tobytes() == draw().tobytes()


@pytest.mark.parametrize("number", [-1, 2**31, 1.5, None, "3"])
def test_a_picture_number_out_of_range_is_refused(models: Models, number: Any) -> None:
    with pytest.raises(UserError, match="whole number"):
        targets.drawn(models.get("faces"), number)


def test_a_drawn_picture_is_the_same_each_time_and_nearer_to_the_mean_than_the_prior_is(models: Models) -> None:
    task = models.get("faces")
    first, again, other = (targets.drawn(task, seed).picture.float() for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    w = task.prior.sample(1, torch.Generator().manual_seed(5))
    with torch.no_grad():
        expected = task.forward(task.prior.mean + TRUNCATION * (w - task.prior.mean))[0]
    assert torch.allclose(first / 127.5 - 1, expected.clamp(-1, 1), atol=0.01)


def test_a_target_that_comes_from_elsewhere_during_a_run_is_said_to_be_for_the_next() -> None:
    models, session = two_models(), Session(target=targets.example("cat", 64))
    race_of(models, session, steps=2)
    panel = laid_out(lambda: build_target(models.names))
    chooser = TargetChooser(models, Sessions(), panel, Form(), [], lambda *_: {})
    session.target = Picked(targets.example("cat", 64).picture, "from a run card", {"target": "card"})
    assert chooser.panel_of(session)[panel.message] == '<p class="calm">The target is from a run card.</p>'
    with session.run.lock:
        assert f"The target is from a run card. {targets.KEEPS_TARGET}" in chooser.panel_of(session)[panel.message]
