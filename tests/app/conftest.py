"""What tests of the Landscape tab share; `models` are those of the file that asks."""

from __future__ import annotations

import pytest

from app.landscape.drawing import Resources
from app.runs.models import Models
from app.runs.session import Session
from app.target import targets
from landscape_core.threads import Threads


@pytest.fixture
def lab(models: Models) -> Resources:
    """What visitors share."""
    return Resources(models, Threads(2))


@pytest.fixture
def invert(models: Models) -> Session:
    """A visitor's session of the Invert tab, with a drawn target."""
    return Session(target=targets.drawn(models.get("faces"), 3))
