"""The library as its users import it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import landscape_core
from tests.tiny.models import tiny_task


@pytest.mark.parametrize("name", landscape_core.__all__)
def test_every_name_of_the_table_of_contents_is_there(name: str) -> None:
    assert getattr(landscape_core, name).__name__ == name


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        landscape_core.nothing  # noqa: B018


def test_importing_the_library_loads_no_torch() -> None:
    code = "import sys, landscape_core; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_citation_and_the_changes_are_of_this_version() -> None:
    root = Path(__file__).resolve().parents[1]
    cited = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == landscape_core.__version__
    assert {"cff-version", "message", "title", "authors"} <= cited.keys()
    assert f"## {cited['version']}\n" in (root / "CHANGELOG.md").read_text(encoding="utf-8")


def readme_blocks() -> list[str]:
    readme = Path(__file__).resolve().parents[1] / "README.md"
    return re.findall(r"```python\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)


def test_the_readmes_race_of_four_lanes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(landscape_core, "load_task", tiny_task, raising=False)
    names: dict[str, Any] = {}
    exec(readme_blocks()[0], names)
    lanes = ["X · Adam", "Z · Adam", "X · L-BFGS", "Z · L-BFGS"]
    assert [line.split(" tensor")[0] for line in capsys.readouterr().out.splitlines()] == lanes
    for lane in names["trajectory"].lanes:
        assert lane.loss_table().shape == (51, 4)
        assert (lane.best_so_far()[-1] < lane.best_so_far()[0]).all()


def test_the_readmes_forward_model_of_ones_own() -> None:
    names: dict[str, Any] = {}
    exec(readme_blocks()[1], names)
    assert len(names["fitted"].lanes) == 4
    for lane in names["fitted"].lanes:
        assert lane.best_so_far()[-1, 0] < 1e-6
