"""Many pictures at once: one batch, what is said over all of them, and files that are no pictures."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from app.invert import many
from app.invert import run as race
from app.invert.many import ManyJob
from app.runs.models import Models
from app.runs.session import Session
from app.runs.settings import from_values
from app.target import pictures, targets
from landscape_core.errors import UserError
from landscape_core.experiments.paired import compare
from tests.app.racing import FORM, column
from tests.tiny.models import tiny_task

SETTINGS = from_values(FORM)


def run(models: Models, job: ManyJob, restarts: Any = 1, **changes: Any) -> list[dict[str, Any]]:
    settings = from_values(FORM | changes)
    return list(many.start(models, job, settings, pictures.examples(64), restarts))


def test_every_picture_gets_what_it_would_get_alone(models: Models) -> None:
    job = ManyJob(1)
    messages = run(models, job)
    assert [m["seq"] for m in messages] == list(range(len(messages)))
    assert [step for m in messages if m["kind"] == "frames" for step in m["steps"]] == list(range(7))
    session = Session(target=targets.example("cat", 64))
    list(race.start(models, session, SETTINGS))
    place = job.labels.index("drawn cat")
    for name in SETTINGS.names():
        alone = session.run.trajectory.lane(name).best_so_far()[:, 0]
        assert torch.allclose(job.best(name)[:, place], alone, rtol=1e-4)
        medians = job.best(name).double().quantile(0.5, dim=1).tolist()
        assert column(messages, name, "loss") == pytest.approx(medians)
    json.dumps(messages, allow_nan=False)


def test_each_column_is_compared_in_pairs_with_an_interval(models: Models) -> None:
    job = ManyJob(1)
    end = run(models, job)[-1]
    assert [(each["x"], each["z"]) for each in end["comparisons"]] == [("X · Adam", "Z · Adam"), ("X · L-BFGS", "Z · L-BFGS")]
    found = compare(job.best("Z · Adam")[-1], job.best("X · Adam")[-1])
    assert end["comparisons"][0]["ratio"] == pytest.approx(found.ratio)
    assert end["comparisons"][0]["interval"] == pytest.approx(list(found.interval))
    line = end["summary"].splitlines()[0]
    assert line.startswith("Z · Adam against X · Adam after 6 steps: ")
    assert ("no clear difference" in line) == (found.interval[0] <= 1 <= found.interval[1])
    assert [row[0] for row in end["rows"]] == job.labels
    assert end["rows"][0][2:] == pytest.approx([float(job.best(name)[-1, 0]) for name in job.losses])


def test_restarts_begin_elsewhere_and_are_refused_where_they_could_not(models: Models) -> None:
    job = ManyJob(1)
    end = run(models, job, 2, start="random")[-1]
    assert len(end["rows"]) == 2 * len(job.labels)
    first, second = job.best("X · Adam")[0].split(len(job.labels))
    assert not torch.equal(first, second)
    assert [each["n"] for each in end["comparisons"]] == [len(job.labels)] * 2, "two searches of a picture are no two pictures"
    assert f"on {len(job.labels)} pictures, 2 searches of each" in end["summary"]
    with pytest.raises(UserError, match="need different starts"):
        run(models, ManyJob(1), 2)
    for wrong in (0, 6, 1.5, "2", None):
        with pytest.raises(UserError, match="from 1 to 5"):
            run(models, ManyJob(1), wrong, start="random")


def test_a_stop_keeps_what_was_reached(models: Models) -> None:
    job = ManyJob(1)
    going = many.start(models, job, from_values(FORM | {"steps": 500}), pictures.examples(64), 1)
    next(going), next(going)
    job.stop.set()
    end = list(going)[-1]
    assert end["reason"].startswith("Stopped at step")
    assert len(end["comparisons"]) == 2


def test_the_table_is_exported_with_its_settings(models: Models) -> None:
    job = ManyJob(3)
    with pytest.raises(UserError, match="press Run first"):
        many.export(job)
    run(models, job)
    lines = many.export(job).read_text(encoding="utf-8").splitlines()
    assert "# X · Adam learning rate: 0.1" in lines
    assert "# start: each at its own origin" in lines
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert len(rows) == 4 * 7 * len(job.labels)
    last = next(row for row in rows if (row["picture"], row["lane"], row["step"]) == ("drawn cat", "Z · L-BFGS", "6"))
    assert float(last["best loss so far"]) == float(job.best("Z · L-BFGS")[-1, job.labels.index("drawn cat")])


def test_pictures_come_alone_and_in_zips_in_order(tmp_path: Path) -> None:
    Image.new("RGB", (90, 60), "red").save(tmp_path / "red.png")
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        for name, colour in (("b.png", "blue"), ("a.png", "lime")):
            data = io.BytesIO()
            Image.new("RGB", (80, 80), colour).save(data, "PNG")
            archive.writestr(f"folder/{name}", data.getvalue())
        archive.writestr("__MACOSX/._a.png", b"x")
        archive.writestr("notes.txt", b"x")
    found = pictures.opened([tmp_path / "red.png", tmp_path / "more.zip"], tiny_task("cats"))
    assert [each.label for each in found] == ["red.png", "a.png", "b.png"]
    assert [each.picture[:, 32, 32].tolist() for each in found] == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]


@pytest.mark.parametrize(
    ("name", "data", "sentence"), [("a.png", b"text", "not a picture"), ("a.zip", b"PK\x05\x06" + bytes(18), "no picture")]
)
def test_files_without_pictures_get_a_sentence(tmp_path: Path, name: str, data: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match=sentence):
        pictures.opened([tmp_path / name], tiny_task("cats"))


def test_more_pictures_than_are_taken_are_refused(tmp_path: Path) -> None:
    data = io.BytesIO()
    Image.new("RGB", (8, 8)).save(data, "PNG")
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for i in range(pictures.MOST + 1):
            archive.writestr(f"{i}.png", data.getvalue())
    with pytest.raises(UserError, match="more than 50 pictures"):
        pictures.opened([tmp_path / "many.zip"], tiny_task("cats"))


@pytest.mark.parametrize(
    ("text", "restarts", "sentence"),
    [("3", 3, ""), ("9", 5, "restarts 9; 5 is the nearest"), ("2.5", 1, "“2.5”, which is not accepted"), ("x", 1, "“x”")],
)
def test_restarts_come_from_the_address(text: str, restarts: int, sentence: str) -> None:
    values, notes = many.from_query({"many_restarts": text, "restarts": "4"})
    assert values == {"restarts": restarts}
    assert bool(notes) == bool(sentence)
    assert sentence in "".join(notes)
