"""What happens on each event of the Invert tab: a session and plain values in, messages for the views out."""

from __future__ import annotations

import base64
import io
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from app import race, settings, targets
from app.cards import read_card_file
from app.examples import EXAMPLES, FOLDER
from app.models import Models
from app.session import Photo, Picked, Session
from landscape_core.errors import UserError
from landscape_core.export import export_zip
from landscape_core.images import CropBox
from landscape_core.runs import RunCard, RunSettings, check_models, png_base64, png_tensor
from landscape_core.tasks.base import X

Message = dict[str, Any]
PREVIEW = 640
KEEPS_TARGET = "The run in progress keeps its target; the next run uses this one."


def defaults(models: Models, model: str | None = None, space: str | None = None) -> RunSettings:
    """The settings a page starts with: the model's first Θ, and in each space the optimiser advised for it.

    `space` is the one whose advice Z gets, where it is not the first.

    Raises:
        UserError: there is no model at all, or its files are damaged.
    """
    if not models.names:
        raise UserError("There is no trained model in assets/ yet. Train one with: python -m landscape_core train generator")
    name = model if model in models.names else models.names[0]
    task = models.get(name)
    first = next(iter(task.mappings))
    return RunSettings(
        task=name, space=first, x=task.advice(X), z=task.advice(space if space and space in task.mappings else first)
    )


def for_model(models: Models, values: list[Any]) -> RunSettings:
    """The form's settings after another model was chosen in it: that model's spaces and optimisers, the rest as it was.

    Raises:
        UserError: the model's files are missing or damaged.
    """
    usual = defaults(models, values[0])
    try:
        now = settings.from_values([usual.task, usual.space, *values[2:]])
    except UserError:  # something else in the form is wrong; then all of it begins anew
        return usual
    return usual.model_copy(update={"start": now.start, "steps": now.steps, "seed": now.seed, "perceptual": now.perceptual})


def open_page(models: Models, session: Session, query: Mapping[str, str]) -> tuple[RunSettings, list[str]]:
    """Settings and target that the page's address asks for, with a sentence for each thing it could not have."""
    usual = defaults(models, query.get("model"), query.get("space"))
    chosen, notes = settings.from_query(query, usual, models.names)
    task = models.get(chosen.task)
    if chosen.space not in task.mappings:
        notes.append(f"{chosen.task.title()} has no space “{chosen.space}”; {usual.space} is used.")
        chosen = chosen.model_copy(update={"space": usual.space})
    session.target = targets.from_query(query.get("target"), task)
    return chosen, notes


def target_message(picked: Picked) -> Message:
    """Shows a target in the race view before anything is run."""
    return {"kind": "target", "target": png_base64(picked.picture), "label": picked.label}


def choose(session: Session, make: Callable[[], Picked]) -> tuple[Message | None, str]:
    """Take a new target; returns what the race view shows (None while a run is going) and a sentence."""
    try:
        session.target = make()
    except UserError as error:
        return None, str(error)
    if running(session):
        return None, KEEPS_TARGET
    return target_message(session.target), ""


def running(session: Session) -> bool:
    """Whether the session's run is taking steps just now."""
    return session.run is not None and session.run.lock.locked()


def note(models: Models, session: Session, values: list[Any]) -> Message:
    """What the form means now: an error, or how the next run differs from the one that stands; and its address."""
    try:
        chosen = settings.from_values(values)
        usual = defaults(models, chosen.task, chosen.space)
        query = settings.to_query(chosen, models.first(usual)) | (session.target.query if session.target else {})
    except UserError as error:
        return {"text": str(error), "level": "error", "query": None}
    return {"text": _next_run(session, chosen), "level": "plain", "query": query, "own": settings.OWN}


def _next_run(session: Session, chosen: RunSettings) -> str:
    run = session.run
    if run is None or session.target is None:
        return ""
    if session.target.picture is not run.target.picture:
        return "The next run has another target."
    changes = settings.difference(run.settings, chosen)
    if not changes:
        return f"The next run would repeat run {run.number}."
    kept = "same target" if any(c.startswith(("seed", "start", "space", "model")) for c in changes) else "same target and start"
    return f"Next run: {kept} as run {run.number}, but {'; '.join(changes)}."


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
        "box": [photo.box.left, photo.box.top, photo.box.side],
        "notices": list(photo.notices),
    }


def upload(session: Session, path: str, model: str) -> Picked:
    """Open a visitor's file and use the square found in it."""
    session.photo = targets.open_photo(path, model)
    return targets.cropped(session.photo)


def crop(session: Session, box: Any) -> Picked:
    """Use another square of the photo."""
    if session.photo is None:
        raise UserError("There is no picture to crop; upload one first.")
    if not isinstance(box, list) or len(box) != 3 or not all(isinstance(v, int | float) for v in box):
        raise UserError("A crop is three numbers: left, top and side.")
    session.photo = Photo(session.photo.image, CropBox(*map(float, box)), session.photo.notices)
    return targets.cropped(session.photo)


def run(models: Models, session: Session, values: list[Any]) -> Iterator[Message]:
    """Race from the start; an error is the last message."""
    try:
        yield from race.start(models, session, settings.from_values(values))
    except UserError as error:
        yield {"kind": "error", "text": str(error)}


def more(session: Session, steps: Any) -> Iterator[Message]:
    """Go on from where the run stands."""
    try:
        yield from race.resume(session, steps)
    except UserError as error:
        yield {"kind": "error", "text": str(error)}


def restore(session: Session, run_id: Any) -> tuple[RunSettings, Message]:
    """The settings of an earlier run, with its target.

    Raises:
        UserError: no such run in this session.
    """
    found = session.find(str(run_id))
    if found is None:
        raise UserError("That run is no longer known to the server.")
    session.target = found.target
    return found.settings, target_message(found.target)


def load_card(models: Models, session: Session, data: bytes) -> tuple[RunSettings, Message, str]:
    """Settings and target of a run card; nothing is run. The sentence says whether a replay can be exact.

    Raises:
        UserError: not a card, or one for a model that is not here.
    """
    card = read_card_file(data)
    if card.k is not None:
        raise UserError("This is the card of completions; load it in the Complete tab.")
    session.target, exact = open_card(models, card)
    session.card = card
    return card.settings, target_message(session.target), exact


def open_card(models: Models, card: RunCard) -> tuple[Picked, str]:
    """A card's target, and a sentence that says whether a replay can be exact.

    Raises:
        UserError: the card is for a model or a space that is not here, or its picture cannot be read.
    """
    if card.settings.task not in models.names:
        raise UserError(f"The card is for the model “{card.settings.task}”; here there are: {', '.join(models.names)}.")
    task = models.get(card.settings.task, card.settings.perceptual)
    task.space(card.settings.space)
    changed = check_models(card, task)
    exact = "the models are the same, so Run repeats it exactly."
    if changed:
        exact = f"these models differ from the card's, so results will too: {', '.join(changed)}."
    return Picked(png_tensor(card.target_png), "from a run card"), f"Run card loaded; {exact}"


def export(session: Session) -> Path:
    """Write the zip of the run that stands to a new temporary folder.

    Raises:
        UserError: there is nothing to export yet.
    """
    standing = session.run
    if standing is None or standing.trajectory.last is None:
        raise UserError("There is no run to export; press Run first.")
    folder = Path(tempfile.mkdtemp(prefix="landscape-"))
    path = folder / f"run-{standing.number}-seed-{standing.settings.seed}.zip"
    lanes, picture = standing.solver.lanes, standing.target.picture
    export_zip(path, race.card_of(standing), standing.task.forward, lanes, standing.trajectory, picture)
    return path


def picker_message(chosen: str | None) -> Message:
    """The examples as thumbnails."""
    items = [{"name": name, "label": label, "src": _thumbnail(name)} for name, (label, _) in EXAMPLES.items()]
    return {"items": items, "chosen": chosen}


def _thumbnail(name: str) -> str:
    return "data:image/png;base64," + base64.b64encode((FOLDER / f"{name}.png").read_bytes()).decode()
