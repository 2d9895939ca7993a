"""The Pose tab on an adopted VPoser, whose body has other joints: targets of that body, runs, addresses, cards and clips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.pose import run as pose_run
from app.pose import targets as pose_targets
from app.pose.form import first_joint, joint_choices
from app.pose.session import PoseSession
from app.pose.settings import PoseSettings, defaults
from app.runs.address import TARGET
from app.runs.models import Models, pose_models
from app.runs.session import Message, Session
from app.train.models import Trainable
from landscape_core.errors import UserError
from landscape_core.pose.adopting import adopt_vposer
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.priors import body_of
from landscape_core.pose.task import load_body
from tests.pose.test_adopting import folder
from tests.tiny.pose import random_rotvec

NODES = 22


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Models:
    monkeypatch.chdir(tmp_path)
    adopt_vposer(folder(tmp_path, 2), "smpl", licence="", command="")
    return pose_models()


def run(models: Models, session: PoseSession, visible: list[str], k: int = 1, model: str = "smpl") -> list[Message]:
    settings = defaults(models, model).settings.model_copy(update={"steps": 3, "start": "mean" if k == 1 else "random"})
    return list(pose_run.start(models, session, PoseSettings(settings, k), visible))


def joints() -> list[str]:
    return list(body_of("smpl").skeleton.names)


def test_its_poses_are_searched_and_sent_by_its_own_joints(models: Models) -> None:
    session: PoseSession = Session(target=pose_targets.drawn(models.get("smpl"), 2))
    begin, *frames, end = run(models, session, [name for name in joints() if name != "L_Wrist"], k=2)
    assert (begin["names"][:2], len(begin["names"]), len(begin["joints"])) == (["Pelvis", "L_Hip"], NODES, 3 * NODES)
    bodies = [each for frame in frames for lane in frame["lanes"].values() for each in lane["joints"]]
    assert {len(each) for each in bodies} == {2 * NODES * 3}
    assert "hidden joints" in [name for name, _ in end["judges"]["heads"]]
    again: PoseSession = Session()
    pose_run.load_card(models, again, end["card"].encode())
    assert again.target is not None
    assert (again.target.drawing, again.target.rotvec.shape) == ("smpl", (NODES - 1, 3))
    with pytest.raises(UserError, match="none of the body that pose knows"):
        run(models, session, list(load_body().skeleton.names), model="pose")


def test_a_clip_of_our_skeleton_is_carried_over_and_what_cannot_be_is_said(models: Models, tmp_path: Path) -> None:
    smpl, path = models.get("smpl"), tmp_path / "walk.bvh"
    path.write_text(bvh_text(load_body().skeleton, 0.3 * random_rotvec(2, 20)))
    ours = pose_targets.uploaded(path, 1)
    theirs = pose_targets.of_another_body(smpl, ours, str(path), 1, None)
    assert (theirs.rotvec.shape, theirs.label, theirs.notices) == ((NODES - 1, 3), "walk, frame 1", ())
    path.write_text(path.read_text().replace("LowerLeg_L", "Strut"))
    put = pose_targets.of_another_body(smpl, ours, str(path), 1, None)
    assert put.number == 0
    assert "nothing in it stands for LowerLeg_L" in put.notices[0]
    assert "A pose that smpl draws is taken in its place." in put.notices[0]
    edited = pose_targets.edited(pose_targets.drawn(models.get("pose"), 3), "Head", [1, 2, 3])
    assert pose_targets.of_another_body(smpl, edited, None, 0, None).notices == (
        "The edited pose is of another body; one that smpl draws is in its place.",
    )
    assert pose_targets.of_another_body(smpl, pose_targets.drawn(models.get("pose"), 3), None, 0, None).query == {
        TARGET: "drawn-3"
    }


def test_an_address_has_its_body_and_its_joints(models: Models) -> None:
    session: PoseSession = Session()
    query = {"model": "smpl", TARGET: "drawn-2", "edit": "L_Elbow:10:0:0", "hidden": "L_Knee,LowerLeg_L"}
    asked, visible, notes = pose_run.open_page(models, session, query)
    assert (asked.settings.task, notes) == ("smpl", [])
    assert session.target is not None
    assert session.target.drawing == "smpl"
    assert visible == [name for name in joints() if name != "L_Knee"]
    assert first_joint(joints()) == "R_Shoulder"
    assert ("Elbow, left", "L_Elbow") in joint_choices(joints())


def test_a_theta_can_be_trained_for_it(models: Models) -> None:
    known: Any = Trainable(Models({}), models)
    assert (known.tab("smpl"), known.theta("smpl", "mine"), known.spec("smpl")) == ("pose", "smpl/theta-mine", "smpl")
    assert known.theta("pose", "mine") == "pose/theta-rotations-mine"
