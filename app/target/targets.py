"""Where a target comes from: the model's own generator, a drawn example, or a crop of the visitor's photo."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from app.runs.session import Message, Photo, Picked, Session
from app.target.examples import EXAMPLES, FOLDER, PHOTOGRAPHS
from landscape_core.errors import UserError
from landscape_core.generators.datasets import framing_of
from landscape_core.generators.task import TRUNCATION
from landscape_core.images.faces import Eyes, choose_crop
from landscape_core.images.pixels import png_base64, to_bytes
from landscape_core.images.reading import CropBox, centre_box, crop_square, load_picture
from landscape_core.search.objectives import Target
from landscape_core.search.task import Task

LABELS = {name: label for name, (label, *_) in (PHOTOGRAPHS | EXAMPLES).items()}
# What one begins with, by the first word of the model's name: pictures that the model did not draw.
FIRST = {"faces": "astronaut", "cats": "chelsea", "features": "chelsea"}
PHOTO_SIDE = 1600
THUMBNAIL = 192  # px
MAX_SEED = 2**31 - 1
FIRST_DRAWN = 33  # the number that is offered first: an even face, and an even cat


DRAWN = "drawn-"
NO_FILE = "Choose a picture."
UPLOAD, CARD, COMPLETION = "upload", "card", "completion"
MISSING = {  # targets that an address cannot hold, and what is said of a link that was made with one
    UPLOAD: "This link was made with an uploaded picture, which stays with whoever uploaded it; add it again.",
    CARD: "This link was made with the picture of a run card; load the card again.",
    COMPLETION: "This link was made with a completion that was sent here; send one again from Complete.",
}


def _input(task: Task, seed: int) -> torch.Tensor:
    return task.prior.sample(1, torch.Generator().manual_seed(seed), truncation=TRUNCATION)


def drawn_input(task: Task, picked: Picked) -> torch.Tensor | None:
    """The input (1, d) that a picture was drawn from; None for one that the model did not draw."""
    number = _number(picked.query.get("target", ""))
    return None if number is None else _input(task, number)


def _number(text: str) -> int | None:
    """The number of a picture that a model draws, by its name in an address, which is untrusted; None where it is no such."""
    number = text.removeprefix(DRAWN)
    known = text.startswith(DRAWN) and number.isascii() and number.isdigit() and len(number) < 12
    return min(int(number), MAX_SEED) if known else None


def drawn(task: Task, seed: int) -> Picked:
    """A picture the model draws itself: the easiest honest target, for an exact solution exists."""
    if not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
        raise UserError(f"The picture's number must be a whole number from 0 to {MAX_SEED}.")
    with torch.no_grad():
        output = task.forward(_input(task, seed))
    shown = to_bytes(task.shown(output, Target(output)) if task.picture is None else task.shown(None, Target(output)))[0]
    return _of(task, Picked(shown, f"model's picture {seed}", {"target": f"{DRAWN}{seed}"}), Target(output))


def _of(task: Task, picked: Picked, observed: Target) -> Picked:
    """The same with what is searched for, where outputs are no pictures."""
    return picked if task.picture is None else replace(picked, observed=observed, task=task.name)


def observed(task: Task, path: str) -> Picked:
    """A visitor's file as a plug-in reads it.

    Raises:
        UserError: the plug-in cannot read it.
    """
    if task.observe is None:
        raise UserError(f"{task.name} reads no files.")
    target = task.observe(Path(path))
    return _of(task, Picked(to_bytes(task.shown(None, target))[0], "your file", {"target": UPLOAD}), target)


def fitting(picked: Picked | None, task: Task) -> Picked:
    """A target that a task can search for: the given one at its side, else what one begins with."""
    return picked.at(task.side) if picked is not None and picked.fits(task) else first(task)


def example(name: str, side: int) -> Picked:
    """One of assets/examples, at a model's side in pixels.

    Raises:
        UserError: there is no such example.
    """
    if name not in LABELS:
        raise UserError(f"There is no example {name!r}; there are: {', '.join(LABELS)}.")
    credit = PHOTOGRAPHS[name][1] if name in PHOTOGRAPHS else ""
    whole = _opened(name)
    box = centre_box(whole)
    return Picked(crop_square(whole, box, side), LABELS[name].lower(), {"target": name}, credit, (whole, box))


def example_for(name: str, task: Task) -> Picked:
    """An example for a task.

    Raises:
        UserError: there is no such example, or the task's outputs are no pictures.
    """
    if task.picture is not None:
        raise UserError(f"The examples are pictures, which {task.name} does not make: let the model draw, or upload a file.")
    return example(name, task.side)


def example_picture(name: str, side: int) -> torch.Tensor:
    """An example's centre square, uint8 (3, side, side)."""
    whole = _opened(name)
    return crop_square(whole, centre_box(whole), side)


def _opened(name: str) -> Image.Image:
    with Image.open(FOLDER / f"{name}.png") as image:
        return image.convert("RGB")


def open_photo(path: str, domain: str) -> Photo:
    """A visitor's file, decoded safely and no larger than a crop can use, with the square to begin with: where the domain
    shows faces the one that frames a face as its training pictures do, else the centre.

    Raises:
        UserError: the file is not a picture that is accepted; the sentence says why.
    """
    picture = load_picture(path)
    image = picture.image
    image.thumbnail((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    framing = framing_of(domain)
    box, said = choose_crop(image, framing)
    return Photo(image, box, picture.notices, framing, said)


def cropped(photo: Photo, side: int) -> Picked:
    """What the photo's box shows, at a model's side in pixels."""
    cut = (photo.image, photo.box)
    return Picked(crop_square(*cut, side), "your picture", {"target": UPLOAD}, cut=cut)


def from_query(text: str | None, task: Task, now: Picked | None = None) -> Picked:
    """The target that an address asks for; where it asks for none or an unknown one, the picture that one begins with. `now`
    is the one that is chosen already: a page that goes back still has what was uploaded to it.

    Raises:
        UserError: it asks for a picture that an address cannot hold.
    """
    if text in MISSING:
        if now is not None and now.query.get("target") == text:
            return fitting(now, task)
        raise UserError(MISSING[text])
    if text in LABELS and task.picture is None:
        return example(str(text), task.side)
    number = _number(text or "")
    return first(task) if number is None else drawn(task, number)


def first_example(model: str) -> str | None:
    """The example that one begins with, by the model's name; None where that draws its own."""
    return FIRST.get(model.partition("/")[0].removesuffix("+"))


def first(task: Task) -> Picked:
    """The target one begins with: a photograph where there is one of the model's kind, else a picture it draws."""
    name = first_example(task.name)
    return example(name, task.side) if name is not None else drawn(task, FIRST_DRAWN)


def for_model(picked: Picked | None, task: Task) -> Picked:
    """The target to go on with when another model is chosen: the same at its side, but a picture that a model drew is drawn by
    this one, and the photograph of one kind gives way to that of the other."""
    text = picked.query.get("target") if picked is not None else None
    if picked is None or text in FIRST.values():
        return first(task)
    return from_query(text, task) if (text or "").startswith(DRAWN) else fitting(picked, task)


def open_target(session: Session[Picked, Any], text: str | None, task: Task) -> list[str]:
    """The target that an address asks for becomes the session's; a sentence where there is none of that name."""
    now = session.target
    return session.open(lambda: from_query(text, task, now), text)


PREVIEW = 640
KEEPS_TARGET = "The run in progress keeps its target; the next run uses this one."


def target_message(picked: Picked) -> Message:
    """Shows a target in the race view before anything is run."""
    return {"kind": "target", "target": png_base64(picked.picture), "label": picked.label, "credit": picked.credit}


def missing_message(sentence: str) -> Message:
    """Says in the race view that the target is not here."""
    return {"kind": "missing", "text": sentence}


def choose(session: Session[Picked, Any], make: Callable[[], Picked]) -> tuple[Message | None, str]:
    """Take a new target; returns what the race view shows (None while a run is going) and a sentence."""
    try:
        session.target, session.missing = make(), ""
    except UserError as error:
        stays = f" The target stays {session.target.label}." if session.target is not None else ""
        return None, f"{error}{stays}"
    if running(session):
        return None, KEEPS_TARGET
    return target_message(session.target), ""


def running(session: Session[Any, Any]) -> bool:
    """Whether the session's run is taking steps just now."""
    return session.run is not None and session.run.lock.locked()


def photo_message(photo: Photo | None) -> Message | None:
    """The crop view's value: a preview of the photo with its square."""
    if photo is None:
        return None
    preview = photo.image.copy()
    preview.thumbnail((PREVIEW, PREVIEW))
    buffer = io.BytesIO()
    preview.save(buffer, "JPEG", quality=88)
    return {
        "photo": "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode(),
        "width": photo.image.width,
        "height": photo.image.height,
        "box": [photo.box.left, photo.box.top, photo.box.side, photo.box.angle],
        "eyes": photo.framing is not None,
        "notices": [*photo.notices, *photo.framed],
    }


def upload(session: Session[Picked, Any], path: str | None, task: Task) -> Picked:
    """Open a visitor's file and use the square found in it."""
    if path is None:
        raise UserError(NO_FILE)
    if task.picture is not None:
        return observed(task, path)
    session.photo = open_photo(path, task.name)
    return cropped(session.photo, task.side)


def crop(session: Session[Picked, Any], box: Any, side: int) -> Picked:
    """Use another square of the photo, at a model's side in pixels."""
    if session.photo is None:
        raise UserError("There is no picture to crop; upload one first.")
    if not isinstance(box, list) or len(box) not in (3, 4) or not all(isinstance(v, int | float) for v in box):
        raise UserError("A crop is four numbers: left, top, side and angle.")
    session.photo = replace(session.photo, box=CropBox(*map(float, box)), framed=())
    return cropped(session.photo, side)


def mark_eyes(session: Session[Picked, Any], points: Any, side: int) -> Picked:
    """Use the square that two eyes frame, each a pair of pixels of the photo, at a model's side in pixels."""
    photo = session.photo
    if photo is None or photo.framing is None:
        raise UserError("There is no picture of a face to frame; upload one first.")
    pairs = isinstance(points, list) and len(points) == 2 and all(isinstance(p, list) and len(p) == 2 for p in points)
    if not pairs or not all(isinstance(value, int | float) for point in points for value in point):
        raise UserError("The eyes are two points, each of two numbers.")
    one, other = ((float(x), float(y)) for x, y in points)
    box, said = choose_crop(photo.image, photo.framing, Eyes.of(one, other))
    session.photo = replace(photo, box=box, framed=said)
    return cropped(session.photo, side)


def picker_message(chosen: str | None, labels: Mapping[str, str] = LABELS) -> Message:
    """Examples as thumbnails: `labels` are their words by name."""
    items = [{"name": name, "label": label, "src": thumbnail(name)} for name, label in labels.items()]
    return {"items": items, "chosen": chosen}


@cache
def thumbnail(name: str) -> str:
    """An example as a data URL, no larger than a page shows it: every visitor is sent all of them before Run can be pressed."""
    buffer = io.BytesIO()
    with Image.open(FOLDER / f"{name}.png") as image:
        small = image.convert("RGB")
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    small.save(buffer, "WEBP", quality=85, lossless=small.width < THUMBNAIL)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
