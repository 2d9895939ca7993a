"""Tensors in files: safetensors with JSON metadata, written atomically."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from landscape_core.errors import UserError, listed, reading
from landscape_core.storage.files import write_bytes

_META = "landscape"


def packed(tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> bytes:
    """The content of a file with tensors and JSON metadata."""
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save(contiguous, metadata={_META: json.dumps(meta)})


def write_tensors(path: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> None:
    """Write tensors and JSON metadata; the file appears whole or not at all. Raises UserError where it cannot be written."""
    write_bytes(path, packed(tensors, meta))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and metadata of a file written by `write_tensors`.

    Raises:
        UserError: no such file, or not one of these.
    """
    with reading(str(path), "is not a checkpoint of this project"), safe_open(path, framework="pt") as file:
        meta = json.loads((file.metadata() or {})[_META])
        if not isinstance(meta, dict):
            raise UserError(f"{path} is not a checkpoint of this project: what it says of itself is no JSON object.")
        return {name: file.get_tensor(name) for name in file.keys()}, meta  # noqa: SIM118


def check_numbers(tensors: Mapping[str, Tensor], what: str) -> None:
    """Refuse tensors that no network computes with; `what` begins the sentence: "faces.pt".

    Raises:
        UserError: complex numbers, or values that are not finite.
    """
    complex_ones = [name for name, tensor in tensors.items() if tensor.is_complex()]
    if complex_ones:
        raise UserError(f"{what} holds complex numbers ({listed(complex_ones, 3)}); weights are real.")
    broken = [name for name, tensor in tensors.items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise UserError(f"{what} holds weights that are not finite numbers ({listed(broken, 3)}).")


def under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, without it."""
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
