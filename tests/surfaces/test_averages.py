"""Averages over examples: the same figures live as in a committed result, and only for exactly the same models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from landscape_core.experiments.landscapes import run_landscapes
from landscape_core.search.task import Task
from landscape_core.surfaces.averages import LandscapeSettings, averages, committed, examined, series
from tests.tiny.models import tiny_task

SETTINGS = LandscapeSettings(steps=3, size=5, space="paper")


@pytest.fixture(scope="module")
def task() -> Task:
    return tiny_task()


def test_examples_examined_one_by_one_are_those_of_the_experiment(task: Task) -> None:
    targets = task.sampled(4, torch.Generator().manual_seed(1))
    result, _, planes = run_landscapes(task, targets, SETTINGS, "test", lambda *_: None)
    found = list(examined(task, targets, planes, SETTINGS))
    columns = series({lane: [each[lane] for each in found] for lane in ("X", "Z")})
    for name in ("roughness | X", "last loss | Z", "steepness | Z"):
        assert columns[name] == pytest.approx(result.series[name], rel=2e-3)


def test_stop_leaves_out_the_example_it_cut_short(task: Task) -> None:
    targets = task.sampled(4, torch.Generator().manual_seed(1))
    _, _, planes = run_landscapes(task, targets, SETTINGS, "test", lambda *_: None)
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 12

    assert len(list(examined(task, targets, planes, SETTINGS, stop=stop))) < 4


def test_averages_of_a_result_belong_to_its_models_and_space(task: Task, tmp_path: Path) -> None:
    targets = task.sampled(4, torch.Generator().manual_seed(1))
    result, _, _ = run_landscapes(task, targets, SETTINGS, "python -m landscape_core reproduce landscapes", lambda *_: None)
    result.write(tmp_path)
    (found,) = committed(tmp_path, task, "paper")
    assert (found.source, found.n, found.steps) == (result.command, 4, SETTINGS.steps)
    assert found.optimizers == {"X": "Adam 0.1", "Z": "Adam 0.1"}
    expected = sum(result.series["steepness | X"]) / 4
    assert found.spreads["steepness"]["X"].mean == pytest.approx(expected, rel=1e-4)
    assert found == replace(averages(result.command, result.series, found.optimizers, steps=found.steps), spreads=found.spreads)
    assert committed(tmp_path, task, "residual") == []
    other = replace(task, hashes=dict.fromkeys(task.hashes, "1" * 64))
    assert committed(tmp_path, other, "paper") == []
    other_theta = replace(task, hashes={**task.hashes, "faces/theta-residual": "1" * 64})
    assert len(committed(tmp_path, other_theta, "paper")) == 1
    assert committed(tmp_path, replace(task, hashes={**task.hashes, "faces/theta-paper": "1" * 64}), "paper") == []
    (tmp_path / "landscapes-bad.json").write_text('{"settings": 3}')
    assert len(committed(tmp_path, task, "paper")) == 1
