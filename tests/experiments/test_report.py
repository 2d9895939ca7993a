"""The page of results shows exactly what results/ holds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.errors import UserError
from landscape_core.experiments.report import EARLIER, PAGE, embedded_hashes, outdated, report, results_in, with_results
from landscape_core.experiments.results import Claim, Result
from landscape_core.storage import zoo

ROOT = Path(__file__).resolve().parents[2]


def write(folder: Path, name: str = "toy", models: dict[str, str] | None = None) -> None:
    claim = Claim("loss", -0.31, -0.2, -0.35, "lower", (-0.3, -0.1))
    command = f"python -m landscape_core reproduce {name}"
    Result(name, command, 3, models or {}, {"faces": 7}, {}, {}, [claim]).write(folder)


def test_the_page_is_up_to_date_with_the_results() -> None:
    text = (ROOT / "results" / PAGE).read_text()
    assert with_results(text, report(ROOT / "results")) == text, "run: python -m landscape_core reproduce report"


def test_a_report_names_command_sizes_and_claims(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "toy.png").write_bytes(b"")
    text = with_results("a\n<!-- results -->\nold\n<!-- /results -->\nb", report(tmp_path))
    assert "old" not in text
    assert "`python -m landscape_core reproduce toy` · 7 faces · seed 3 · 0 of 1 aims met" in text
    assert "![toy](toy.png)" in text
    assert "| loss | −0.31 | −0.20 [−0.30, −0.10] | ≤ −0.35 | no |" in text
    assert text.endswith("\nb")
    with pytest.raises(UserError, match="markers"):
        with_results("nothing", "x")


def test_the_page_begins_with_ten_questions_their_answers_and_what_the_paper_says(tmp_path: Path) -> None:
    claim = Claim("faces: loss after 20 steps, Z Adam against X Adam", -0.31, -0.4, -0.4, "lower", (-0.5, -0.3))
    others = [replace(claim, claim=claim.claim.replace("20", str(steps))) for steps in (50, 100)]
    Result(
        "convergence", "python -m landscape_core reproduce convergence", 0, {}, {"faces": 7}, {}, {}, [claim, *others]
    ).write(tmp_path)
    text = report(tmp_path)
    table = text.split("## Plain answers")[0].strip().splitlines()[2:]
    assert len(table) == 2 + 10
    assert {line.count("|") for line in table} == {5}
    first = table[2]
    assert "**Yes**" in first
    assert "40 % lower (30 to 50 % lower)" in first
    assert "and 1 more below" in first
    assert "−23.6 % in Table 2 and −29.53 % in Tables 4 and 5" in first
    assert table[3].split("|")[2:4] == [" **Being measured again** ", " – "]


def test_a_figure_that_is_none_is_shown_as_a_dash_and_meets_nothing(tmp_path: Path) -> None:
    Result("toy", "python -m landscape_core reproduce toy", 0, {}, {"faces": 7}, {}, {}, [
        Claim("share", None, float("nan"), 1.0, "lower")
    ]).write(tmp_path)  # fmt: skip
    assert "| share | – | – | ≤ 1.00 | no |" in report(tmp_path)


def test_rows_that_were_trained_say_what_it_took(tmp_path: Path) -> None:
    spent = {"seconds": 1234, "buffers": 4, "draws": 3072, "updates": 96, "batch": 32}
    settings = {"training_budget": {"Θ": spent, "older": {"seconds": 5, "buffers": 1}}}
    Result("toy", "python -m landscape_core reproduce toy", 0, {}, {"faces": 7}, settings).write(tmp_path)
    assert "Trained: Θ, 3,072 draws in 96 updates of 32, 4 buffers, 1,234 s; older, 1 buffers, 5 s." in report(tmp_path)


def test_the_command_writes_between_the_markers_or_begins_a_page(tmp_path: Path) -> None:
    arguments = ["reproduce", "report", "--results", str(tmp_path)]
    assert "There are no results" in str(CliRunner().invoke(cli.app, arguments).exception)
    assert not (tmp_path / PAGE).exists()
    write(tmp_path)
    CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
    page = (tmp_path / PAGE).read_text()
    assert "### toy" in page
    (tmp_path / PAGE).write_text("By hand.\n" + page)
    write(tmp_path, "other")
    CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
    assert (tmp_path / PAGE).read_text().startswith("By hand.\n# Results")
    assert "### other" in (tmp_path / PAGE).read_text()


def test_what_was_measured_on_other_models_is_marked(tmp_path: Path) -> None:
    name = zoo.names()[0]
    write(tmp_path, "now", {name: zoo.read_card(name).sha256, "faces/ablation-own": "0"})
    write(tmp_path, "other-weights", {name: "0"})
    write(tmp_path, "gone", {"faces/theta-none": "0"})
    write(tmp_path, "of-its-own", {})
    assert outdated(results_in(tmp_path), embedded_hashes()) == ["gone", "other-weights"]
    assert report(tmp_path).count(EARLIER) == 2


@pytest.mark.parametrize("path", sorted((ROOT / "results").glob("*.json")), ids=lambda path: path.stem)
def test_committed_results_name_their_models_and_how_to_measure_again(path: Path) -> None:
    result = json.loads(path.read_text())
    assert result["experiment"] == path.stem
    train_all_they_use = ("playground", "plugins", "features-sweet-spot", "features-sweet-spot-vgg")
    assert result["models"] or result["experiment"] in train_all_they_use
    assert result["command"].startswith("python -m landscape_core reproduce ")
