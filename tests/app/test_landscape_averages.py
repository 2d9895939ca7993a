"""What stands beside one picture's surfaces in the Landscape tab: averages that experiments found, and those measured here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.landscape import averaging, files
from app.landscape import run as events
from app.landscape.drawing import Drawing, Resources
from app.runs.models import Models
from app.runs.session import Session
from landscape_core.errors import UserError
from landscape_core.experiments.landscapes import run_landscapes
from landscape_core.surfaces.averages import LandscapeSettings
from tests.app.drawings import only, run
from tests.tiny.models import tiny_task


@pytest.fixture(scope="module")
def models() -> Models:
    return Models({"faces": lambda perceptual: tiny_task()})


def test_what_experiments_found_stands_beside_one_picture(
    lab: Resources, models: Models, invert: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "RESULTS", tmp_path)
    assert only(run(lab, Drawing(1), invert), "averages")[0]["entries"] == []
    task = models.get("faces")
    targets = task.sampled(3, torch.Generator().manual_seed(0))
    result, _, _ = run_landscapes(task, targets, LandscapeSettings(steps=3, size=5), "the command", lambda *_: None)
    result.write(tmp_path)
    drawing = Drawing(1)
    (entry,) = only(run(lab, drawing, invert), "averages")[0]["entries"]
    assert (entry["source"], entry["n"]) == ("the command", 3)
    mean, deviation, low, high = entry["rows"]["last loss"]["Z"]
    assert mean == pytest.approx(np.mean(result.series["last loss | Z"]), rel=1e-4)
    assert low < mean < high
    assert deviation > 0
    assert (
        "3 examples after 3 steps (the command; X by Adam 0.1, Z by Adam 0.1)"
        in files.export(drawing, {"what": "html", "log": False}).read_text()
    )


def test_averages_are_measured_sample_by_sample(lab: Resources, invert: Session) -> None:
    drawing = Drawing(1)
    begun = sum(m["kind"] != "progress" for m in run(lab, drawing, invert))
    messages = list(averaging.measure(lab, drawing, 3))
    assert messages[0]["seq"] == begun, "the messages of one drawing are numbered on"
    steps = only(messages, "measuring")
    assert [m["done"] for m in steps] == [0, 1, 2, 3]
    assert [m["entry"] and m["entry"]["n"] for m in steps] == [None, None, 2, 3]
    assert messages[-1]["reason"] == ""
    page = files.export(drawing, {"what": "html", "log": False}).read_text()
    assert "3 examples after 20 steps (random targets drawn here, number 1; X by Adam 0.1, Z by Adam 0.1)" in page
    again = only(list(averaging.measure(lab, drawing, 2)), "measuring")[-1]["entry"]
    assert again["rows"] != steps[2]["entry"]["rows"]  # other samples each time


def test_stop_keeps_the_samples_that_were_measured(lab: Resources, invert: Session) -> None:
    drawing = Drawing(1)
    run(lab, drawing, invert)
    going = averaging.measure(lab, drawing, 50)
    for message in going:
        if message["kind"] == "measuring" and message["done"] == 2:
            drawing.stop.set()
            break
    assert list(going)[-1]["reason"] == "Stopped after 2 of 50 samples."


@pytest.mark.parametrize("n", [1, 51, 2.5, "8", None])
def test_a_number_of_samples_out_of_range_is_named(lab: Resources, invert: Session, n: Any) -> None:
    drawing = Drawing(1)
    with pytest.raises(UserError, match="Press Run first"):
        averaging.measure(lab, drawing, 8)
    run(lab, drawing, invert)
    with pytest.raises(UserError, match="from 2 to 50"):
        averaging.measure(lab, drawing, n)
