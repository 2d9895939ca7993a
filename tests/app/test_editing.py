"""The panel that edits what a run found: both lanes by the same move, blended, undone by a blank edit, exported."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from app.editing import run as events
from app.editing.session import EditSession, result_of
from app.invert.run import start
from app.runs.models import Models
from app.runs.session import Session
from app.runs.settings import defaults
from app.target import targets
from landscape_core.errors import UserError
from landscape_core.images.pixels import png_bytes, to_bytes
from landscape_core.search.editing import principal
from tests.app.racing import race_of
from tests.tiny.models import tiny_task

Message = dict[str, Any]


@pytest.fixture
def race(models: Models) -> Session:
    session = Session(target=targets.drawn(models.get("faces"), 3))
    race_of(models, session)
    return session


def asked(a: dict[str, Any] | None = None, b: dict[str, Any] | None = None, share: float = 0.0) -> Message:
    return {"ends": {"A": a or {}, "B": b or {}}, "share": share, "number": 7}


def test_a_blank_edit_shows_what_the_run_found(race: Session) -> None:
    session = EditSession()
    message = events.take(session, "A", result_of(race.run, 0, None))
    assert message["lanes"] == ["X", "Z"]
    assert (message["principal"], message["side"], message["ends"]) == (16, 64, {"A": "run 1, step 6"})
    pictures = events.pictures_of(session, events.read_asked(asked()))
    for lane, now in zip(("X", "Z"), race.run.trajectory.last.lanes, strict=True):
        found = to_bytes(tiny_task().forward(tiny_task().space("X" if lane == "X" else "residual").to_x(now.variable)))[0]
        assert (pictures[lane].int() - found.int()).abs().max() <= 1  # another batch rounds otherwise
    drawn = events.draw(session, asked())
    assert drawn["number"] == 7
    with Image.open(io.BytesIO(base64.b64decode(drawn["pictures"]["Z"]))) as image:
        assert (image.format, image.size) == ("WEBP", (64, 64))


def test_both_lanes_are_moved_alike_and_two_results_blended(race: Session) -> None:
    session = EditSession()
    events.take(session, "A", result_of(race.run, 0, None))
    plain = events.inputs_at(session, events.read_asked(asked()))
    moved = events.inputs_at(session, events.read_asked(asked({"amounts": [0, 2.0]})))
    step = 2.0 * principal(tiny_task().prior)[1]
    for lane in ("X", "Z"):
        assert torch.allclose(moved[lane] - plain[lane], step[None], atol=1e-5)
    events.take(session, "B", result_of(race.run, 0, 0))
    ends = [
        events.inputs_at(session, events.read_asked(asked({"amounts": [0, 2.0]}, share=share))) for share in (0.0, 0.5, 1.0)
    ]
    for lane in ("X", "Z"):
        assert torch.allclose(ends[0][lane], moved[lane])
        assert torch.allclose(ends[1][lane], (ends[0][lane] + ends[2][lane]) / 2, atol=1e-6)
    assert "B" not in events.drop(session)["ends"]


def test_results_without_a_lane_in_common_are_not_blended(race: Session, models: Models) -> None:
    session, table = EditSession(), Session(target=race.target)
    list(start(models, table, defaults(models, "faces", steps=2)))  # its lanes are called by their optimisers
    events.take(session, "A", result_of(race.run, 0, None))
    with pytest.raises(UserError, match="none in common: run 1, step 6 has X, Z; run 1, step 2 has X · Adam, Z · Adam"):
        events.take(session, "B", result_of(table.run, 0, None))
    assert [*session.ends] == ["A"]
    assert events.draw(session, asked())["pictures"].keys() == {"X", "Z"}


def test_a_direction_of_ones_own_is_made_of_two_sets_of_files(race: Session, tmp_path: Path) -> None:
    session = EditSession()
    events.take(session, "A", result_of(race.run, 0, None))
    files = []
    for seed in range(4):
        path = tmp_path / f"{seed}.png"
        path.write_bytes(
            png_bytes(to_bytes(tiny_task().forward(tiny_task().prior.sample(1, torch.Generator().manual_seed(seed))))[0])
        )
        files.append(str(path))
    with pytest.raises(UserError, match="two sets"):
        events.make_direction(session, "smile")
    assert events.fill_set(session, "with", files[:3]) == "3 pictures"
    assert events.fill_set(session, "without", files[3:]) == "1 picture"
    expected = session.sets["with"].mean(dim=0) - session.sets["without"][0]
    assert events.make_direction(session, " smile ")["own"] == ["smile"]
    assert torch.equal(session.own["smile"], expected)
    whole = events.inputs_at(session, events.read_asked(asked({"amounts": [0] * 16 + [1.0]})))
    plain = events.inputs_at(session, events.read_asked(asked()))
    assert torch.allclose(whole["Z"] - plain["Z"], expected[None], atol=1e-5)
    with pytest.raises(UserError, match="name"):
        events.make_direction(session, "smile")


@pytest.mark.parametrize("what", events.FORMATS)
def test_edits_are_exported(race: Session, what: str) -> None:
    session = EditSession()
    events.take(session, "A", result_of(race.run, 0, None))
    spec = asked({"amounts": [2.0]})
    path = events.export(session, {"what": what, **spec})
    assert path.name == f"edit.{what}"
    if what == "safetensors":
        assert torch.equal(load_file(path)["Z"], events.inputs_at(session, events.read_asked(spec))["Z"])
    elif what == "zip":
        with zipfile.ZipFile(path) as archive:
            assert len(archive.namelist()) == events.FRAMES
    elif what != "mp4":
        with Image.open(path) as image:
            assert image.size == (128, 64)
            assert getattr(image, "n_frames", 1) in (1, events.FRAMES)
    else:
        assert path.stat().st_size > 500


def test_frames_lead_from_what_was_found_to_the_edit_or_from_a_to_b(race: Session) -> None:
    session = EditSession()
    events.take(session, "A", result_of(race.run, 0, None))
    spec = events.read_asked(asked({"amounts": [2.0], "truncation": 0.5}))
    frames = events.frames_of(session, spec)
    ends = [torch.cat(list(events.pictures_of(session, each).values()), dim=2) for each in (events.read_asked(asked()), spec)]
    assert torch.equal(frames[0], ends[0])
    assert torch.equal(frames[-1], ends[1])


@pytest.mark.parametrize(
    "data",
    [{"ends": {"A": {"amounts": ["x"]}}}, {"ends": {"A": {"amounts": [9]}}}, {"ends": {"A": {"truncation": None}}},
     {"ends": 3}, {"share": "x"}, {"share": 2}, {"ends": {"A": {"amounts": [0.0] * 40}}}],
)  # fmt: skip
def test_what_is_no_edit_is_refused_in_a_sentence(race: Session, data: Message) -> None:
    session = EditSession()
    events.take(session, "A", result_of(race.run, 0, None))
    events.take(session, "B", result_of(race.run, 0, 0))
    with pytest.raises(UserError):
        events.draw(session, data)


def test_what_is_not_there_yet_is_said(race: Session, models: Models) -> None:
    with pytest.raises(UserError, match="press Run first"):
        result_of(None, 0, None)
    with pytest.raises(UserError, match="no step 99"):
        result_of(race.run, 0, 99)
    with race.run.lock, pytest.raises(UserError, match="still going"):
        result_of(race.run, 0, None)
    session = EditSession()
    with pytest.raises(UserError, match="Edit this result"):
        events.draw(session, asked())
    events.take(session, "B", result_of(race.run, 0, None))
    assert set(session.ends) == {"A"}  # the first result is A
    other = Session(target=targets.drawn(models.get("cats"), 3))
    race_of(models, other, task="cats")
    assert events.take(session, "B", result_of(other.run, 0, None))["model"] == "cats"
    assert set(session.ends) == {"A"}, "another model's results cannot be blended with it"
