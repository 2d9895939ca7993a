"""Results files: `met` is computed, intervals cover, relative changes are paired."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from landscape_core.experiments.results import Claim, Result, relative_change, table


@pytest.mark.parametrize(
    ("better", "ours", "spread", "met"),
    [
        ("lower", -0.4, 0.05, True),
        ("lower", -0.4, 0.2, False),
        ("lower", -0.3, 0.0, False),
        ("lower", -0.2, 0.05, False),
        ("higher", -0.2, 0.05, True),
        ("higher", -0.2, 0.2, False),
    ],
)
def test_whether_a_claim_is_met_follows_from_its_numbers(
    tmp_path: Path, better: str, ours: float, spread: float, met: bool
) -> None:
    assert Claim("loss", -0.24, -0.3, -0.3, better).met  # without an interval, reaching the aim is enough
    claim = Claim("loss", -0.24, ours, -0.3, better, (ours - spread, ours + spread))
    path = Result("toy", "python -m landscape_core", 0, {}, {}, {}, {}, [claim]).write(tmp_path)
    assert json.loads(path.read_text())["claims"][0]["met"] is met
    assert table([claim]).splitlines()[-1].endswith(f"{'yes' if met else 'no'} |")


def test_relative_change_resamples_pairs() -> None:
    random = torch.Generator().manual_seed(0)
    baseline = torch.rand(100, generator=random) * 100 + 1
    change, (low, high) = relative_change(0.75 * baseline, baseline)
    assert change == pytest.approx(-0.25)
    assert low == pytest.approx(-0.25, abs=1e-5)  # the targets differ a lot, the ratio within a pair never
    assert high == pytest.approx(-0.25, abs=1e-5)
