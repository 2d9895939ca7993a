"""The wheel in a virtual environment of its own, used from another folder: models, commands, app, nothing called `app`."""

from __future__ import annotations

import os
import re
import shutil
import site
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.views.view import ROUTE
from tests.tiny.plugins import curve, plugin

ROOT = Path(__file__).resolve().parents[1]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is left in the repository."""
    folder = tmp_path_factory.mktemp("wheel")
    own = {".git", ".venv", "runs", "data", "build", "tests"}  # of this folder alone: the app has runs too
    shutil.copytree(ROOT, folder / "source", ignore=lambda where, _: own if Path(where) == ROOT else {"__pycache__"})
    command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run(command, cwd=folder / "source", check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts' folder of an environment that has the wheel, and finds what it depends on in this one."""
    home = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    scripts = home / "bin"
    (packages,) = home.glob("lib/*/site-packages")
    subprocess.run([str(scripts / "pip"), "install", "--no-deps", "--quiet", str(wheel)], check=True)
    (packages / "others.pth").write_text(site.getsitepackages()[0])
    return scripts


def invoke(installed: Path, folder: Path, *words: object) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(installed / "landscape-lab"), *map(str, words)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_has_one_top_level_package_with_models_app_and_types(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"landscape_core"}
    needed = {
        "py.typed", "app/ui.py", "app/runs/legs.py", "app/views/page.js", "app/results/results.jinja", "plugins/task.py",
        "assets/faces/generator/card.json", "assets/examples/cat.png", "assets/pose/skeleton.json", "results/convergence.json",
    }  # fmt: skip
    assert {f"landscape_core/{name}" for name in needed} <= {*names}
    assert wheel.stat().st_size < 90e6


def test_the_commands_find_models_and_plugins_from_another_folder(installed: Path, tmp_path: Path) -> None:
    assert re.search(r"faces/generator +\S+ MB", invoke(installed, tmp_path, "models", "--verify"))
    mine, observed = plugin(tmp_path), curve(tmp_path)
    assert "Wrote" in invoke(installed, tmp_path, "invert", observed, "--task", mine, "--space", "random", "--steps", 3)
    assert (tmp_path / "runs/invert/curve.zip").exists()


@pytest.fixture
def address(installed: Path, tmp_path: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(installed / "landscape-lab"), "serve", "--port", str(port)]
    with (tmp_path / "log").open("w") as log, subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log) as server:
        yield f"http://127.0.0.1:{port}"
        server.terminate()


def test_the_app_is_served(address: str) -> None:
    until = time.monotonic() + 240
    while True:
        try:
            with urllib.request.urlopen(address, timeout=10) as page:
                text = page.read().decode()
            break
        except OSError:
            assert time.monotonic() < until, "no answer"
            time.sleep(1)
    assert "Loss-landscape laboratory" in text
    with urllib.request.urlopen(f"{address}/{ROUTE}/views/page.js", timeout=30) as answer:
        assert answer.status == 200
