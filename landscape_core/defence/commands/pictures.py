"""The pictures that `attack` and `defend` are given: a file or a folder, each at the classifiers' size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import typer
from torch import Tensor

from landscape_core.errors import UserError, reading
from landscape_core.images.datasets import SUFFIXES
from landscape_core.images.pixels import to_unit
from landscape_core.images.reading import centre_box, crop_square, load_picture


@dataclass(frozen=True)
class Pictures:
    """Names and pictures (n, 3, 32, 32) in [-1, 1] of a file or a folder, each its centred square; `refused` are the others."""

    names: list[str]
    images: Tensor
    refused: list[str]


def read_pictures(path: Path) -> Pictures:
    """Read them; one of a folder that cannot be read is said on stderr and left out.

    Raises:
        UserError: there is no picture, or none that can be read.
    """
    with reading(str(path)):
        files = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
    if not files:
        raise UserError(f"No pictures ({', '.join(SUFFIXES)}) in {path}.")
    squares: dict[str, Tensor] = {}
    refused: list[str] = []
    for file in files:
        try:
            image = load_picture(file).image
        except UserError as error:
            if len(files) == 1:
                raise
            typer.echo(f"{error}", err=True)
            refused.append(file.name)
        else:
            squares[file.name] = crop_square(image, centre_box(image), 32)
    if not squares:
        raise UserError(f"None of the {len(files)} pictures in {path} can be read.")
    return Pictures(list(squares), to_unit(torch.stack(list(squares.values()))), refused)
