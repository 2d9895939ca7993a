"""What happens in a training, written down as it does: a line of JSON each, for whoever watches from another process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from landscape_core import processes
from landscape_core.errors import writing

NAME = "diary.jsonl"
FINISH = "finish"  # a file of that name beside it asks the training to end now, with what it has learned


class Diary:
    """Appends to `diary.jsonl` in a folder, which is made where it is missing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def finishes(self) -> bool:
        """Whether whoever reads it wants no more."""
        return (self.folder / FINISH).exists()

    def write(self, kind: str, **facts: Any) -> None:
        """One line: its kind and facts (JSON, finite numbers), by the main process of several.

        Raises:
            UserError: the folder cannot be written.
        """
        if not processes.is_main():
            return
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / NAME).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"kind": kind, **facts}, allow_nan=False) + "\n")


class Reader:
    """Reads what was appended since it last looked. A line that is not whole yet, or that a kill cut short, is left out."""

    def __init__(self, folder: Path) -> None:
        self._path, self._offset = folder / NAME, 0

    def new(self) -> Iterator[dict[str, Any]]:
        """The entries since the last call."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                yield entry
