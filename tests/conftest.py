"""Where the reference data is, and one thread so that numbers do not depend on the machine's load."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from landscape_core.generators.training import autoencoder, sharpen
from tests.tiny.lpips import MeanDistance, StandIn

# A busy machine is no failure.
# The same examples every time, so that a run of the tests says something of the change at hand; a long fuzz draws anew.
settings.register_profile("project", deadline=None, derandomize="FUZZ_EXAMPLES" not in os.environ)
settings.load_profile("project")
SHARED = Path(os.environ.get("LANDSCAPE_SHARED", Path(__file__).resolve().parents[2] / "shared"))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def shared() -> Path:
    """The folder of data sets and reference outputs; tests that need it skip where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"needs the reference data in {SHARED.name}/ beside the project")
    return SHARED


@pytest.fixture
def no_lpips(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training with a small stand-in for LPIPS."""
    monkeypatch.setattr(autoencoder, "load_lpips", MeanDistance)
    monkeypatch.setattr(sharpen, "load_lpips", StandIn)
