"""The Defence tab's table over many pictures, without a browser: what is counted, what results hold, what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from app.defence import count as defence_count
from app.defence.measured import measured
from app.defence.pictures import Defences
from app.defence.settings import from_values
from landscape_core.errors import UserError
from landscape_core.storage.zoo import RESULTS
from tests.app.defending import FORM, only, two_defences


@pytest.fixture(scope="module")
def defences(tmp_path_factory: pytest.TempPathFactory) -> Defences:
    return two_defences(tmp_path_factory.mktemp("cifar"))


def test_counting_tells_both_columns_after_every_few_pictures(defences: Defences) -> None:
    job = defence_count.CountJob()
    messages = list(defence_count.count(defences, job, from_values(defences, FORM), 20))
    told_of = only(messages, "tally")
    assert [m["done"] for m in told_of] == [10, 20]
    for row in told_of[-1]["rows"]:
        for share, low, high in (row["static"], row["aware"]):
            assert 0 <= low <= share <= high <= 1
        assert row["aware"][0] <= row["static"][0], "an attacker who knows more never does worse"
    assert [row["name"] for row in told_of[-1]["rows"]] == ["undefended", "X", "Z"]
    assert messages[-1]["kind"] == "end"
    assert job.messages == [m for m in messages if m["kind"] != "progress"]


def test_a_stopped_count_keeps_what_was_counted(defences: Defences) -> None:
    job = defence_count.CountJob()
    counting = defence_count.count(defences, job, from_values(defences, FORM), 20)
    messages = []
    for message in counting:
        messages.append(message)
        if message["kind"] == "tally":
            job.stop.set()
    assert [m["done"] for m in only(messages, "tally")] == [10]
    assert messages[-1]["reason"].startswith("Stopped after 10 of 20")
    table = [line for line in defence_count.export(job).read_text().splitlines() if not line.startswith("# ")]
    rows = list(csv.DictReader(table))
    assert len(rows) == 10, "what was counted, and no more"
    shares = {row["name"]: row for row in only(messages, "tally")[0]["rows"]}
    for column, (name, attack) in {
        "undefended, static attack": ("undefended", "static"), "Z, static attack": ("Z", "static"),
        "X, attack that knows X": ("X", "aware"),
    }.items():  # fmt: skip
        assert sum(int(row[column]) for row in rows) / 10 == pytest.approx(shares[name][attack][0])


def test_before_anything_is_counted_there_is_nothing_to_export() -> None:
    for job in (None, defence_count.CountJob()):
        with pytest.raises(UserError, match="press Run"):
            defence_count.export(job)


@pytest.mark.parametrize("attack", ["l2", "linf"])
def test_the_table_begins_with_what_results_holds(attack: str) -> None:
    told = measured("ro", attack)
    found = json.loads((RESULTS / "defence-ro.json").read_text())
    assert [row["name"] for row in told["rows"]] == ["undefended", "X", "Z"]
    for row in told["rows"]:
        for share, low, high in (row["static"], row["aware"]):
            assert 0 <= low <= share <= high <= 1
    assert told["rows"][0]["static"][0] == found["series"][f"X | {attack}, static"][0]
    assert told["rows"][2]["aware"][0] == found["series"][f"Z tuned | {attack}, aware"][-1]
    assert told["command"] == found["command"]
    assert "1,000 test pictures" in told["text"]


def test_results_of_other_models_and_none_fill_no_table(tmp_path: Path) -> None:
    assert measured("awp", "l2")["rows"] == measured("ro", "l1")["rows"] == []
    found = json.loads((RESULTS / "defence-ro.json").read_text())
    (tmp_path / "defence-ro.json").write_text(json.dumps({**found, "models": {"defence/ro": "0" * 64}}))
    assert measured("ro", "l2", tmp_path)["rows"] == []
    assert "earlier models" in measured("ro", "l2", tmp_path)["text"]


@pytest.mark.parametrize("n", [9, 1001, 10.5, "20", None])
def test_counting_takes_10_to_1000_pictures(defences: Defences, n: Any) -> None:
    with pytest.raises(UserError, match="10 to 1000"):
        next(defence_count.count(defences, defence_count.CountJob(), from_values(defences, FORM), n))
