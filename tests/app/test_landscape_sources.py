"""Whose run the Landscape tab draws: one that stands in another tab, a column of it, or one of its own."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from app.invert import run as race
from app.landscape import run as events
from app.landscape.drawing import Drawing, Resources
from app.landscape.plan import own_columns, plan_from
from app.runs.models import Models
from app.runs.session import Run, Session
from app.runs.settings import defaults
from app.runs.standing import Standing, standing_of
from app.target import targets
from landscape_core.errors import UserError
from landscape_core.generators.completion import completion_settings, completion_solver
from landscape_core.images.pixels import to_unit
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings
from landscape_core.search.trajectory import run as solve
from tests.app.drawings import only, run
from tests.tiny.models import tiny_task


@pytest.fixture(scope="module")
def models() -> Models:
    return Models({"faces": lambda perceptual: tiny_task()})


def test_a_run_that_stands_elsewhere_is_drawn_as_it_stands(lab: Resources, models: Models, invert: Session) -> None:
    list(race.start(models, invert, RunSettings.pair(steps=7, seed=2, space="paper")))
    drawing = Drawing(1)
    messages = run(lab, drawing, invert, standing_of(invert.run), steps=100)
    kinds = [m["kind"] for m in messages if m["kind"] != "progress"]
    assert kinds == ["begin", "surfaces", "surfaces", "frames", "end", "averages", "surfaces", "drawn"]
    assert [step for m in only(messages, "frames") for step in m["steps"]] == list(range(8))
    recorded = [float(loss[0]) for loss in invert.run.trajectory.lane("Z").losses]
    panel = only(messages, "surfaces")[-1]["panels"][1]
    assert panel["space"] == "paper"
    assert panel["paths"]["Z"]["true_loss"] == pytest.approx(recorded, rel=1e-5)


def test_one_completion_of_many_is_drawn_with_its_mask(lab: Resources, models: Models, invert: Session) -> None:
    task, mask = models.get("faces"), torch.ones(1, 1, 64, 64)
    mask[:, :, :32] = 0
    settings = completion_settings(task, space="residual", steps=5, seed=0)
    solver, starts = completion_solver(task, Target(to_unit(invert.target.picture)[None], mask), 4, settings)
    standing = Run(1, settings, invert.target, task, solver, solve(solver, starts))
    messages = run(lab, Drawing(1), invert, standing_of(standing, 2))
    losses = [float(loss[2]) for loss in standing.trajectory.lane("X").losses]
    panel = only(messages, "surfaces")[-1]["panels"][0]
    assert panel["paths"]["X"]["true_loss"] == pytest.approx(losses, rel=1e-5)
    assert panel["losses"][10][10] == pytest.approx(losses[-1], rel=1e-4)


def test_nothing_stands_before_a_run_and_one_still_going_is_refused(models: Models, invert: Session) -> None:
    assert standing_of(invert.run) is None
    going = race.start(models, invert, RunSettings(steps=50))
    next(going), next(going)
    with pytest.raises(UserError, match="still going"):
        standing_of(invert.run)
    going.close()
    assert len(standing_of(invert.run).trajectory.steps) >= 1


def test_a_run_too_short_for_a_plane_is_refused(lab: Resources, models: Models, invert: Session) -> None:
    list(race.start(models, invert, RunSettings(steps=1)))
    with pytest.raises(UserError, match="at least two steps"):
        run(lab, Drawing(1), invert, standing_of(invert.run))


def test_a_long_path_is_thinned_with_both_ends_kept(models: Models, invert: Session) -> None:
    list(race.start(models, invert, RunSettings(steps=25)))
    thin = invert.run.trajectory.thinned(11)
    assert thin.steps == [0, 3, 6, 9, 12, 15, 18, 21, 24, 25]
    assert torch.equal(thin.lanes[0].variables[-1], invert.run.trajectory.lanes[0].variables[-1])
    assert invert.run.trajectory.thinned(201).steps == list(range(26))


def tabled(models: Models, invert: Session) -> Standing:
    """A run of two columns."""
    list(race.start(models, invert, RunSettings.table(models.get("faces"), "paper", ("adam", "lbfgs"), steps=4)))
    found = standing_of(invert.run)
    assert found is not None
    return found


def test_one_column_of_a_table_is_drawn_l_bfgs_s_unless_another_is_chosen(
    lab: Resources, models: Models, invert: Session
) -> None:
    standing = tabled(models, invert)
    assert list(standing.columns) == ["Adam", "L-BFGS"]
    assert standing.optimiser == standing.by(None).optimiser == standing.by("nonsense").optimiser == "L-BFGS"
    run(lab, drawing := Drawing(1), invert, standing, column="Adam", space="paper")
    trajectory = invert.run.trajectory
    assert torch.equal(drawing.standing.trajectory.lane("X").losses[-1], trajectory.lane("X · Adam").losses[-1])
    assert drawing.settings["lanes drawn"] == "X and Z by Adam"


def test_a_race_of_its_own_is_by_l_bfgs_or_by_the_other_optimiser_that_tabs_open_with(lab: Resources, invert: Session) -> None:
    assert own_columns(defaults(lab.models)) == ["Adam", "L-BFGS"]
    for column, words in ((None, "L-BFGS"), ("L-BFGS", "L-BFGS"), ("Adam", "Adam"), ("LM", "L-BFGS")):
        run(lab, drawing := Drawing(1), invert, column=column)
        assert drawing.standing.optimiser == words
        assert {f"X · {words} learning rate", f"Z · {words} learning rate"} <= set(drawing.settings)
        assert sum("learning rate" in what for what in drawing.settings) == 2


def test_a_run_is_told_from_every_other(lab: Resources, models: Models, invert: Session) -> None:
    first = tabled(models, invert)
    again = tabled(models, invert)
    assert standing_of(invert.run).key == again.key != first.key
    about = events.current(lab, "faces", again, invert)
    assert (about["of"], about["draw"]) == (again.key, True)
    assert only(run(lab, Drawing(1), invert, again), "begin")[0]["of"] == again.key
    own = events.current(lab, "faces", None, invert)
    assert own["draw"] is False
    assert only(run(lab, Drawing(1), invert), "begin")[0]["of"] == own["of"]
    invert.target = targets.drawn(models.get("faces"), 4)
    assert events.current(lab, "faces", None, invert)["of"] != own["of"]


def test_what_bears_on_a_drawing_tells_it_from_others(lab: Resources, invert: Session) -> None:
    form = {
        "model": "faces",
        "space": "residual",
        "plane": "path",
        "column": None,
        "at_step": None,
        "size": 21,
        "steps": 4,
        "seed": 0,
    }

    def key(*, own: bool = True, **changes: Any) -> str:
        return plan_from(lab.models, form | changes).key("Invert", own=own)

    assert only(run(lab, Drawing(1), invert), "begin")[0]["plan"] == plan_from(lab.models, form).key("own", own=True)
    for change in ({"plane": "ends"}, {"size": 41}, {"column": "Adam"}):
        assert key(**change) != key()
        assert key(own=False, **change) != key(own=False)
    for change in ({"steps": 9}, {"space": "paper"}):
        assert key(**change) != key()
        assert key(own=False, **change) == key(own=False), "the run was taken with its own"
    assert key(seed=3) == key()
    assert key(seed=3, plane="random") != key(plane="random")
    assert key(at_step=2, plane="hessian") != key(plane="hessian")
