"""What tests of tabs share, unless the file that asks has models or a session of its own."""

from __future__ import annotations

import pytest

from app.landscape.drawing import Resources
from app.runs.models import Models
from app.runs.session import Session
from app.target import targets
from tests.app.racing import two_models


@pytest.fixture(scope="module")
def models() -> Models:
    """Two domains, the first being faces."""
    return two_models()


@pytest.fixture
def session(models: Models) -> Session:
    """A visitor's session of a tab of pictures, with a drawn target."""
    return Session(target=targets.drawn(models.get("faces"), 3))


@pytest.fixture
def lab(models: Models) -> Resources:
    """What visitors share."""
    return Resources(models)


@pytest.fixture
def invert(session: Session) -> Session:
    """That of the Invert tab, on whose target the Landscape tab's own races are."""
    return session
