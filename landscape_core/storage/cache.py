"""Tensors by fingerprint in a folder: surfaces that are kept between sessions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from landscape_core.storage.tensors import read_tensors, write_tensors


class FolderCache(MutableMapping[str, Mapping[str, Tensor]]):
    """One file per key, written whole or not at all. It grows without limit; delete any file, or the folder, at will."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getitem__(self, key: str) -> Mapping[str, Tensor]:
        """The tensors of that key.

        Raises:
            KeyError: nothing is kept under it.
            UserError: the file is damaged.
        """
        if not self._path(key).exists():
            raise KeyError(key)
        return read_tensors(self._path(key))[0]

    def __setitem__(self, key: str, tensors: Mapping[str, Tensor]) -> None:
        write_tensors(self._path(key), tensors, {})

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self._path(key).unlink()

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._path(key).exists()

    def __iter__(self) -> Iterator[str]:
        return (path.stem for path in sorted(self.folder.glob("[!.]*.safetensors")))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.safetensors"


@dataclass(frozen=True)
class Kept:
    """`folder` None keeps nothing. `made_for` names everything that the tensors depend on but their own description."""

    folder: Path | None
    made_for: str = ""

    def get(self, what: str, make: Callable[[], Tensor]) -> Tensor:
        """The tensor described by `what`, from the folder where it was made for the same, else made and kept."""
        if self.folder is None:
            return make()
        key = f"{self.made_for} {what}"
        path = self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.safetensors"
        if path.exists():
            tensors, meta = read_tensors(path)
            if meta.get("made_for") == key:
                return tensors["kept"]
        made = make()
        write_tensors(path, {"kept": made}, {"made_for": key})
        return made
