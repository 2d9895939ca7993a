"""The Results tab: what the files say, escaped, and nothing made up."""

from __future__ import annotations

import json
from pathlib import Path

from app.results.tab import cost, results_page
from landscape_core.experiments.results import Claim, Result
from landscape_core.storage import zoo

ROOT = Path(__file__).resolve().parents[2]


def _write(folder: Path) -> None:
    claims = [
        Claim("Z against X <b>", -0.31, -0.7, -0.35, "lower", (-0.72, -0.68)),
        Claim("faster", None, 0.5, 1.0, "higher"),
    ]
    result = Result("convergence", "python -m landscape_core reproduce convergence", 0, {}, {"faces": 1200}, {}, {}, claims)
    result.write(folder)


def test_claims_are_shown_with_their_verdicts_and_escaped(tmp_path: Path) -> None:
    _write(tmp_path)
    page = results_page(tmp_path, tmp_path)
    assert "1 of 2 aims met" in page
    assert "1,200 faces" in page
    assert "Z against X &lt;b&gt;" in page
    assert "−0.7 [−0.72, −0.68]" in page
    assert page.count('class="missed"') == 1
    assert "<img" not in page
    (tmp_path / "convergence.png").write_bytes(b"")
    assert "lab-results/convergence.png" in results_page(tmp_path, tmp_path)


def test_nothing_measured_yet_says_how(tmp_path: Path) -> None:
    assert "reproduce --help" in results_page(tmp_path, tmp_path)


def test_every_committed_result_and_model_is_on_the_page() -> None:
    page = results_page(ROOT / "results", zoo.ASSETS)
    for path in (ROOT / "results").glob("*.json"):
        assert json.loads(path.read_text())["experiment"] in page
    for name in zoo.names():
        assert f"<b>{name}</b>" in page


def test_cost_adds_up_stages_and_survives_cards_without_seconds() -> None:
    assert cost({"seconds": {"autoencoder": 955, "generator": 3400}, "hardware": "1 core"}) == "73 min, 1 core"
    assert cost({"seconds": 42}) == "42 s"
    assert cost({"targets": 50}) == "–"
