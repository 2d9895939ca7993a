"""The app over raw HTTP: what a visitor without our page can ask of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.app.racing import FORM
from tests.app.visiting import ROOT, config, events, get, opened, post, queued, served, uploaded


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The app in a process of its own, so that its threads and sockets are gone when the tests are over."""
    with served() as (url, _):
        yield url


@pytest.mark.parametrize("meta", [{}, {"meta": {"_type": "gradio.FileData"}}], ids=["bare", "with meta"])
def test_an_upload_is_taken_and_a_path_of_the_server_is_not(address: str, tmp_path: Path, meta: dict[str, Any]) -> None:
    path = tmp_path / "picture.png"
    Image.new("RGB", (80, 80), "red").save(path)
    (upload,) = events(address, "upload", "upload")
    kept = uploaded(address, path)
    taken = queued(address, upload, [{"path": kept, "meta": {"_type": "gradio.FileData"}}, *FORM.values()])
    assert "data:image/jpeg" in taken
    refused = queued(address, upload, [{"path": str(path), **meta}, *FORM.values()])
    assert '"success":false' in refused
    assert "data:image/jpeg" not in refused


def test_a_number_out_of_its_range_keeps_no_file_from_its_tab(address: str, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    Image.new("RGB", (80, 80), "red").save(path)
    (upload,) = events(address, "upload", "upload")
    form = FORM | {"steps": -1, "space": "one that another event took from the list"}
    taken = queued(address, upload, [{"path": uploaded(address, path), "meta": {"_type": "gradio.FileData"}}, *form.values()])
    assert "data:image/jpeg" in taken


def test_a_server_that_was_given_no_trainings_offers_none(address: str) -> None:
    named = [each["props"].get("elem_id") for each in config(address)["components"]]
    assert "train-off" in named
    assert "train" not in named


@pytest.mark.parametrize("path", ["/etc/passwd", "{root}/app/ui.py", "{root}/assets/examples/cat.png", "../app.py"])
def test_no_file_of_the_server_can_be_read(address: str, path: str) -> None:
    status, _ = get(f"{address}gradio_api/file={path.format(root=ROOT)}")
    assert status in (403, 404)


@pytest.mark.parametrize(
    "path", ["../ui.py", "%2e%2e/ui.py", "..%2fui.py", "../../pyproject.toml", "ui.py", "invert/race.html", "views/race.css"]
)
def test_our_own_scripts_folder_ends_where_it_should(address: str, path: str) -> None:
    assert get(f"{address}lab/invert/race.js")[0] == 200
    assert get(f"{address}lab/{path}")[0] == 404


def test_plotly_comes_from_this_machine(address: str) -> None:
    status, script = get(f"{address}lab/plotly.min.js")
    assert status == 200
    assert b"plotly.js v" in script[:300]


def test_nothing_is_offered_as_an_interface_for_programs(address: str) -> None:
    assert json.loads(get(f"{address}gradio_api/info")[1])["named_endpoints"] == {}
    assert get(f"{address}docs")[0] == 404


@pytest.mark.parametrize("asked", [None, [], ["guess", 0], ["guess", "x"], {"a": 1}, ["a", -1]])
def test_messages_of_a_run_are_for_those_who_know_it(address: str, asked: Any) -> None:
    found = config(address)
    (number,) = (c["id"] for c in found["components"] if c["props"].get("elem_id") == "race")
    body = {"data": asked, "component_id": number, "fn_name": "missed", "session_hash": opened(address)}
    status, answer = post(f"{address}gradio_api/component_server", body)
    assert status == 200
    assert json.loads(answer) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"steps": -5}, "Steps: "), ({"steps": 99_999}, "Steps: "), ({"steps": ""}, "Steps: "),
     ({"space": "gone"}, "no space 'gone'"), ({"optimiser1": "gone"}, "Optimiser"), ({"seed": -1}, "Seed: ")],
)  # fmt: skip
def test_a_value_that_the_form_does_not_offer_gets_a_sentence(address: str, change: dict[str, Any], sentence: str) -> None:
    """Numbers out of their range, and choices that another event took from their list while this one was on its way."""
    (run,) = events(address, "race", "run")
    assert sentence.lower() in queued(address, run, list((FORM | change).values()), opened(address)).lower()
