"""Single pictures of CIFAR-10's test split, by class and number, read from a folder or zip without loading the rest."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.errors import UserError, reading
from landscape_core.images.datasets import SUFFIXES, ImageSource, load_images
from landscape_core.images.reading import centre_box, crop_square, decode_picture
from landscape_core.storage.archives import opened, unpacked

SIDE = 32


class Cifar10Test:
    """`test/<class>/<picture>` below a folder or a zip.

    Raises:
        UserError: there is no such folder or zip.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_dir() and not (path.is_file() and zipfile.is_zipfile(path)):
            raise UserError(f"There is no CIFAR-10 at {path}: a folder or zip with test/<class>/<picture> is needed.")
        self.path = path

    @cached_property
    def files(self) -> dict[str, list[str]]:
        """Names below the folder or zip of each class's pictures, sorted.

        Raises:
            UserError: a class has no pictures.
        """
        if self.path.is_dir():
            names = sorted(file.relative_to(self.path).as_posix() for file in self.path.glob("test/*/*"))
        else:
            with opened(self.path, self.path.name) as archive:
                names = sorted(archive.namelist())
        found = {name: [n for n in names if n.startswith(f"test/{name}/") and n.endswith(SUFFIXES)] for name in CIFAR10_CLASSES}
        empty = [name for name, each in found.items() if not each]
        if empty:
            raise UserError(f"{self.path.name} has no test pictures of: {', '.join(empty)}.")
        return found

    def picture(self, label: int, number: int) -> Tensor:
        """Picture `number` of a class: uint8 (3, 32, 32). Raises UserError as `pictures`."""
        return self.pictures([(label, number)])[0]

    def pictures(self, chosen: Sequence[tuple[int, int]]) -> Tensor:
        """Pictures by (class, number): uint8 (n, 3, 32, 32), a zip being opened once for all of them.

        Raises:
            UserError: there is no such class or number, or a picture that cannot be read.
        """
        return torch.stack([_square(content, name) for name, content in self._contents([self._name(*each) for each in chosen])])

    def _name(self, label: int, number: int) -> str:
        if not 0 <= label < len(CIFAR10_CLASSES):
            raise UserError(f"CIFAR-10 has the classes 0 to {len(CIFAR10_CLASSES) - 1}; there is no {label}.")
        files = self.files[CIFAR10_CLASSES[label]]
        if not 0 <= number < len(files):
            raise UserError(f"Test pictures of {CIFAR10_CLASSES[label]} are numbered 0 to {len(files) - 1}.")
        return files[number]

    def _contents(self, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        if self.path.is_dir():
            for name in names:
                with reading(name):
                    content = (self.path / name).read_bytes()
                yield name, content
            return
        with opened(self.path, self.path.name) as archive:
            for name in names:
                yield name, unpacked(archive, name, self.path.name)

    def draw(self, n: int, seed: int) -> list[tuple[int, int]]:
        """(class, number) of n different pictures in random order; the first m of n are the same for every n.

        Raises:
            UserError: more are asked for than there are.
        """
        all_of_them = [(label, i) for label, name in enumerate(CIFAR10_CLASSES) for i in range(len(self.files[name]))]
        if not 1 <= n <= len(all_of_them):
            raise UserError(f"There are {len(all_of_them)} test pictures; 1 to {len(all_of_them)} can be drawn.")
        order = torch.randperm(len(all_of_them), generator=torch.Generator().manual_seed(seed))
        return [all_of_them[i] for i in order[:n].tolist()]


def _square(content: bytes, name: str) -> Tensor:
    image = decode_picture(io.BytesIO(content), name).image
    return crop_square(image, centre_box(image), SIDE)


CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def load_cifar10(path: Path, split: str, *, limit_per_class: int | None = None) -> tuple[Tensor, Tensor]:
    """Folder or zip with <split>/<class>/<picture> -> uint8 (N, 3, 32, 32) and labels int64 (N,).

    Raises:
        UserError: no such source, or a class without pictures.
    """
    per_class = [load_images(ImageSource(path, f"{split}/{name}", 32), limit=limit_per_class) for name in CIFAR10_CLASSES]
    labels = [torch.full((len(images),), label) for label, images in enumerate(per_class)]
    return torch.cat(per_class), torch.cat(labels)
