"""Trainings that several processes cannot share say so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from landscape_core.errors import UserError
from tests.training.test_kills import Trained, classifier, head, prior


@pytest.mark.parametrize("training", [prior, head, classifier], ids=lambda each: each.__name__)
def test_several_processes_are_refused_where_a_training_is_not_shared(
    training: Callable[[Path], Trained], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("landscape_core.processes.count", lambda: 2)
    with pytest.raises(UserError, match="one process's; Algorithm 1, `train generator` and `train features-decoder` can be"):
        training(tmp_path)
