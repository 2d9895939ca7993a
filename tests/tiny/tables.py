"""What the tests of tables share: small settings, pictures that the tiny F can draw, a folder of data."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from landscape_core.experiments.rows import TableSettings
from landscape_core.search.objectives import SquaredError
from landscape_core.search.spaces import Prior
from landscape_core.search.task import Task
from tests.tiny.models import tiny_task

CANDIDATES = (("adam", 0.001), ("adam", 0.1), ("lbfgs", 1.0))
SETTINGS = TableSettings(targets=3, steps=(1, 4), tune_targets=2, candidates=CANDIDATES)


def pictures(n: int, seed: int = 1) -> Tensor:
    task = tiny_task()
    with torch.no_grad():
        return task.forward(task.prior.sample(n, torch.Generator().manual_seed(seed)))


def silent(label: str, done: int, total: int) -> None:
    assert 0 <= done <= total


def quadratic() -> Task:
    """F(x) = (x1, 10 x2): what a step of each candidate does can be told by hand."""

    class Stretch(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * torch.tensor([1.0, 10.0])

    prior = Prior(torch.zeros(2), torch.eye(2))
    return Task("toy", Stretch(), prior, SquaredError(), {}, side=1)


def data_folder(folder: Path) -> Path:
    import zipfile

    folder.mkdir()
    for name in ("faces128.zip", "cats128.zip"):
        with zipfile.ZipFile(folder / name, "w") as archive:
            for split in ("train", "val"):
                for index in range(3):
                    path = folder / f"{index}.png"
                    Image.new("RGB", (64, 64), (70 * index, 100, 200)).save(path)
                    archive.write(path, f"{split}/{index}.png")
    return folder
