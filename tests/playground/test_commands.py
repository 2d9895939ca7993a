"""`play` and `reproduce playground` from the command line, and the files they write."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from landscape_core.cli import app
from landscape_core.console import Bar
from landscape_core.errors import UserError
from landscape_core.experiments.results import Result
from landscape_core.playground.commands import run as command
from landscape_core.playground.experiments.comparison import ComparisonSettings, markdown, plot, run_comparison
from landscape_core.playground.run_card import read_play_card

QUICK = {"buffers": 3, "targets": 16, "steps": 3, "batch": 16, "width": 16, "limit": 20}


def play(*words: str) -> str:
    result = CliRunner().invoke(app, ["play", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("play")
    return out, play("arm", "--buffers", "3", "--limit", "20", "--out", str(out))


def test_play_writes_page_animation_picture_numbers_and_card(written: tuple[Path, str]) -> None:
    out, said = written
    assert {path.name for path in out.iterdir()} == {
        "README.md", "repeat.py", "run.json", "buffers.csv", "losses.csv", "loss.svg", "landscapes.png", "landscape.gif",
        "landscape.mp4", "page.html",
    }  # fmt: skip
    assert "X, gd at" in said
    assert "% of 200 targets reached" in said
    with Image.open(out / "landscape.gif") as gif:
        assert gif.n_frames == 4  # before training, and after each buffer
    assert [row["buffer"] for row in csv.DictReader(io.StringIO((out / "buffers.csv").read_text()))] == ["1", "2", "3"]
    steps = list(csv.DictReader(io.StringIO((out / "losses.csv").read_text())))
    assert {row["space"] for row in steps} == {"X", "Z"}
    page = (out / "page.html").read_text()
    readme = (out / "README.md").read_text()
    assert all(f"`{path.name}`" in readme for path in out.iterdir() if path.name != "README.md")
    assert re.search(r"Lowest loss after \d+ steps of gd: X [\d.e-]+, Z [\d.e-]+\.", readme)
    assert "- buffers: 3\n" in readme
    assert "data:image/gif;base64," in page
    assert "cdn.plot.ly" not in page.split("</script>")[-1]


def test_what_was_trained_when_it_was_stopped_is_written_and_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Impatient(Bar):
        def __call__(self, done: int, total: int, figures: Mapping[str, float]) -> bool:
            self.stopped = done == 1
            return super().__call__(done, total, figures)

    monkeypatch.setattr(command, "Bar", Impatient)
    result = CliRunner().invoke(app, ["play", "arm", "--buffers", "3", "--limit", "20", "--out", str(tmp_path)])
    assert result.exit_code == 130
    assert "page.html" in result.output
    assert "targets reached" not in result.output


def test_a_written_card_is_repeated_exactly(written: tuple[Path, str], tmp_path: Path) -> None:
    out, _ = written
    said = play("--card", str(out / "run.json"), "--out", str(tmp_path))
    assert "repeats the card's training exactly: after 3 buffers" in said
    assert (tmp_path / "landscape.gif").read_bytes() == (out / "landscape.gif").read_bytes()
    assert read_play_card((tmp_path / "run.json").read_text()) == read_play_card((out / "run.json").read_text())


def test_any_way_of_replaying_an_export_repeats_it(written: tuple[Path, str], tmp_path: Path) -> None:
    out, _ = written
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.write(out / "run.json", "run.json")
    for given in (out / "run.json", tmp_path / "export.zip"):
        said = CliRunner().invoke(app, ["replay", str(given), "--threads", "1"])
        assert "repeats the card's training exactly: after 3 buffers" in said.output
    assert "exactly: after 3 buffers" in play("--card", str(tmp_path / "export.zip"), "--out", str(tmp_path))


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["own", "--first", "open('x')"], "'open' is not known"),
        (["own", "--first", "log(x1)"], "the expressions are no finite numbers"),
        (["own", "--second", "x2 / 0"], "the expressions are no finite numbers"),
        (["arm", "--buffers", "0"], "buffers: it must be at least 1"),
        (["arm", "--z-dim", "3", "--begin", "zero"], "begins at random"),
    ],
)
def test_bad_input_is_a_sentence(words: list[str], wanted: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=wanted):
        CliRunner().invoke(app, ["play", *words, "--out", str(tmp_path)], catch_exceptions=False)
    assert not any(tmp_path.iterdir())


@pytest.fixture(scope="module")
def table() -> Result:
    settings = ComparisonSettings(targets=12, tune_targets=6, starts=8, seeds=1)
    return run_comparison(settings, "test", lambda *_: None, ("arm", "valley"), ("gd", "lbfgs"), QUICK)


def test_the_table_has_every_model_and_optimiser_in_both_spaces(table: Result, tmp_path: Path) -> None:
    for model in ("arm", "valley"):
        for name in ("gd", "lbfgs"):
            for space in ("X", "Z"):
                median, low, high, share, *_ = table.series[f"{model}, {name}, {space} | median, low, high, share, low, high"]
                assert low <= median <= high <= 21
                assert 0 <= share <= 1
                assert table.settings["rates"][model][name][space][0] > 0
    assert markdown(table).count("\n") == 5
    plot(table, tmp_path / "plot.png")
    content = json.loads(table.write(tmp_path).read_text())
    assert [claim["met"] for claim in content["claims"] if "condition number" in claim["claim"]] == [True]
    assert [claim["met"] for claim in content["claims"] if "convex" in claim["claim"]] == [True]


def test_never_arriving_counts_as_one_step_more_than_the_limit(table: Result) -> None:
    row = table.series["valley, gd, X | median, low, high, share, low, high"]
    assert row[3] < 0.5
    assert row[0] == 21
