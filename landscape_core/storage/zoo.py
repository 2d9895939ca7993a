"""The embedded models: a JSON card and a safetensors file each, verified by hash when loaded."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict
from safetensors.torch import load as load_bytes
from torch import Tensor

from landscape_core.errors import UserError, listed, reading
from landscape_core.storage.files import write_bytes, write_text
from landscape_core.storage.tensors import check_numbers, packed

_PACKAGE = Path(__file__).resolve().parents[1]
ROOT = _PACKAGE if (_PACKAGE / "assets").is_dir() else _PACKAGE.parent  # installed below the library, else the repository's
ASSETS = ROOT / "assets"
OWN = Path("runs") / "models"  # what a user trained for plug-ins or added, below the folder that one works in
RESULTS = ROOT / "results"  # what experiments found, where the repository is at hand
_NAME = re.compile(r"[A-Za-z0-9+_-]+(/[A-Za-z0-9+_-]+)*")
WEIGHTS, CARD = "weights.safetensors", "card.json"


class Card(BaseModel):
    """What a model is, what made it, and what it cost. `architecture` holds its constructor's arguments."""

    model_config = ConfigDict(extra="forbid")

    name: str
    kind: str
    architecture: dict[str, Any]
    trained_on: str
    licence: str
    command: str
    budget: dict[str, Any]
    metrics: dict[str, Any]
    sha256: str
    seed: int
    notes: str = ""


def names(assets: Path = ASSETS) -> list[str]:
    """Every embedded model, as paths below assets/ ("faces/generator")."""
    return sorted(card.parent.relative_to(assets).as_posix() for card in assets.rglob(CARD))


def shelves(assets: Path = ASSETS) -> tuple[Path, ...]:
    """Where models are looked for: beside the embedded ones, those of one's own."""
    return (assets, OWN) if assets == ASSETS else (assets,)


def shelf_of(name: str, assets: Path = ASSETS) -> Path:
    """The folder of models that has one of that name; `assets` where none has."""
    return next((shelf for shelf in shelves(assets) if name in names(shelf)), assets)


def check_name(name: str) -> str:
    """The name itself: words of letters, digits, +, - and _ with slashes between, for they become folders.

    Raises:
        UserError: it is none.
    """
    if not _NAME.fullmatch(name) or len(name) > 200:
        raise UserError(f"{name[:60]!r} cannot name a model: use letters, digits, +, - and _, with slashes between words.")
    return name


def read_card(name: str, assets: Path = ASSETS) -> Card:
    """The card of a model.

    Raises:
        UserError: no such model, or a card that is not one.
    """
    path = assets / name / CARD
    if not _NAME.fullmatch(name) or not path.exists():
        raise UserError(f"There is no model {name!r}; there are: {listed(names(assets))}.")
    with reading(str(path), "is not a valid model card"):
        return Card.model_validate_json(path.read_bytes())


def weights_path(card: Card, assets: Path = ASSETS) -> Path:
    """The file of a model's weights: the one named by the card's hash, else `weights.safetensors`."""
    folder = assets / card.name
    named = folder / _file_name(card.sha256)
    return named if named.exists() else folder / WEIGHTS


def _file_name(digest: str) -> str:
    return f"weights-{digest[:12]}.safetensors"


def load(name: str, assets: Path = ASSETS) -> tuple[Card, dict[str, Tensor]]:
    """Card and float32 tensors of a model, after checking the file against the card's hash.

    Raises:
        UserError: missing or altered weights (a Git-LFS pointer is recognised and named), or ones that are not finite.
    """
    card = read_card(name, assets)
    path = weights_path(card.model_copy(update={"name": name}), assets)
    if not path.exists():
        raise UserError(f"The weights of {name} are missing: {path} does not exist.")
    with reading(f"The weights of {name}"):
        content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != card.sha256:
        pointer = content.startswith(b"version https://git-lfs")
        guess = "it is a Git-LFS pointer: run 'git lfs pull'" if pointer else "the file was altered or only partly copied"
        raise UserError(f"The weights of {name} do not match their card; {guess}.")
    with reading(f"The weights of {name}"):
        tensors = load_bytes(content)
    check_numbers(tensors, f"The file of {name}")
    return card, {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}


@contextmanager
def fitting(card: Card) -> Iterator[None]:
    """Around building a model of a card's architecture and its tensors: a file may match its hash and still be another's.

    Raises:
        UserError: the tensors are not those of the architecture.
    """
    with reading(f"The weights of {card.name}", "are not those of the architecture on its card"):
        yield


def save(card: Card, tensors: Mapping[str, Tensor], assets: Path = ASSETS, *, dtype: torch.dtype = torch.float16) -> Card:
    """Write weights (rounded to `dtype`) and card, as `put` does; returns the card with the file's hash.

    Raises:
        UserError: a name that is none, weights that are not finite once rounded, or a folder that cannot be written.
    """
    rounded = {key: value.to(dtype) if value.is_floating_point() else value for key, value in tensors.items()}
    check_numbers(rounded, f"{card.name} is not published: it")
    content = packed(rounded, {"name": card.name})
    card = card.model_copy(update={"sha256": hashlib.sha256(content).hexdigest()})
    put(card, content, assets)
    return card


def put(card: Card, weights: bytes, assets: Path) -> None:
    """Write a model's files in place of what has its name.

    The weights get a name of their own, so that the card alone decides which are the model's: until it is in its place
    the earlier model is whole, whatever happens.

    Raises:
        UserError: a name that is none, or a folder that cannot be written.
    """
    folder = assets / check_name(card.name)
    path = folder / _file_name(card.sha256)
    write_bytes(path, weights)
    _write_card(card, folder)
    for earlier in folder.glob("weights*.safetensors"):
        if earlier != path:
            earlier.unlink()


def update_card(name: str, assets: Path = ASSETS, **changes: Any) -> Card:
    """Change fields of a model's card; its weights, and so its hash, stay as they are."""
    card = read_card(name, assets).model_copy(update=changes)
    _write_card(card, assets / name)
    return card


def add_metrics(name: str, metrics: Mapping[str, Any], assets: Path = ASSETS) -> Card:
    """Add figures to a model's card, in place of earlier ones of the same names."""
    return update_card(name, assets, metrics={**read_card(name, assets).metrics, **metrics})


def _write_card(card: Card, folder: Path) -> None:
    write_text(folder / CARD, json.dumps(card.model_dump(), indent=2) + "\n")
