"""What an export says of repeating its run is tried: both snippets, on embedded models, in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

from landscape_core.domains import load_task
from landscape_core.pose.priors import body_of
from landscape_core.pose.run_card import export_poses, hypotheses_target, make_pose_card
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.summary import result_of
from landscape_core.search.trajectory import run

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_both_snippets_repeat_the_run_bit_for_bit(tmp_path: Path) -> None:
    task, body = load_task("pose"), body_of("pose")
    rotvec = 0.1 * torch.randn(len(body.skeleton.names), 3, generator=torch.Generator().manual_seed(1))
    settings = RunSettings.table(task, next(iter(task.mappings)), ["lbfgs", "adam"], steps=5, start="random", seed=3)
    solver, starts = prepare(task, settings, hypotheses_target(body, rotvec, list(body.skeleton.names), 2))
    done = run(solver, starts)
    card = make_pose_card(task, settings, rotvec, list(body.skeleton.names), 2, **result_of(done))
    export_poses(tmp_path / "run.zip", card, task, solver.lanes, done, solver.target)
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        archive.extractall(tmp_path)
        assert archive.read("run.mp4")[4:8] == b"ftyp"
        assert archive.read("loss.svg").count(b"Z \xc2\xb7 Adam") == 1
    text = (tmp_path / "README.md").read_text()
    commands = [line for line in text.replace("EXPORT.zip", "run.zip").splitlines() if line.startswith("python -m")]
    assert len(commands) == 2
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    for line in ("python repeat.py", *commands):
        words = [sys.executable, *line.split()[1:]]
        said = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
        assert "repeats the card's run exactly" in said, line
