"""A published VPoser's folder becomes a pose task that decodes what its file decodes; what does not fit is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.domains import load_task
from landscape_core.errors import UserError
from landscape_core.pose.adopting import adopt_vposer, adopted_body
from landscape_core.pose.amass import load_amass
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.motion import load_motion, pose_of
from landscape_core.pose.network import load_published_vposer
from landscape_core.pose.task import Body, load_body
from landscape_core.storage import zoo
from tests.pose.test_prior import published
from tests.tiny.pose import random_rotvec

JOINTS = 21


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def folder(tmp_path: Path, version: int, joints: int = JOINTS) -> Path:
    """A published folder with an earlier and a last snapshot."""
    snapshots = tmp_path / f"V0{version}" / "snapshots"
    snapshots.mkdir(parents=True)
    names = ("TR00_E001.pt", "TR00_E096.pt") if version == 1 else ("V02_05_epoch=08.ckpt", "V02_05_epoch=13.ckpt")
    (snapshots / names[0]).write_bytes(b"earlier")
    state = published(version, joints=joints)
    torch.save(state if version == 1 else {"state_dict": state}, snapshots / names[1])
    return snapshots.parent


def recording(tmp_path: Path) -> Path:
    poses = 0.3 * np.random.default_rng(0).standard_normal((3, 156))
    np.savez(tmp_path / "walk.npz", poses=poses)
    return tmp_path / "walk.npz"


def invoke(*words: object) -> str:
    result = CliRunner().invoke(cli.app, [*map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("version", [1, 2])
def test_a_folder_is_a_task_of_pose_and_surface(version: int, tmp_path: Path) -> None:
    source = folder(tmp_path, version)
    said = invoke("adopt", source, "--name", "smpl", "--licence", "research")
    assert f"published VPoser v{version}" in said
    assert "negative slopes" in zoo.read_card("smpl/vposer", zoo.OWN).notes
    task = load_task("smpl")
    x = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(task.forward(x), load_published_vposer(sorted(source.rglob("*.*"))[-1]).decoder(x))
    invoke("pose", recording(tmp_path), "--prior", "smpl", "--steps", 3, "--seen", "lower", "--out", "out")
    assert "repeats the card's run exactly" in invoke("replay", "out/walk-0.zip")
    assert "3 frames" in invoke("follow", "walk.npz", "--task", "smpl", "--steps", 2, "--out", "followed")
    invoke("surface", "walk.npz", "--task", "smpl", "--kind", "path", "--steps", 3, "--size", 5, "--out", "drawn")
    assert json.loads(Path("drawn/walk-path.json").read_text())["race"]["task"] == "smpl"


def test_a_recording_is_read_joint_by_joint(tmp_path: Path) -> None:
    motion, body = load_amass(recording(tmp_path)), adopted_body()
    torch.testing.assert_close(pose_of(motion, body.skeleton, 2), torch.from_numpy(motion.frames[2][1:]).float())
    assert len(body.skeleton) == JOINTS


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a prior of 3 joints; SMPL's body has 21"):
        adopt_vposer(folder(tmp_path, 2, joints=3), "smpl", licence="", command="")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="There is no snapshot"):
        adopt_vposer(tmp_path / "empty", "smpl", licence="", command="")
    with pytest.raises(UserError, match="There is a pose task 'pose' already"):
        adopt_vposer(tmp_path / "empty", "pose", licence="", command="")
    assert zoo.names(zoo.OWN) == []


def bend(body: Body, rotvec: torch.Tensor, joints: tuple[str, str, str]) -> float:
    """The cosine at the middle one of three joints of a pose (J, 3)."""
    places = body.positions(body.target(rotvec[None]).value)[0]
    a, b, c = (places[body.skeleton.node_names.index(name)] for name in joints)
    return float(torch.nn.functional.cosine_similarity(a - b, c - b, dim=0))


def test_our_skeleton_is_carried_over_with_the_bend_of_every_limb(tmp_path: Path) -> None:
    ours, theirs = load_body(), adopted_body()
    (tmp_path / "walk.bvh").write_text(bvh_text(ours.skeleton, 0.4 * random_rotvec(1, 20)))
    motion = load_motion(tmp_path / "walk.bvh")
    before, after = pose_of(motion, ours.skeleton), pose_of(motion, theirs.skeleton)
    for side in "LR":
        for limb, same in [(("UpperArm", "LowerArm", "Hand"), ("Shoulder", "Elbow", "Wrist")),
                           (("UpperLeg", "LowerLeg", "Foot"), ("Hip", "Knee", "Ankle"))]:  # fmt: skip
            a, b, c = (f"{part}_{side}" for part in limb)
            d, e, f = (f"{side}_{part}" for part in same)
            assert bend(theirs, after, (d, e, f)) == pytest.approx(bend(ours, before, (a, b, c)), abs=1e-3)


def test_a_theta_is_learned_for_it_on_what_it_draws(tmp_path: Path) -> None:
    adopt_vposer(folder(tmp_path, 2), "smpl", licence="", command="")
    invoke("train", "mapping", "--task", "smpl", "--preset", "long", "--buffers", 1, "--minutes", 0.2, "--name", "mine",
           "--bundle", "mine.zip")  # fmt: skip
    assert next(iter(load_task("smpl").mappings)) == "mine"
    assert zoo.read_card("smpl/theta-mine", zoo.OWN).architecture["x_dim"] == 4
    invoke("pose", recording(tmp_path), "--prior", "smpl", "--space", "mine", "--steps", 2)
