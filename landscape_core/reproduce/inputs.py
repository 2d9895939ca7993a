"""The pictures an experiment runs on: the project's data sets, or anybody's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.data import Box, ImageSource, load_images, to_unit

@dataclass(frozen=True)
class DataSet:
    """A named data set below the data folder, and how its pictures become squares."""

    file: str
    box: Box | None = None

    def source(self, data: Path, split: str) -> ImageSource:
        return ImageSource(data / self.file, split, 64, self.box)


FACES = DataSet("faces128.zip")
CATS = DataSet("cats128.zip")
DOMAINS = {"faces": FACES, "cats": CATS}


def targets(source: ImageSource, n: int, seed: int) -> Tensor:
    """n pictures (n, 3, 64, 64) in [-1, 1], drawn from a source without replacement by `seed`."""
    images = load_images(source)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    return to_unit(images[order[:n]])
