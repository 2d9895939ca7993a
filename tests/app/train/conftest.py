"""A server's trainings on tiny models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.runs.models import Models, embedded_models
from app.train.models import Trainable
from app.train.queue import Trainings
from tests.app.train.making import NICENESS, stand_in
from tests.tiny.assets import tiny_domain
from tests.tiny.plugins import plugin


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Models:
    monkeypatch.chdir(tmp_path)
    tiny_domain(tmp_path / "assets", "faces")
    return embedded_models(tmp_path / "assets", [str(plugin(tmp_path))])


@pytest.fixture
def started(models: Models) -> Iterator[Callable[..., Trainings]]:
    """Makes a server's trainings, which end with the test."""
    made: list[Trainings] = []

    def start(command: Any = stand_in) -> Trainings:
        made.append(Trainings(Path("trainings"), Trainable(models), command=command, niceness=NICENESS))
        return made[-1]

    yield start
    for each in made:
        each.close()
