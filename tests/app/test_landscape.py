"""The Landscape tab without a browser: what it streams for each plane, what it says to bad input, what it exports."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from app.invert import run as race
from app.landscape import files, stream
from app.landscape.drawing import Drawing, Recent, Resources
from app.runs.models import Models
from app.runs.session import Session
from app.runs.standing import standing_of
from landscape_core.errors import UserError
from landscape_core.images.pixels import png_tensor, to_bytes
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings
from landscape_core.surfaces.planes import Grid, random_plane
from landscape_core.surfaces.surface import Surface, levels
from tests.app.drawings import begin, only, run
from tests.tiny.models import tiny_task


@pytest.fixture(scope="module")
def models() -> Models:
    return Models({"faces": lambda perceptual: tiny_task()})


def test_a_race_then_its_surfaces_from_coarse_to_fine(lab: Resources, invert: Session) -> None:
    drawing = Drawing(1)
    messages = run(lab, drawing, invert)
    kept = [m for m in messages if m["kind"] != "progress"]
    assert [m["seq"] for m in kept] == list(range(len(kept)))
    assert len({m["run"] for m in kept}) == 1
    kinds = [m["kind"] for m in messages]
    assert kinds[:6] == ["wait"] * 5 + ["begin"]
    assert kinds.index("surfaces") < kinds.index("frames") < kinds.index("end")  # the first surfaces wait for no picture
    drawn = only(messages, "surfaces")
    assert [m["panels"][0]["points_a_side"] for m in drawn] == list(levels(21))
    assert [panel["title"] for panel in drawn[0]["panels"]] == ["X", "Z (Residual Θ)"]
    assert messages[-1] == messages[-1] | {"kind": "drawn", "done": 2 * 21**2, "total": 2 * 21**2, "reason": ""}
    shown = [png_tensor(png) for m in only(messages, "frames") for png in m["lanes"]["Z"]["png"]]
    trajectory, task = drawing.standing.trajectory, drawing.standing.task
    with torch.no_grad():
        last = task.forward(task.space("residual").to_x(trajectory.lane("Z").variables[-1]))[0]
    assert len(shown) == 5
    assert torch.equal(shown[-1], to_bytes(last))
    assert torch.equal(png_tensor(only(messages, "begin")[0]["target"]), invert.target.picture)
    json.dumps(messages, allow_nan=False)


def test_the_first_surfaces_have_few_points_of_a_long_path_and_the_next_all(lab: Resources, invert: Session) -> None:
    drawing = Drawing(1)
    first, second, third, *_ = only(run(lab, drawing, invert, steps=60), "surfaces")
    assert [m["panels"][0]["points_a_side"] for m in (first, second, third)] == [6, 11, 11]
    assert [m["panels"][0]["measures"] is None for m in (first, second)] == [True, False]  # six points a side have no shape yet
    assert first["steps"] == second["steps"] == [*range(0, 61, 6)]
    assert third["steps"] == drawing.steps == [*range(61)]
    few, every = (m["panels"][0]["paths"]["X"] for m in (first, third))
    for name, values in every.items():
        assert few[name] == pytest.approx(np.array(values)[::6], rel=1e-4, abs=1e-6), name


def test_the_centre_of_the_grid_is_where_the_run_ended(lab: Resources, invert: Session) -> None:
    drawing = Drawing(1)
    panels = only(run(lab, drawing, invert), "surfaces")[-1]["panels"]
    for name, panel in zip(("X", "Z"), panels, strict=True):
        end = float(drawing.standing.trajectory.lane(name).losses[-1])
        assert panel["losses"][10][10] == pytest.approx(end, rel=1e-4)
        assert panel["paths"][name]["true_loss"][-1] == pytest.approx(end, rel=1e-5)
        assert panel["paths"][name]["distance_from_plane"][-1] == pytest.approx(0, abs=1e-4)
        assert 0 < sum(panel["explained_variance"]) <= 1.0001


def test_one_range_holds_every_surface_and_path(lab: Resources, invert: Session) -> None:
    *_, last = only(run(lab, Drawing(1), invert), "surfaces")
    values = np.concatenate([np.ravel(panel["losses"]) for panel in last["panels"]])
    assert last["range"][0] <= values.min() * (1 + 1e-6)  # sent with seven figures
    assert last["range"][1] >= values.max() * (1 - 1e-6)


@pytest.mark.parametrize(("plane", "n"), [("recovered", 2), ("path", 2), ("random", 2), ("shared", 1), ("ends", 1)])
def test_every_plane_gives_its_surfaces(lab: Resources, invert: Session, plane: str, n: int) -> None:
    last = only(run(lab, Drawing(1), invert, plane=plane, space="paper", seed=1), "surfaces")[-1]
    assert len(last["panels"]) == n
    assert set().union(*(panel["paths"] for panel in last["panels"])) == {"X", "Z"}
    assert (last["panels"][0]["explained_variance"] is None) == (plane in ("random", "ends"))


def test_ends_in_the_same_place_span_no_plane(lab: Resources, invert: Session) -> None:
    with pytest.raises(UserError, match="lie on one line"):  # the untrained residual Θ walks as X does
        run(lab, Drawing(1), invert, plane="ends")


def test_the_papers_plane_is_recovered_once(lab: Resources, invert: Session) -> None:
    first = only(run(lab, Drawing(1), invert, plane="recovered"), "wait")
    assert "random targets, once" in first[-1]["text"]
    again = run(lab, Drawing(1), invert, plane="recovered")
    assert not any("random targets" in m["text"] for m in only(again, "wait"))
    assert only(again, "surfaces")[-1]["note"] == "The plane's directions are those of 24 random targets."


def test_a_grid_drawn_before_is_not_evaluated_again(lab: Resources, invert: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    before = only(run(lab, Drawing(1), invert), "surfaces")[-1]

    def forbidden(*_: Any) -> Any:
        raise AssertionError("a point was evaluated again")

    monkeypatch.setattr("landscape_core.surfaces.surface._extended", forbidden)
    (again,) = only(run(lab, Drawing(1), invert), "surfaces")
    assert again["panels"] == before["panels"]


def test_stop_keeps_the_finest_complete_surface(lab: Resources, invert: Session) -> None:
    drawing = Drawing(1)
    going = begin(lab, drawing, invert, size=81)
    for message in going:
        if message["kind"] == "surfaces":
            drawing.stop.set()
            break
    rest = list(going)
    assert rest[-1]["kind"] == "drawn"
    assert rest[-1]["done"] < 2 * 81**2
    assert rest[-1]["reason"].startswith("Stopped; the finest")
    assert files.export(drawing, {"what": "html", "log": False}).exists()


def test_stop_during_the_race_is_said_and_leaves_nothing_to_export(lab: Resources, invert: Session) -> None:
    drawing = Drawing(1)
    going = begin(lab, drawing, invert, steps=200, column="Adam")
    for message in going:
        if message["kind"] == "wait" and "3 of 200" in message["text"]:
            drawing.stop.set()
            break
    assert list(going)[-1]["reason"] == "Stopped before the first coarse surface was complete."
    with pytest.raises(UserError, match="no surface"):
        files.export(drawing, {"what": "html", "log": False})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"plane": "flat"}, "Plane: "), ({"plane": None}, "Plane: "), ({"size": 40}, "Points a side"),
     ({"size": 100_001}, "Points a side"),
     ({"steps": 1}, "from 2 to 200"), ({"steps": None}, "from 2 to 200"), ({"steps": 201}, "from 2 to 200"),
     ({"at_step": -1}, "Hessian at step"), ({"at_step": 1.5}, "Hessian at step"),
     ({"seed": -1}, "Seed: "), ({"space": "nowhere"}, "no space 'nowhere'")],
)  # fmt: skip
def test_a_form_value_out_of_range_is_named(lab: Resources, invert: Session, change: Any, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        run(lab, Drawing(1), invert, **change)


def test_thumbnails_lie_where_their_losses_do() -> None:
    grid = Grid(random_plane(torch.zeros(16), "X", torch.Generator().manual_seed(0)), (1.0, 1.0), size=5)
    pictures = torch.zeros(5, 5, 3, 4, 4, dtype=torch.uint8)
    pictures[3, 1] = 200
    flat = stream.sheet(pictures)
    assert flat.shape == (3, 20, 20)
    assert flat[:, 12:16, 4:8].min() == 200
    assert int(flat.sum()) == 200 * 3 * 16
    shown = stream.thumbnails(Surface(grid, torch.zeros(5, 5), torch.ones(5, 5, dtype=torch.bool), pictures))
    with Image.open(io.BytesIO(base64.b64decode(shown["sheet"]))) as image:
        assert image.size == (20, 20)
        assert min(image.getpixel((5, 13))) > 120  # column 1, row 3


def test_exports_are_a_page_that_needs_no_network_and_a_picture(lab: Resources, invert: Session) -> None:
    drawing = Drawing(1)
    run(lab, drawing, invert)
    page = files.export(drawing, {"what": "html", "log": True}).read_text()
    assert "of the variance of the points it was fitted to" in page
    assert "<script src" not in page
    with Image.open(files.export(drawing, {"what": "png", "log": False})) as image:
        assert image.width > 800
    with pytest.raises(UserError, match="html, png, npz, csv"):
        files.export(drawing, {"what": "../x"})


def test_what_is_kept_between_visitors_is_bounded() -> None:
    recent = Recent(2)
    for key in "abca":
        recent[key] = key
    assert list(recent) == ["c", "a"]


def test_a_hessian_plane_stands_at_the_step_that_is_asked_for(lab: Resources, invert: Session) -> None:
    panels = only(run(lab, drawing := Drawing(1), invert, plane="hessian", at_step=2), "surfaces")[-1]["panels"]
    for lane, panel in zip("XZ", panels, strict=True):
        loss = float(drawing.standing.trajectory.lane(lane).losses[2])
        assert panel["losses"][10][10] == pytest.approx(loss, rel=1e-4)
        assert abs(panel["curvature"][0]) >= abs(panel["curvature"][1])
    assert drawing.settings["Hessian at step"] == 2
    with pytest.raises(UserError, match="no step 9"):
        run(lab, Drawing(1), invert, plane="hessian", at_step=9)


def test_a_cut_is_drawn_and_exported(lab: Resources, invert: Session) -> None:
    drawing = Drawing(1)
    messages = run(lab, drawing, invert, plane="cut", space="paper")
    (cut,) = only(messages, "cut")
    assert len(cut["losses"]) == 41
    assert cut["ends"]["Z"] == pytest.approx(float(drawing.standing.trajectory.lane("Z").losses[-1]), rel=1e-4)
    assert "apart in X" in cut["verdict"]
    assert messages[-1]["reason"] == ""
    for what in files.FORMATS:
        assert files.export(drawing, {"what": what}).stat().st_size > 300
    assert "# drawn: Line from X's end to Z's (cut)" in files.export(drawing, {"what": "csv"}).read_text()


def test_every_export_holds_the_settings(lab: Resources, invert: Session) -> None:
    drawing = Drawing(1)
    run(lab, drawing, invert)
    with np.load(files.export(drawing, {"what": "npz"}), allow_pickle=False) as arrays:
        said = json.loads(str(arrays["settings"]))
    assert (said["drawn"], said["points a side"]) == ("This run's own path", 21)
    for what in ("csv", "html"):
        text = files.export(drawing, {"what": what}).read_text()
        assert all(str(value) in text.replace("&#x27;", "'") for value in said.values())


def test_stop_while_targets_are_recovered_is_said(lab: Resources, invert: Session) -> None:
    drawing, shares = Drawing(1), []
    for message in begin(lab, drawing, invert, plane="recovered"):
        if "share" in message:
            shares.append(message["share"])
            if len(shares) == 3:
                drawing.stop.set()
    assert shares == sorted(shares)
    assert message["reason"] == "Stopped before the targets of the paper's plane were recovered."


def test_surfaces_bring_their_verdict_and_their_own_ranges(lab: Resources, invert: Session) -> None:
    last = only(run(lab, Drawing(1), invert, space="paper"), "surfaces")[-1]
    assert "ended" in last["verdict"]
    assert isinstance(last["warnings"], list)
    assert min(panel["range"][0] for panel in last["panels"]) == pytest.approx(last["range"][0])
    assert max(panel["range"][1] for panel in last["panels"]) == pytest.approx(last["range"][1])


def test_a_plane_that_the_task_lacks_gives_way_to_the_run_s_own(lab: Resources, models: Models, invert: Session) -> None:
    """An event on its way may ask for it after the choices changed."""

    def none(n: int, generator: torch.Generator) -> Target:
        raise UserError("random targets need a data set")

    list(race.start(models, invert, RunSettings.pair(steps=4)))
    given = replace(standing_of(invert.run), task=replace(models.get("faces"), samples=none))
    messages = run(lab, Drawing(1), invert, given, plane="recovered")
    assert only(messages, "surfaces")[-1]["note"] == ""
    assert only(messages, "drawn")[-1]["reason"] == ""
