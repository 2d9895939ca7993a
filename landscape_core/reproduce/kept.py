"""Tensors that took long to make, kept in a folder so that an experiment which was stopped goes on where it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from landscape_core.tensors import read_tensors, write_tensors


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
