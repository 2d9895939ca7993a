"""The README shows exactly what results/ holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from landscape_core.errors import UserError
from landscape_core.experiments.results import Claim, Result, report, with_results
from landscape_core.storage import zoo

ROOT = Path(__file__).resolve().parents[2]


def test_the_readme_is_up_to_date_with_the_results() -> None:
    text = (ROOT / "README.md").read_text()
    assert with_results(text, report(ROOT / "results")) == text, "run: python -m landscape_core reproduce report"


def test_a_report_names_command_sizes_and_claims(tmp_path: Path) -> None:
    claim = Claim("loss", -0.31, -0.2, -0.35, "lower", (-0.3, -0.1))
    Result("toy", "python -m landscape_core reproduce toy", 3, {}, {"faces": 7}, {}, {}, [claim]).write(tmp_path)
    (tmp_path / "toy.png").write_bytes(b"")
    text = with_results("a\n<!-- results -->\nold\n<!-- /results -->\nb", report(tmp_path))
    assert "old" not in text
    assert "`python -m landscape_core reproduce toy` · 7 faces · seed 3 · 0 of 1 aims met" in text
    assert "| loss | -0.31 | -0.2 [-0.3, -0.1] | -0.35 | no |" in text
    assert text.endswith("\nb")
    with pytest.raises(UserError, match="markers"):
        with_results("nothing", "x")


@pytest.mark.parametrize("path", sorted((ROOT / "results").glob("*.json")), ids=lambda path: path.stem)
def test_committed_results_were_measured_on_the_embedded_models(path: Path) -> None:
    measured = json.loads(path.read_text())["models"]
    embedded = {name: zoo.read_card(name).sha256 for name in measured if name in zoo.names()}
    assert embedded
    assert {name: measured[name] for name in embedded} == embedded
