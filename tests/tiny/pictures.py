"""Small pictures to read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from landscape_core.features.cifar10 import CIFAR10_CLASSES


def gradient(width: int, height: int) -> Image.Image:
    """Red grows to the right, green downwards."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, np.full_like(x, 90)], axis=-1).astype(np.uint8))


def saved(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


def cifar_folder(folder: Path, *, train: int, test: int) -> Path:
    """`folder/cifar/SPLIT/CLASS/i.png`: so many pictures of noise a class."""
    random = np.random.default_rng(0)
    for split, number in (("train", train), ("test", test)):
        for name in CIFAR10_CLASSES:
            place = folder / "cifar" / split / name
            place.mkdir(parents=True)
            for i in range(number):
                Image.fromarray(random.integers(0, 255, (32, 32, 3), dtype=np.uint8)).save(place / f"{i}.png")
    return folder / "cifar"
