"""Reading a run card from an uploaded file: the JSON itself, or the zip of an export."""

from __future__ import annotations

import io
import zipfile

from app.runs.models import Models
from app.runs.session import Picked
from landscape_core.errors import UserError
from landscape_core.generators.run_card import RunCard
from landscape_core.images.pixels import png_tensor
from landscape_core.search.export import CARD
from landscape_core.search.run_card import Card, CardKind, check_models, read_card
from landscape_core.search.task import Task

MAX_CARD = 1_000_000


def read_card_file(data: bytes, kind: type[CardKind]) -> CardKind:
    """The card of a kind in an uploaded file, which is untrusted: sizes are checked before anything is unpacked.

    Raises:
        UserError: neither a run card nor an export with one.
    """
    if zipfile.is_zipfile(io.BytesIO(data)):
        data = _from_zip(data)
    if len(data) > MAX_CARD:
        raise UserError(f"A run card has at most {MAX_CARD:,} bytes; this file has {len(data):,}.")
    try:
        return read_card(data.decode("utf-8"), kind)
    except UnicodeDecodeError as error:
        raise UserError(f"This is not a run card: give {CARD}, or the zip of an export.") from error


def _from_zip(data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            info = archive.getinfo(CARD)
            if info.file_size > MAX_CARD:
                raise UserError(f"{CARD} in this zip unpacks to {info.file_size:,} bytes; at most {MAX_CARD:,} are accepted.")
            with archive.open(info) as file:
                return file.read(MAX_CARD + 1)
    except KeyError as error:
        raise UserError(f"This zip has no {CARD} in it; give an export of a run.") from error
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
        raise UserError(f"This zip cannot be read: {error}.") from error


def open_card(models: Models, card: RunCard) -> tuple[Picked, str]:
    """A card's target, and a sentence that says whether a replay can be exact.

    Raises:
        UserError: the card is for a model or a space that is not here, or its picture cannot be read.
    """
    if card.settings.task not in models.names:
        raise UserError(f"The card is for the model “{card.settings.task}”; here there are: {', '.join(models.names)}.")
    task = models.get(card.settings.task, card.settings.perceptual)
    task.space(card.settings.space)
    return Picked(png_tensor(card.target_png), "from a run card"), loaded_sentence(card, task)


def loaded_sentence(card: Card, task: Task) -> str:
    """Whether a replay can be exact."""
    changed = check_models(card, task)
    if changed:
        return f"Run card loaded; these models differ from the card's, so results will too: {', '.join(changed)}."
    return "Run card loaded; the models are the same, so Run repeats it exactly."
