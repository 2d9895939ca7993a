"""Comparing Θ for poses: on recordings that none was learned from, at the same cost, by a score that is computed."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from landscape_core.cli import app
from landscape_core.experiments import comparing
from landscape_core.pose.experiments import compare as pose_compare
from landscape_core.pose.recordings import Poses
from landscape_core.pose.task import load_body
from landscape_core.pose.training import theta as pose_theta
from landscape_core.storage import zoo
from landscape_core.training.theta import evaluations_per_buffer
from tests.tiny.pose import random_rotvec

J = 20


def test_recordings_are_held_out_whole() -> None:
    poses = Poses(random_rotvec(64, J), torch.arange(64) // 4, tuple(f"r{i}" for i in range(16)))
    kept, held = pose_compare.held_out(poses)
    assert torch.equal(held, torch.cat([poses.rotvec[:4], poses.rotvec[32:36]]))
    assert len(kept) == 56


def test_stretched_poses_lie_further_from_the_mean_by_one_factor_each() -> None:
    poses, parts = random_rotvec(30, J), [list(range(J))]
    random = torch.Generator().manual_seed(0)
    far = pose_compare.widened(poses, 40, parts, random, most=1.8) - poses.mean(dim=0)
    near = poses - poses.mean(dim=0)
    ratio = far[:, None] / near  # (40, 30, J, 3): constant over joints for the pose it was made of
    spread = (ratio.flatten(2).amax(dim=2) - ratio.flatten(2).amin(dim=2)).min(dim=1)
    assert spread.values.max() < 1e-2
    factor = ratio[torch.arange(40), spread.indices].flatten(1).median(dim=1).values
    assert 1.0 <= float(factor.min()) < 1.2
    assert 1.6 < float(factor.max()) <= 1.8


def test_candidates_cost_the_same() -> None:
    long = pose_theta.PRESETS["long"]
    cost = long.training.buffers * evaluations_per_buffer(long.training)
    for name in ("long", "short"):
        each = pose_theta.PRESETS[name]
        spent = comparing.buffers_for(each, cost) * evaluations_per_buffer(each.training)
        assert spent == pytest.approx(cost, rel=0.1)
    assert comparing.buffers_for(pose_theta.PRESETS["full"], cost) == 1


def test_the_score_is_the_mean_log_ratio_to_x() -> None:
    table = comparing.scored({"X": {"a 2": 2.0, "a 20": 4.0}, "mine": {"a 2": 1.0, "a 20": 1.0}}, "X")
    assert table["X"]["score"] == 0.0
    assert table["mine"]["score"] == pytest.approx(-(math.log(2) + math.log(4)) / 2)


def test_the_command_compares_and_notes_the_table_on_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("long", "short"):
        preset = pose_theta.PRESETS[name]
        small = replace(preset.training, buffers=1, targets=8, steps=2, batch=8)
        monkeypatch.setitem(pose_theta.PRESETS, name, replace(preset, training=small, curvature_inputs=4))
    monkeypatch.setattr(pose_compare, "STEPS", (1, 2))
    body = load_body()
    np.savez(
        tmp_path / "m.npz", joint_names=np.array(body.skeleton.names), train_rotvec=0.3 * random_rotvec(32, J).numpy(),
        train_sequence=np.arange(32) // 2, train_names=np.array([f"r{i}" for i in range(16)]),
    )  # fmt: skip
    assets = tmp_path / "assets"
    shutil.copytree(zoo.ASSETS / "pose", assets / "pose")
    monkeypatch.setattr(comparing.note_on_card, "__defaults__", (assets,))
    typed = ["train", "pose-compare", "--data", str(tmp_path / "m.npz"), "--presets", "long,short", "--targets", "3",
             "--work", str(tmp_path / "work"), "--threads", "1", "--note"]  # fmt: skip
    done = CliRunner().invoke(app, typed)
    assert done.exit_code == 0, done.output
    noted = zoo.read_card("pose/theta-rotations-residual", assets)
    losses = noted.metrics["comparison"]["losses"]
    assert set(losses) == {"X L-BFGS", "long", "short"}
    assert set(losses["long"]) == {f"{s} {t}" for s in ("recorded", "spliced", "widened") for t in (1, 2)} | {"score"}
    assert noted.metrics["advised"] == zoo.read_card("pose/theta-rotations-residual").metrics["advised"]
    assert f"{losses['long']['score']:.3g}" in done.output
