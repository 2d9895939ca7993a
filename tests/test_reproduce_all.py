"""Everything in order, within a budget: what is up to date is left, what fails does not hold up the rest."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.commands import reproduce_all
from landscape_core.commands.reproduce_all import PLAN, Measurement, launched, run_all, whole_plan
from landscape_core.experiments.results import Result, commit_of_code
from landscape_core.storage import zoo

TOYS = (Measurement("first", ("first",), ("--steps", "2")), Measurement("second", ("second-a", "second-b")))
OPTIONS = {"first": {"--steps", "--data", "--threads", "--out"}, "second": {"--threads", "--out"}}
SHARED = {"--data": Path("elsewhere"), "--threads": 1, "--steps": 7}


def write(folder: Path, name: str, words: str, digest: str | None = None) -> None:
    model = zoo.names()[0]
    models = {model: digest or zoo.read_card(model).sha256}
    Result(name, f"python -m landscape_core {words}", 0, models, {"faces": 1}, {}).write(folder)


def test_every_measurement_is_run_once_with_the_options_that_it_has(tmp_path: Path) -> None:
    asked: list[str] = []

    def launch(words: list[str], left: float) -> int:
        asked.append(shlex.join(words))
        assert 0 < left <= 100
        kept = words[: words.index("--out")]
        for name in {"first": ["first"], "second": ["second-a", "second-b"]}[words[1]]:
            write(tmp_path, name, shlex.join(kept))
        return 0

    went = run_all(TOYS, OPTIONS, SHARED, tmp_path, 100.0, launch)
    assert asked == [
        f"reproduce first --steps 2 --data elsewhere --threads 1 --out {tmp_path}",
        f"reproduce second --threads 1 --out {tmp_path}",
    ]
    assert set(went.values()) == {"done"}
    assert set(run_all(TOYS, OPTIONS, SHARED, tmp_path, 100.0, launch).values()) == {"up to date"}
    assert len(asked) == 2, "what is up to date is left alone"
    write(tmp_path, "second-b", "reproduce second --threads 1", "of another model")
    run_all(TOYS, OPTIONS, SHARED, tmp_path, 100.0, launch)
    assert [words.split()[1] for words in asked[2:]] == ["second"]
    run_all(TOYS, OPTIONS, {}, tmp_path, 100.0, launch)
    assert len(asked) == 5, "by another command both are measured again"


def test_what_is_refused_does_not_hold_up_the_rest_and_no_time_starts_nothing(tmp_path: Path) -> None:
    went = run_all(TOYS, OPTIONS, {}, tmp_path, 100.0, lambda words, left: 1 if words[1] == "first" else 0)
    assert list(went.values()) == ["refused (1)", "done"]

    def never(words: list[str], left: float) -> int:
        raise AssertionError("nothing is started without time")

    assert set(run_all(TOYS, OPTIONS, {}, tmp_path, 0.0, never).values()) == {"no time"}


def test_a_program_is_ended_when_its_time_is_spent() -> None:
    assert launched([sys.executable, "-c", "raise SystemExit(3)"], 60.0) == 3
    began = time.monotonic()
    assert launched([sys.executable, "-c", "import time; time.sleep(300)"], 0.5) is None
    assert time.monotonic() - began < 60


def test_the_plan_has_only_what_the_command_line_has_and_every_other_command_behind_it() -> None:
    commands = get_command(cli.reproduce).commands  # type: ignore[attr-defined]
    assert {each.command for each in PLAN} <= set(commands)
    for each in PLAN:
        flags = {word for word in each.arguments if word.startswith("--")}
        assert flags <= {word for option in commands[each.command].params for word in option.opts}
    results = [name for each in PLAN for name in each.results]
    assert len(set(results)) == len(results)
    plan = whole_plan(dict.fromkeys((*commands, "new"), ()))
    assert plan[-1] == Measurement("new", ("new",))
    assert {each.command for each in plan} == {*commands, "new"} - {"all", "report"}


def test_the_command_gives_every_measurement_what_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def launch(words: list[str], left: float) -> int:
        asked.append(words[words.index("reproduce") :])
        Result("toy", "", 0, {}, {}, {}).write(tmp_path)
        return 1 if "features" in words else 0

    monkeypatch.setattr(reproduce_all, "launched", launch)
    arguments = ["reproduce", "all", "--targets", "3", "--threads", "1", "--out", str(tmp_path)]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 1
    assert "Not done: reproduce features --targets 3 --threads 1" in result.output
    assert ["reproduce", "playground", "--seed", "100", "--targets", "3", "--threads", "1", "--out", str(tmp_path)] in asked
    (long,) = (each for each in asked if "2000" in each)
    assert long.count("--targets") == 1
    assert (tmp_path / "README.md").exists()


def test_a_result_names_the_commit_of_the_code_and_an_installed_copy_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = commit_of_code()
    if commit is not None:  # a checkout
        assert len(commit.removesuffix("-dirty")) == 40
        assert commit in Result("toy", "", 0, {}, {}, {}).write(tmp_path).read_text()
    copy = tmp_path / "installed" / "results.py"
    copy.parent.mkdir()
    copy.touch()
    assert commit_of_code(copy) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit_of_code() is None
    path = Result("toy", "", 0, {}, {}, {}).write(tmp_path)
    assert "commit" not in path.read_text()
