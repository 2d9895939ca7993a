"""`pose` and `replay-pose`: from a BVH file to a zip that replays."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from landscape_core.cli import app
from landscape_core.errors import UserError
from landscape_core.pose.bvh_writing import bvh_text
from landscape_core.pose.task import load_body
from landscape_core.records.card_file import MAX_CARD
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


def test_what_was_assumed_of_a_file_is_said(walk: Path, tmp_path: Path) -> None:
    short = ("--steps", "1", "--threads", "1", "--out", str(tmp_path / "out"))
    walk.write_text(walk.read_text().replace("Frames: 2", "Frames: 3"))
    assert "walk.bvh: The file announces 3 frames and holds 2" in invoke("pose", str(walk), *short)
    np.savez(tmp_path / "amass.npz", poses=np.zeros((2, 156)))
    assert "amass.npz: The file has no bone lengths" in invoke("pose", str(tmp_path / "amass.npz"), "--frame", "1", *short)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["amass-1.zip", "walk-0.zip"]


def test_a_map_names_the_joints_that_are_not_known(walk: Path, tmp_path: Path) -> None:
    walk.write_text(walk.read_text().replace("JOINT Hand_L", "JOINT Pfote"))
    with pytest.raises(UserError, match=r"stands for Hand_L\. Not recognised of it: Pfote"):
        invoke("pose", str(walk))
    (tmp_path / "map.json").write_text('{"Hand_L": "Pfote"}')
    out = str(tmp_path / "out")
    assert "Wrote" in invoke("pose", str(walk), "--map", str(tmp_path / "map.json"), "--steps", "1", "--out", out)


def test_hostile_cards_are_sentences(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("run.json", bytes(MAX_CARD + 1))
    data = bytearray((tmp_path / "bomb.zip").read_bytes())
    for flags in (6, data.index(b"PK\x01\x02") + 8):
        data[flags] |= 1
    (tmp_path / "secret.zip").write_bytes(data)
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    (tmp_path / "long.json").write_bytes(b" " * (MAX_CARD + 1))
    for name, sentence in (("bomb.zip", f"unpacks to {MAX_CARD + 1:,}"), ("secret.zip", "unpacks to|encrypted"),
                           ("bytes.json", "not a run card"), ("long.json", f"at most {MAX_CARD:,} bytes")):  # fmt: skip
        with pytest.raises(UserError, match=sentence):
            invoke("replay-pose", str(tmp_path / name))
