"""The library as its users import it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import landscape_core


@pytest.mark.parametrize("name", landscape_core.__all__)
def test_every_name_of_the_table_of_contents_is_there(name: str) -> None:
    assert getattr(landscape_core, name).__name__ == name


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        landscape_core.nothing  # noqa: B018


def test_importing_the_library_loads_no_torch() -> None:
    code = "import sys, landscape_core; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_readmes_example_in_a_few_lines() -> None:
    from tests.tiny.models import tiny_task

    task = tiny_task()
    settings = landscape_core.RunSettings.table(task, "residual", ["adam", "lbfgs"], steps=3)
    trajectory = landscape_core.run(
        *landscape_core.prepare(task, settings, landscape_core.Target(task.forward(task.prior.mean[None]).detach()))
    )
    assert [lane.name for lane in trajectory.lanes] == ["X · Adam", "Z · Adam", "X · L-BFGS", "Z · L-BFGS"]
