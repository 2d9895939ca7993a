"""The worked examples of docs/ are plug-ins without a fault, and what they are worth is counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.plugins.check import faults, remarks
from landscape_core.plugins.experiments.tolerance import steps_to
from landscape_core.plugins.loading import load_plugin
from tests.tiny.plugins import plugin

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "docs" / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_has_no_fault(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    task = load_plugin(str(path)).task
    assert faults(task) == []
    assert remarks(task) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_theta_is_learned_for_an_example(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    typed = ["train", "mapping", "--task", str(path), "--buffers", "1", "--threads", "1"]
    result = CliRunner().invoke(cli.app, typed, catch_exceptions=False)
    assert "/theta-residual below" in result.output


def test_there_are_three() -> None:
    assert [path.stem for path in EXAMPLES] == ["deconvolution", "predator_prey", "stylegan2"]


def test_steps_to_a_goal_are_the_first_that_reach_it() -> None:
    best = torch.tensor([[4.0, 4.0, 4.0], [2.0, 4.0, 0.5], [1.0, 3.0, 0.5]])
    assert steps_to(best, torch.tensor([2.0, 1.0, 4.0])).tolist() == [1, 3, 0]


def test_the_table_of_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    few = ["--targets", "3", "--tune-targets", "2", "--steps", "5", "--buffers", "1", "--out", "results"]
    result = CliRunner().invoke(
        cli.app, ["reproduce", "plugins", "--task", str(plugin(tmp_path)), *few], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    content = json.loads(Path("results/plugins.json").read_text())
    lanes = content["settings"]["tasks"]["decay"]["lanes"]
    assert set(lanes) == {"X Adam", "Z Adam", "X L-BFGS", "Z L-BFGS"}
    for name, lane in lanes.items():
        steps = content["series"][f"steps, {name} | decay"]
        assert len(steps) == 3
        assert lane["median steps"] == sorted(steps)[1]
        assert lane["found"] == pytest.approx(sum(step <= 5 for step in steps) / 3, rel=1e-4)
        assert lane["milliseconds a step"] > 0
    assert len(content["claims"]) == 2
    assert Path("results/plugins.png").exists()
