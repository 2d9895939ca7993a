"""`train mapping` with a budget, a name and a diary: each buffer is looked at, a kill loses one, and Θ has its name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from landscape_core import cli
from landscape_core.plugins.task import load_plugin_task
from landscape_core.storage import zoo
from landscape_core.storage.bundle import add_bundle
from landscape_core.training.diary import Diary, Reader
from landscape_core.training.lock import free
from tests.tiny.plugins import plugin

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = ("train", "mapping", "--task", "mine.py", "--name", "mine", "--work", "work", "--diary", "diary", "--threads", "1")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    plugin(tmp_path)
    return tmp_path


def invoke(*options: object) -> Result:
    return CliRunner().invoke(cli.app, [*OPTIONS, *map(str, options)])


def started(*options: object, through: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    command = [*through, sys.executable, "-m", "landscape_core", *OPTIONS, *map(str, options)]
    return subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def until_buffer(process: subprocess.Popen[bytes], reader: Reader, buffer: int) -> None:
    """Wait until a look at that buffer was written down."""
    while process.poll() is None:
        if any(entry["kind"] == "look" and entry["buffer"] >= buffer for entry in reader.new()):
            return
        time.sleep(0.02)
    pytest.fail("it ended before")


def test_every_buffer_is_looked_at_and_theta_has_its_name(here: Path) -> None:
    result = invoke("--buffers", 3, "--minutes", 5, "--bundle", "mine.zip")
    assert result.exit_code == 0, result.output
    entries = list(Reader(Path("diary")).new())
    looks = [entry for entry in entries if entry["kind"] == "look"]
    assert [look["buffer"] for look in looks] == [0, 1, 2, 3]
    assert all(Path("diary", look["sheet"]).exists() and look["n"] == 8 for look in looks)
    assert next(entry for entry in entries if entry["kind"] == "plan")["buffers"] == 3
    assert {"plan", "measuring", "at", "look"} == {entry["kind"] for entry in entries}
    assert next(iter(load_plugin_task("mine.py").mappings)) == "mine"
    assert zoo.read_card("decay/theta-mine", zoo.OWN).command.count("--diary") == 0
    assert add_bundle(Path("mine.zip"), here / "elsewhere").name == "decay/theta-mine"


def test_loading_counts_and_so_does_an_earlier_process(here: Path) -> None:
    Path("mine.py").write_text(f"import time\n\ntime.sleep(1.5)\n{Path('mine.py').read_text()}")
    Diary(Path("diary")).write("at", buffer=0, of=1, share=0.5, seconds=100.0)  # and then it was killed
    assert invoke("--buffers", 1).exit_code == 0
    looks = [entry for entry in Reader(Path("diary")).new() if entry["kind"] == "look"]
    assert [look["seconds"] >= 101.5 for look in looks] == [True, True]


def test_a_spent_budget_ends_it_after_a_buffer(here: Path) -> None:
    result = invoke("--buffers", 100_000, "--minutes", 0.1)
    assert result.exit_code == 0, result.output
    assert 1 <= zoo.read_card("decay/theta-mine", zoo.OWN).budget["buffers"] < 100_000


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.timeout(600)
def test_killed_it_goes_on_from_its_last_buffer(here: Path) -> None:
    reader, process = Reader(Path("diary")), started("--buffers", 400)
    until_buffer(process, reader, 2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process = started("--buffers", 400)
    until_buffer(process, reader, 4)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 130
    looked = [entry["buffer"] for entry in Reader(Path("diary")).new() if entry["kind"] == "look"]
    assert looked == sorted(set(looked)) == list(range(len(looked)))
    assert zoo.names(zoo.OWN) == []


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.timeout(600)
def test_when_whoever_began_it_is_killed_it_ends_and_publishes_nothing(here: Path) -> None:
    between = [sys.executable, "-S", "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])"]
    process = started("--buffers", 400, through=between)
    until_buffer(process, Reader(Path("diary")), 1)
    assert not free(Path("work"))
    process.kill()
    process.wait()
    while not free(Path("work")):
        time.sleep(0.1)
    assert zoo.names(zoo.OWN) == []


@pytest.mark.parametrize("name", ["X", "random", "a-b", "../up", "", "x" * 41])
def test_a_name_that_is_none_is_refused(here: Path, name: str) -> None:
    result = CliRunner().invoke(cli.app, [*OPTIONS, "--name", name])
    assert "cannot name a Θ" in str(result.exception)
