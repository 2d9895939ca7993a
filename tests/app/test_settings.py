"""Settings as form, address and words: what is accepted, brought into range, or refused in a sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.invert import run as events
from app.invert.run import RaceSession
from app.runs import settings
from app.runs.lanes import FIELDS
from app.runs.models import Models
from app.runs.session import Session
from app.runs.settings import defaults
from app.target import targets
from app.views.form import Form
from app.views.run_tab import RunTab
from landscape_core.errors import UserError
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.race import MAX_STEPS, LaneSettings, RunSettings
from landscape_core.search.task import Tuned
from tests.app.racing import FORM, run_form
from tests.tiny.models import tiny_task


def test_the_address_says_everything_and_comes_back(models: Models) -> None:
    chosen = RunSettings.pair(
        task="cats", space="paper", seed=7, steps=321, start="random",
        x=OptimizerSettings(name="lbfgs", lr=0.5, first_move=4.0, history=100), z=OptimizerSettings(name="adam-ramps", lr=0.03),
    )  # fmt: skip
    query = settings.query_of(chosen, models)
    again, notes = settings.from_query(query, defaults(models), models)
    assert again == chosen
    assert notes == []
    assert query["lanes"] == "X-lbfgs:0.5:4:100,Z-adam-ramps:0.03:1:10"


def test_the_address_names_lanes_and_start_also_where_they_are_the_usual(models: Models) -> None:
    query = settings.query_of(defaults(models), models)
    assert query == {"lanes": "X-adam,Z-adam,X-lbfgs,Z-lbfgs", "start": "mean"}
    one, notes = settings.from_query({"lanes": "Z-lbfgs"}, defaults(models), models)
    assert ([lane.row for lane in one.lanes], one.optimizers, notes) == (["Z"], ["lbfgs"], [])
    other, _ = settings.from_query({"lanes": "X-gd:0.25", "space": "paper", "start": "random"}, defaults(models), models)
    assert (other.lanes[0].optimizer, other.start) == (OptimizerSettings(name="gd", lr=0.25), "random")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"steps": "99999"}, {"steps": MAX_STEPS}),
        ({"steps": "-5"}, {"steps": 1}),
        ({"steps": "nan"}, {}),
        ({"seed": "1e99"}, {"seed": 2**31 - 1}),
        ({"steps": "ten"}, {}),
        ({"model": "../../etc"}, {}),
        ({"start": "<script>alert(1)</script>"}, {}),
        ({"steps": "7.5"}, {}),
        ({"space": "<b>"}, {}),
        ({"lanes": "X-adam:inf"}, {}),
        ({"lanes": "X-adam:nan"}, {}),
        ({"lanes": "X-lbfgs:1:1:9999"}, {}),
        ({"lanes": "X-lbfgs:1:1:2.5"}, {}),
        ({"lanes": "X-__import__"}, {}),
        ({"lanes": "Y-adam"}, {}),
        ({"lanes": ""}, {}),
        ({"lanes": "X-adam,X-adam"}, {}),
        ({"lanes": "X-adam,X-gd,X-lbfgs"}, {}),
        ({"lanes": ",".join(["X-adam"] * 999)}, {}),
        ({"unknown": "1"}, None),
    ],
)
def test_a_hostile_address_is_clamped_or_ignored_and_said(models: Models, query: dict[str, str], expected: Any) -> None:
    chosen, notes = settings.from_query(query, defaults(models), models)
    assert chosen.model_dump() == defaults(models).model_dump() | (expected or {})
    assert len(notes) == (0 if expected is None else 1)


def test_an_address_of_an_earlier_version_is_told_what_became_of_its_settings(models: Models) -> None:
    old = {"model": "faces", "steps": "7", "x": "adam", "x_lr": "0.05", "z": "adam", "z_lr": "0.3", "perceptual": "embedded"}
    chosen, notes = settings.from_query(old, defaults(models), models)
    assert chosen == defaults(models).model_copy(update={"steps": 7})
    assert "perceptual distance “embedded”, which is not accepted" in notes[0]
    assert "earlier version: it asks for x, x_lr, z, z_lr, for which each lane has an optimiser" in notes[1]
    assert len(notes) == 2


@pytest.mark.parametrize(("target", "said"), [("truck", True), ("cat", False), ("drawn-5", False), (None, False)])
def test_an_address_with_a_target_that_is_not_there_any_more_says_so(models: Models, target: str | None, said: bool) -> None:
    session: RaceSession = Session()
    _, notes = events.open_page(models, session, {} if target is None else {"target": target})
    sentence = "The address asks for the target “truck”, which is not here; it is astronaut instead."
    assert notes == ([sentence] if said else [])


@pytest.mark.parametrize("target", ["drawn-5", "drawn-999999999999999", "drawn--1", "drawn-٣", "cat", "../../etc/passwd", ""])
def test_any_target_in_the_address_leads_to_a_picture(models: Models, target: str) -> None:
    picked = targets.from_query(target, models.get("faces"))
    assert picked.picture.shape == (3, 64, 64)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [("steps", 0, "Steps: it must be at least 1"), ("steps", None, "Steps: a number"),
     ("X1_lr", -1, "X · Adam learning rate: it must be more than 0"), ("Z2_lr", None, "Z · L-BFGS learning rate: a number"),
     ("X2_first_move", 0, "X · L-BFGS first move: it must be more than 0"),
     ("Z2_history", 0, "Z · L-BFGS memory: it must be at least 1"), ("seed", -1, "Seed: it must be at least 0"),
     ("start", "later", "Start: "), ("lanes", [], "Lanes: at least one"), ("lanes", None, "Lanes: at least one"),
     ("optimiser2", "sgd", "X · optimiser optimiser: "), ("optimiser2", None, "X · optimiser optimiser: ")],
)  # fmt: skip
def test_a_form_value_out_of_range_is_named(models: Models, session: Session, field: str, value: Any, sentence: str) -> None:
    note = events.note(models, session, FORM | {field: value})
    assert note["level"] == "error"
    assert note["text"].startswith(sentence)


def test_the_note_says_how_the_next_run_differs(models: Models, session: Session) -> None:
    run_form(models, session, FORM)
    assert "repeat run 1" in events.note(models, session, FORM)["text"]
    changed = events.note(models, session, FORM | {"Z1_lr": 0.3})
    assert changed["text"] == "Next run: same target and start as run 1, but Z · Adam learning rate 0.1 → 0.3."
    lanes = "X-adam,Z-adam:0.3:1:10,X-lbfgs,Z-lbfgs"
    assert changed["query"] == {"steps": "6", "lanes": lanes, "start": "mean", "observation": "whole", "target": "drawn-3"}
    fewer = events.note(models, session, FORM | {"lanes": ["X1", "Z1"]})["text"]
    assert fewer == "Next run: same target and start as run 1, but without X · L-BFGS; without Z · L-BFGS."
    session.target = targets.example("cat", 64)
    assert "another target" in events.note(models, session, FORM)["text"]


def test_what_an_optimiser_does_not_have_is_not_in_words() -> None:
    adam, lbfgs = OptimizerSettings(), OptimizerSettings(name="lbfgs", lr=1.0, first_move=4.0, history=100)
    said = dict(settings.words(RunSettings.pair(x=adam, z=lbfgs)))
    assert (said["Z · L-BFGS first move"], said["Z · L-BFGS memory"]) == ("4", "100")
    assert not {"X · Adam first move", "X · Adam memory"} & set(said)
    other = RunSettings.pair(x=adam.model_copy(update={"history": 50}), z=lbfgs.model_copy(update={"history": 50}))
    assert settings.difference(RunSettings.pair(x=adam, z=lbfgs), other) == ["Z · L-BFGS memory 100 → 50"]


def test_another_model_is_in_the_address_and_its_own_defaults_are_not(models: Models, session: Session) -> None:
    chosen = defaults(models, "cats")
    query = events.note(models, session, settings.values_of(chosen))["query"]
    lanes = {"lanes": "X-adam,Z-adam,X-lbfgs,Z-lbfgs", "start": "mean", "observation": "whole"}
    assert query == {"model": "cats", "target": "drawn-3", **lanes}
    assert events.open_page(models, Session(), query) == (chosen, [])


def test_every_lane_starts_with_the_best_that_is_known_for_it() -> None:
    """The settings of its space, its optimiser and where it starts, not those of another."""
    best = OptimizerSettings(name="lbfgs", lr=0.5, first_move=2.0, history=20)
    tuned = {"paper": [Tuned(start="random", optimizer=best)]}
    models = Models({"faces": lambda perceptual: replace(tiny_task(), tuned=tuned)})
    chosen, notes = events.open_page(models, Session(), {"space": "paper", "start": "random"})
    assert (chosen.space, chosen.names(), notes) == ("paper", ["X · Adam", "Z · Adam", "X · L-BFGS", "Z · L-BFGS"], [])
    assert chosen.lanes[3].optimizer == best
    assert chosen.lanes[2].optimizer.lr == 1.0
    assert events.open_page(models, Session(), {"space": "paper"})[0].lanes[3].optimizer != best
    session = Session()
    chosen, notes = events.open_page(models, session, {"space": "nowhere"})
    assert (chosen.space, len(notes)) == ("residual", 1)
    assert events.note(models, session, settings.values_of(chosen))["query"]["target"] == "astronaut"


@pytest.mark.parametrize("on", [["X1", "Z1", "X2", "Z2"], ["Z2"], ["X1", "Z2"], ["X2", "Z2"]])
def test_the_form_s_table_comes_back_from_the_settings(on: list[str]) -> None:
    chosen = settings.from_values(FORM | {"lanes": on})
    assert settings.from_values(settings.values_of(chosen)) == chosen
    assert [settings.lane_names(chosen).count(name) for name in settings.lane_names(chosen)] == [1] * len(on)


def test_lanes_that_the_table_does_not_hold_are_refused() -> None:
    names = ("adam", "gd", "lbfgs")
    lanes = tuple(LaneSettings(optimizer=OptimizerSettings(name=name)) for name in names)
    with pytest.raises(UserError, match="the table here does not hold"):
        settings.values_of(RunSettings(lanes=lanes))
    with pytest.raises(UserError, match="the table here does not hold"):
        settings.values_of(RunSettings(lanes=(LaneSettings(space="paper"), LaneSettings(space="residual"))))


def test_no_model_at_all_is_one_sentence() -> None:
    with pytest.raises(UserError, match="no trained model"):
        events.open_page(Models({}), Session(), {})


def test_a_column_s_new_optimiser_brings_its_own_rates_and_touches_nothing_else(models: Models) -> None:
    class Tab(RunTab[Any]):
        form = Form({name: name for name in FORM})  # words in place of components

    tab = Tab(None, models, None)  # type: ignore[arg-type]
    changed = tab.on_table("optimiser2", *(FORM | {"optimiser2": "gd", "X1_lr": 9.0}).values())
    assert set(changed) == set(FIELDS)
    assert (changed["X2_lr"]["value"], changed["X1_lr"]["value"]) == (0.5, 9.0)
    assert changed["lanes"]["choices"][2] == ("X · GD", "X2")
    assert (changed["X2_history"]["visible"], changed["X1_lr"]["visible"]) == (False, True)
