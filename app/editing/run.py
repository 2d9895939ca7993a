"""What happens on each event of the panel: a session and plain values in, messages for the view out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from app.editing.session import ENDS, MOST_OWN, EditSession, Result
from app.runs.session import Message
from app.scratch import export_path
from landscape_core.errors import UserError
from landscape_core.generators.datasets import framing_of
from landscape_core.images.faces import prepare_upload
from landscape_core.images.moving import frames_zip, gif, mp4
from landscape_core.images.pixels import png_bytes, to_bytes, to_image, to_unit, webp
from landscape_core.search.editing import Edit, between, edited, principal, towards
from landscape_core.storage.files import write_bytes

FORMATS = ("png", "zip", "gif", "mp4", "safetensors")
FRAMES, RATE = 24, 16  # of a film, and so many a second
MOST_PICTURES = 60  # of a set that a direction is made of


@dataclass(frozen=True)
class Asked:
    """What every end is to become, and how much of the way it is from A to B."""

    edits: Mapping[str, Edit]
    share: float = 0.0

    def scaled(self, share: float) -> Asked:
        """That share of A's edit alone."""
        whole = self.edits["A"]
        amounts = tuple(share * amount for amount in whole.amounts)
        return Asked({**self.edits, "A": Edit(amounts, 1.0 + share * (whole.truncation - 1.0))}, self.share)


def read_asked(data: Mapping[str, Any]) -> Asked:
    """{"ends": {"A": {"amounts": [...], "truncation"}, ...}, "share"} from the browser, which is untrusted.

    Raises:
        UserError: it is not shaped so, or a number is out of range.
    """
    try:
        ends = {name: data.get("ends", {}).get(name) or {} for name in ENDS}
        edits = {
            name: Edit(tuple(float(each) for each in end.get("amounts", ())), float(end.get("truncation", 1.0)))
            for name, end in ends.items()
        }
        return Asked(edits, float(data.get("share", 0.0)))
    except (TypeError, ValueError, AttributeError) as error:
        raise UserError("An edit is numbers: amounts along directions, a truncation, and a share.") from error


def take(session: EditSession, end: Any, result: Result) -> Message:
    """Make a run's result one of the two that are edited. Another model has other directions: what was taken before is let go.

    Raises:
        UserError: there is no such end, or both results have no lane in common.
    """
    if end not in ENDS:
        raise UserError(f"A result is taken as one of {', '.join(ENDS)}.")
    if any(other.task.name != result.task.name for other in session.ends.values()):
        session.ends, session.own, session.sets = {}, {}, {}
    if not session.ends:
        end, session.axes = "A", principal(result.task.prior)
    ends = {**session.ends, end: result}
    if not shared_lanes(ends):
        each = "; ".join(f"{one.label} has {', '.join(one.inputs)}" for one in ends.values())
        raise UserError(f"Results are blended lane by lane, and these have none in common: {each}.")
    session.ends = ends
    return opened(session)


def drop(session: EditSession) -> Message:
    """Edit A alone again."""
    session.ends.pop("B", None)
    return opened(session)


def opened(session: EditSession) -> Message:
    """What is edited, and along which directions."""
    first = _first(session)
    return {
        "kind": "opened",
        "ends": {name: end.label for name, end in session.ends.items()},
        "lanes": shared_lanes(session.ends),
        "side": first.task.side,
        "model": first.task.name,
        "principal": len(session.axes),
        "own": list(session.own),
    }


def shared_lanes(ends: Mapping[str, Result]) -> list[str]:
    """The lanes that every end has."""
    first, *others = ends.values()
    return [name for name in first.inputs if all(name in other.inputs for other in others)]


def _first(session: EditSession) -> Result:
    if "A" not in session.ends:
        raise UserError("There is no result to edit yet; press “Edit this result” after a run.")
    return session.ends["A"]


def inputs_at(session: EditSession, asked: Asked) -> dict[str, Tensor]:
    """F's inputs (1, d) by lane: both ends edited, and blended.

    Raises:
        UserError: nothing was taken, or the edit is out of range.
    """
    first = _first(session)
    directions = torch.cat([session.axes, *(each[None] for each in session.own.values())])
    found = {}
    for lane in shared_lanes(session.ends):
        ends = {
            name: edited(first.task.prior, end.inputs[lane], directions, asked.edits[name])
            for name, end in session.ends.items()
        }
        found[lane] = between(ends["A"], ends["B"], asked.share) if "B" in ends else ends["A"]
    return found


@torch.no_grad()
def pictures_of(session: EditSession, asked: Asked) -> dict[str, Tensor]:
    """What F makes of them, uint8 (3, side, side), all in one pass."""
    inputs = inputs_at(session, asked)
    return dict(zip(inputs, to_bytes(_first(session).task.forward(torch.cat(list(inputs.values())))), strict=True))


def draw(session: EditSession, data: Mapping[str, Any]) -> Message:
    """The pictures that an edit makes, as WebP.

    Raises:
        UserError: as `inputs_at`.
    """
    pictures = pictures_of(session, read_asked(data))
    return {"kind": "drawn", "number": data.get("number"), "pictures": {lane: webp(each) for lane, each in pictures.items()}}


@torch.no_grad()
def fill_set(session: EditSession, which: str, paths: Sequence[str]) -> str:
    """The inputs of a set of pictures, by the encoder: one of the two that a direction is made of. Says how many there are.

    Raises:
        UserError: nothing is edited yet, the model has no encoder, or a picture cannot be read.
    """
    task = _first(session).task
    if task.encode is None:
        raise UserError(f"{task.name} has no encoder, which directions of one's own are made by.")
    if len(paths) > MOST_PICTURES:
        raise UserError(f"A set has at most {MOST_PICTURES} pictures, and these are {len(paths)}.")
    framing = framing_of(task.name)
    images = [prepare_upload(path, size=task.side, framing=framing).image for path in paths]
    session.sets[which] = torch.cat([task.encode(to_unit(image)[None]) for image in images])
    return f"{len(images)} {'picture' if len(images) == 1 else 'pictures'}"


def make_direction(session: EditSession, name: Any) -> Message:
    """A direction from the second set to the first.

    Raises:
        UserError: a set is missing, the name is empty or taken, or there are enough.
    """
    words = str(name or "").strip()[:30]
    if not words or words in session.own:
        raise UserError("Give the direction a name that it alone has.")
    if len(session.own) >= MOST_OWN:
        raise UserError(f"There are {MOST_OWN} directions of your own already, the most that are kept.")
    if set(session.sets) != {"with", "without"}:
        raise UserError("A direction is made from two sets of pictures; add pictures with it and pictures without it.")
    session.own[words] = towards(session.sets["with"], session.sets["without"])
    session.sets = {}
    return opened(session)


def frames_of(session: EditSession, asked: Asked) -> list[Tensor]:
    """All lanes side by side on the way from A to B; of one result, from how it was found to how it is edited."""
    shares = torch.linspace(0.0, 1.0, FRAMES).tolist()
    two = "B" in session.ends
    ways = [Asked(asked.edits, share) if two else asked.scaled(share) for share in shares]
    return [torch.cat(list(pictures_of(session, way).values()), dim=2) for way in ways]


def export(session: EditSession, data: Mapping[str, Any]) -> Path:
    """What is edited as one of `FORMATS`, in a new temporary folder: the picture, frames as PNG, GIF or MP4, or F's inputs.

    Raises:
        UserError: nothing is edited, or no such format.
    """
    what, asked = data.get("what"), read_asked(data)
    if what not in FORMATS:
        raise UserError(f"Edits are exported as {', '.join(FORMATS)}.")
    if what == "png":
        content = png_bytes(torch.cat(list(pictures_of(session, asked).values()), dim=2))
    elif what == "safetensors":
        content = save({name: x.cpu().contiguous() for name, x in inputs_at(session, asked).items()})
    else:
        frames = [to_image(each) for each in frames_of(session, asked)]
        content = frames_zip(frames) if what == "zip" else {"gif": gif, "mp4": mp4}[what](frames, rate=RATE, rest=0)
    path = export_path(f"edit.{what}")
    write_bytes(path, content)
    return path
