"""The project's sets of pictures, and pictures drawn from any source."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.images.datasets import Box, ImageSource, load_images
from landscape_core.images.pixels import to_unit


@dataclass(frozen=True)
class DataSet:
    """A named data set below the data folder, and how its pictures become squares."""

    file: str
    box: Box | None = None

    def source(self, data: Path, split: str, side: int) -> ImageSource:
        """Its pictures of a split, at a model's side in pixels."""
        return ImageSource(data / self.file, split, side, self.box)


FACES = DataSet("faces128.zip")
CATS = DataSet("cats128.zip")


def targets(source: ImageSource, n: int, seed: int) -> Tensor:
    """n pictures (n, 3, side, side) in [-1, 1], drawn from a source without replacement by `seed`."""
    images = load_images(source)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    return to_unit(images[order[:n]])
