"""`pose` and `replay-pose`: from a BVH file to a zip that replays."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from landscape_core.cli import app
from landscape_core.errors import UserError
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.task import load_body
from tests.tiny.pose import random_rotvec


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    path = tmp_path / "walk.bvh"
    path.write_text(bvh_text(load_body().skeleton, 0.3 * random_rotvec(2, 20)))
    return path


def invoke(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    if isinstance(done.exception, UserError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def test_a_frame_is_inverted_and_its_zip_replays(walk: Path, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    invoke("pose", str(walk), "--frame", "1", "--seen", "upper", "-k", "2", "--observation", "positions",
           "--steps", "3", "--out", str(out), "--threads", "1")  # fmt: skip
    archive = out / "walk-1.zip"
    assert "bit for bit" in invoke("replay-pose", str(archive), "--threads", "1")
    card = json.loads(zipfile.ZipFile(archive).read("run.json"))
    assert (card["hypotheses"], len(card["visible"]), card["settings"]["start"]) == (2, 12, "random")
    card["result"]["losses"]["Z"][1] *= 2
    card["models"]["pose"] = "0" * 64
    (tmp_path / "run.json").write_text(json.dumps(card))
    said = invoke("replay-pose", str(tmp_path / "run.json"), "--threads", "1")
    assert "these models differ from the card's, so results will too: pose." in said
    assert "differs from the card's run" in said


def test_mistakes_are_sentences(walk: Path, tmp_path: Path) -> None:
    for arguments, word in (
        (["pose", str(walk), "--frame", "7"], "no frame 7"),
        (["pose", str(walk), "--seen", "Head,Tail"], "no joint Tail"),
        (["pose", str(walk), "--space", "flow"], "no space 'flow'"),
        (["pose", str(tmp_path / "absent.bvh")], "There is no file"),
        (["replay-pose", str(walk)], "not a run card"),
        (["replay-pose", str(tmp_path / "absent.json")], "There is no file"),
    ):
        with pytest.raises(UserError, match=word):
            invoke(*arguments)
