"""A Θ to hand on: one zip with its card, its weights and whose Θ it is, checked like any embedded model when it is added."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from landscape_core.errors import UserError, reading
from landscape_core.storage import zoo
from landscape_core.storage.archives import opened, unpacked
from landscape_core.storage.files import whole, write_bytes

MANIFEST = "bundle.json"
MAX_CARD, MAX_WEIGHTS = 2**20, 2**30  # bytes


class Manifest(BaseModel):
    """What a bundle says of itself: the model's name, and name and hash of the forward model that it was learned for. Of a
    plug-in that is the hash of its code; the code is not in it."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    model: str
    forward: str
    forward_sha256: str


def write_bundle(path: Path, card: zoo.Card, forward: str, forward_sha256: str, assets: Path) -> None:
    """Write a published model as one zip.

    Raises:
        UserError: it cannot be written.
    """
    weights = zoo.weights_path(card, assets)
    manifest = Manifest(model=card.name, forward=forward, forward_sha256=forward_sha256)
    with whole(path) as partial, zipfile.ZipFile(partial, "w") as archive:
        archive.writestr(MANIFEST, manifest.model_dump_json(indent=2))
        archive.write(assets / card.name / zoo.CARD, zoo.CARD)
        archive.write(weights, zoo.WEIGHTS)


def add_bundle(path: Path, own: Path = zoo.OWN, embedded: Path = zoo.ASSETS) -> zoo.Card:
    """Take a bundle, which is untrusted, into the folder of one's own models.

    Raises:
        UserError: no bundle, one that is damaged or does not match its card, one for another forward model than is embedded
            under that name, or a name that an embedded model has.
    """
    with opened(path, path.name) as archive:
        with reading(path.name, "is no bundle of a Θ"):
            manifest = Manifest.model_validate_json(unpacked(archive, MANIFEST, path.name, MAX_CARD))
        card = unpacked(archive, zoo.CARD, path.name, MAX_CARD)
        weights = unpacked(archive, zoo.WEIGHTS, path.name, MAX_WEIGHTS)
    name = zoo.check_name(manifest.model)
    if name in zoo.names(embedded):
        raise UserError(f"{path.name} holds {name}, and a model of that name is embedded already.")
    if manifest.forward in zoo.names(embedded) and zoo.read_card(manifest.forward, embedded).sha256 != manifest.forward_sha256:
        raise UserError(f"{path.name} was learned for another {manifest.forward} than is embedded here.")
    with tempfile.TemporaryDirectory(prefix="landscape-") as folder:
        write_bytes(Path(folder, name, zoo.WEIGHTS), weights)
        write_bytes(Path(folder, name, zoo.CARD), card)
        checked, _ = zoo.load(name, Path(folder))
    if checked.name != name:
        raise UserError(f"{path.name} says that it holds {name}; its card is of {checked.name}.")
    zoo.put(checked, weights, own)
    return checked
