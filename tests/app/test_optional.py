"""A bad file that the app can do without is left out, which is said on the page and in the log; the app starts."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from app import ui
from app.defence import tab as defence
from app.invert import run as race
from app.optional import left_out
from app.pose import tab as pose
from app.results import tab as results
from app.runs.models import embedded_models
from app.runs.session import Session
from landscape_core.errors import UserError
from tests.app.racing import in_a_loop, two_models
from tests.tiny.assets import tiny_domain


def test_a_bad_theta_is_left_out_of_its_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny_domain(tmp_path, "faces")
    (tmp_path / "faces" / "theta-residual" / "card.json").write_text("{")
    session = Session()
    _, notes = race.open_page(embedded_models(tmp_path), session, {})
    assert session.target is not None
    (note,) = notes
    assert note.startswith("A learned space is left out: ")
    assert "theta-residual/card.json is not a valid model card" in note
    assert note in capsys.readouterr().out


def test_a_data_set_that_is_none_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cifar10.zip").write_bytes(b"no zip")
    monkeypatch.setattr(defence, "DATA", tmp_path)
    defences = defence.embedded_defences()
    assert defences.cifar is None
    assert "cifar10.zip is left out" in defences.no_cifar
    assert defences.no_cifar in capsys.readouterr().out


def test_a_tab_whose_files_are_bad_says_so_and_the_others_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> None:
        raise UserError("assets/pose/skeleton.json is not a skeleton.")

    (tmp_path / "convergence.json").write_text("{")
    monkeypatch.setattr(pose, "load_body", missing)
    monkeypatch.setattr(results, "build", partial(results.build, folder=tmp_path, assets=tmp_path))
    ids = {block.elem_id for block in in_a_loop(lambda: ui.build_app(two_models())).blocks.values()}
    built = capsys.readouterr().out
    assert {"race", "gallery", "surfaces", "defence", "pose-left-out", "results"} <= ids
    assert not ids & {"complete-left-out", "landscape-left-out", "defence-left-out", "results-left-out"}
    assert "The Pose tab is left out: assets/pose/skeleton.json is not a skeleton." in built
    assert "A result is left out" in built


def test_what_is_no_fault_of_a_files_is_in_the_log_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    sentences: list[str] = []
    with left_out("A thing", sentences.append):
        raise ZeroDivisionError("division by zero")
    assert sentences == ["A thing is left out: division by zero."]
    assert "Traceback" in capsys.readouterr().err
