"""Pictures to defend: CIFAR-10's test pictures where the data set is there, drawn examples, or a visitor's own at 32x32."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from app.defence.examples import EXAMPLES
from app.runs.address import TARGET
from app.runs.models import Loader
from app.runs.session import Photo, Picked, Session
from app.target.targets import MISSING, PHOTO_SIDE, UPLOAD, crop, example_picture
from landscape_core.defence.objective import Defence
from landscape_core.errors import UserError
from landscape_core.features.cifar10 import CIFAR10_CLASSES, SIDE, Cifar10Test
from landscape_core.images.reading import centre_box, crop_square, load_picture

CIFAR_FILE = "cifar10.zip"
CIFAR = "cifar-"  # before a test picture's class and number, in the address
FIRST = ("ship", 1)  # one that RO sees rightly and the paper's attack fools
Chosen = tuple[Picked, "int | None"]
LABELS = {name: each.label if each.fooled else f"{each.label} (withstands)" for name, each in EXAMPLES.items()}
NO_CIFAR = f"Test pictures come from CIFAR-10, which is not part of the app: put {CIFAR_FILE} (test/class/picture) into data/."


class Defences(Loader[Defence]):
    """The classifiers that can be defended; `cifar` is None where the data set is not here, and `no_cifar` says why."""

    def __init__(
        self, sources: Mapping[str, Callable[[], Defence]], cifar: Cifar10Test | None, no_cifar: str = NO_CIFAR
    ) -> None:
        super().__init__(
            sources, "classifier", "There is no classifier with a contrastive head in assets/ yet; `train` makes both."
        )
        self.cifar, self.no_cifar = cifar, no_cifar

    def get(self, name: Any) -> Defence:
        """The defence of that name. Raises UserError as `load`."""
        return self.load(name)


def cifar_at(data: Path) -> Cifar10Test | None:
    """CIFAR-10's test pictures below the data folder, or None where they are not."""
    path = data / CIFAR_FILE
    return Cifar10Test(path) if path.exists() else None


def from_cifar(cifar: Cifar10Test | None, label: Any, number: Any) -> tuple[Picked, int]:
    """A test picture and its class.

    Raises:
        UserError: the data set is not here, or there is no such picture.
    """
    if cifar is None:
        raise UserError(NO_CIFAR)
    if label not in CIFAR10_CLASSES or not isinstance(number, int):
        raise UserError("A test picture is named by its class and a whole number from 0 on.")
    index = CIFAR10_CLASSES.index(label)
    return Picked(cifar.picture(index, number), f"{label} {number}", {TARGET: f"{CIFAR}{label}-{number}"}), index


def example(name: Any) -> tuple[Picked, int]:
    """A drawn example and what it shows.

    Raises:
        UserError: there is no such example.
    """
    if name not in EXAMPLES:
        raise UserError(f"There is no example {name!r}; there are: {', '.join(EXAMPLES)}.")
    chosen = EXAMPLES[name]
    picked = Picked(example_picture(name, SIDE), chosen.label.lower(), {TARGET: name})
    return picked, CIFAR10_CLASSES.index(chosen.shows)


def opened(path: str) -> Photo:
    """A visitor's file, with its centre square to begin with.

    Raises:
        UserError: not a picture that is accepted; the sentence says why.
    """
    picture = load_picture(path)
    image = picture.image
    image.thumbnail((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return Photo(image, centre_box(image), picture.notices)


def recropped(session: Session[Picked, Any], box: Any) -> Picked:
    """Another square of the visitor's picture.

    Raises:
        UserError: no picture was uploaded, or this is no square.
    """
    return crop(session, box, SIDE)


def cropped(photo: Photo) -> Picked:
    """What the photo's square shows, at 32x32."""
    return Picked(crop_square(photo.image, photo.box, SIDE), "your picture", {TARGET: UPLOAD})


def from_query(cifar: Cifar10Test | None, text: str | None, now: Picked | None) -> Chosen:
    """The picture that an address asks for, which is untrusted, and its class where that is known; without one the picture
    that one begins with. `now` is the one that is chosen already.

    Raises:
        UserError: it asks for a picture that an address cannot hold, or that is not here.
    """
    if text in MISSING:
        if now is not None and now.query.get(TARGET) == text:
            return now, None
        raise UserError(MISSING[text])
    if text is not None and text.startswith(CIFAR):
        label, _, number = text.removeprefix(CIFAR).partition("-")
        return from_cifar(cifar, label, int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 0)
    if text in EXAMPLES or cifar is None:
        return example(text if text in EXAMPLES else next(iter(EXAMPLES)))
    return from_cifar(cifar, *FIRST)
