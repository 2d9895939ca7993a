"""The app's settings file gives its options their defaults; what is typed goes before it, and a mistake is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from app import start


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the app would be started with, whatever else listens on this machine."""
    monkeypatch.setattr("app.serving.check_address", lambda host, port: None)
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(start, "_serve", lambda *arguments: calls.append(arguments))
    return calls


def started(*words: object) -> str:
    app = typer.Typer()
    app.command()(start.main)
    result = CliRunner().invoke(app, [*map(str, words)])
    return result.output if result.exit_code == 0 else f"refused: {' '.join(result.output.split())}"


def test_a_file_gives_defaults_and_what_is_typed_goes_before(tmp_path: Path, served: list[tuple[Any, ...]]) -> None:
    file = tmp_path / "app.toml"
    said = {
        "host": '"127.0.0.1"',
        "port": "7999",
        "name": '["lab.example"]',
        "task": '["mine.py", "mine:other"]',
        "device": '"auto"',
    }
    file.write_text("\n".join(f"{name} = {value}" for name, value in (said | {"work": '"kept"'}).items()))
    started("--settings", file)
    started("--port", 7998, "--settings", file, "--task", "third.py")
    names = ["127.0.0.1", "lab.example"]
    assert served == [
        ("127.0.0.1", 7999, names, ["mine.py", "mine:other"], "auto", Path("kept")),
        ("127.0.0.1", 7998, names, ["third.py"], "auto", Path("kept")),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("port = ", "cannot be read"),
        ('port = "7860"', "port"),
        ("port = 70000", "port"),
        ("prot = 1", "It may have: host, port, name, task, device, work, train"),
        ('task = "mine.py"', "task"),
    ],
)
def test_a_mistake_in_it_is_told(tmp_path: Path, served: list[tuple[Any, ...]], text: str, sentence: str) -> None:
    (tmp_path / "app.toml").write_text(text)
    said = started("--settings", tmp_path / "app.toml")
    assert said.startswith("refused")
    assert sentence in said.replace("│ ", "")
    assert not served


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, served: list[tuple[Any, ...]]) -> None:
    assert started("--settings", tmp_path / "none.toml").startswith("refused")
    assert not served
