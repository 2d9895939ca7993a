"""Settings as form, address and words: what is accepted, brought into range, or refused in a sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.invert import run as events
from app.runs import settings
from app.runs.models import Models, defaults
from app.runs.session import Session
from app.target import targets
from landscape_core.errors import UserError
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.race import MAX_STEPS, RunSettings
from tests.app.racing import FORM, two_models
from tests.tiny.models import tiny_task


@pytest.fixture(scope="module")
def models() -> Models:
    return two_models()


@pytest.fixture
def session(models: Models) -> Session:
    return Session(target=targets.drawn(models.get("faces"), 3))


def test_the_address_says_everything_and_comes_back(models: Models) -> None:
    chosen = RunSettings.pair(
        task="cats", space="paper", seed=7, steps=321, start="random",
        x=OptimizerSettings(name="lbfgs", lr=0.5, first_move=4.0, history=100), z=OptimizerSettings(name="adam-ramps", lr=0.03),
    )  # fmt: skip
    query = settings.to_query(chosen, RunSettings())
    again, notes = settings.from_query(query, RunSettings(), models.names)
    assert again == chosen
    assert notes == []
    assert settings.to_query(RunSettings(), RunSettings()) == {}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"steps": "99999"}, {"steps": MAX_STEPS}),
        ({"steps": "-5"}, {"steps": 1}),
        ({"x_lr": "inf"}, {"x": {"lr": 1000.0}}),
        ({"x_history": "9999"}, {"x": {"history": 200}}),
        ({"z_first_move": "0"}, {"z": {"first_move": 1e-6}}),
        ({"z_history": "2.5"}, {}),
        ({"steps": "nan"}, {}),
        ({"z_lr": "nan"}, {}),
        ({"seed": "1e99"}, {"seed": 2**31 - 1}),
        ({"steps": "ten"}, {}),
        ({"x": "__import__"}, {}),
        ({"model": "../../etc"}, {}),
        ({"start": "<script>alert(1)</script>"}, {}),
        ({"steps": "7.5"}, {}),
        ({"unknown": "1"}, None),
    ],
)
def test_a_hostile_address_is_clamped_or_ignored_and_said(models: Models, query: dict[str, str], expected: Any) -> None:
    chosen, notes = settings.from_query(query, RunSettings(), models.names)
    wanted = settings.flat(RunSettings())
    for key, value in (expected or {}).items():
        wanted[key] = wanted[key] | value if isinstance(value, dict) else value
    assert settings.flat(chosen) == wanted
    assert len(notes) == (0 if expected is None else 1)


@pytest.mark.parametrize("target", ["drawn-5", "drawn-999999999999999", "drawn--1", "drawn-٣", "cat", "../../etc/passwd", ""])
def test_any_target_in_the_address_leads_to_a_picture(models: Models, target: str) -> None:
    picked = targets.from_query(target, models.get("faces"))
    assert picked.picture.shape == (3, 64, 64)


@pytest.mark.parametrize(
    ("index", "value", "sentence"),
    [(3, 0, "Steps: it must be at least 1"), (3, None, "Steps: a number"), (6, -1, "X learning rate: it must be more than 0"),
     (10, None, "Z learning rate: a number"), (7, 0, "X first move: it must be more than 0"),
     (12, 0, "Z memory: it must be at least 1"), (4, -1, "Seed: it must be at least 0"), (2, "later", "Start: ")],
)  # fmt: skip
def test_a_form_value_out_of_range_is_named(models: Models, session: Session, index: int, value: Any, sentence: str) -> None:
    note = events.note(models, session, [*FORM[:index], value, *FORM[index + 1 :]])
    assert note["level"] == "error"
    assert note["text"].startswith(sentence)


def test_the_note_says_how_the_next_run_differs(models: Models, session: Session) -> None:
    list(events.run(models, session, FORM))
    assert "repeat run 1" in events.note(models, session, FORM)["text"]
    changed = events.note(models, session, [*FORM[:10], 0.3, *FORM[11:]])
    assert changed["text"] == "Next run: same target and start as run 1, but Z learning rate 0.1 → 0.3."
    assert changed["query"] == {"steps": "6", "z_lr": "0.3", "target": "drawn-3"}
    session.target = targets.example("cat")
    assert "another target" in events.note(models, session, FORM)["text"]


def test_what_an_optimiser_does_not_have_is_not_in_words() -> None:
    adam, lbfgs = OptimizerSettings(), OptimizerSettings(name="lbfgs", lr=1.0, first_move=4.0, history=100)
    said = dict(settings.words(RunSettings.pair(x=adam, z=lbfgs)))
    assert (said["Z first move"], said["Z memory"]) == ("4", "100")
    assert not {"X first move", "X memory"} & set(said)
    other = RunSettings.pair(x=adam.model_copy(update={"history": 50}), z=lbfgs.model_copy(update={"history": 50}))
    assert settings.difference(RunSettings.pair(x=adam, z=lbfgs), other) == ["Z memory 100 → 50"]


def test_another_model_is_in_the_address_and_its_own_defaults_are_not(models: Models, session: Session) -> None:
    chosen = defaults(models, "cats")
    query = events.note(models, session, settings.values_of(chosen))["query"]
    assert query == {"model": "cats", "target": "drawn-3"}
    assert events.open_page(models, Session(), query) == (chosen, [])


def test_z_starts_with_the_optimiser_advised_for_its_space() -> None:
    advised = {"X": OptimizerSettings(lr=0.7), "paper": OptimizerSettings(name="gd", lr=0.2)}
    models = Models({"faces": lambda perceptual: replace(tiny_task(), advised=advised)})
    chosen, notes = events.open_page(models, Session(), {"space": "paper"})
    assert (chosen.lanes[1].optimizer, notes) == (advised["paper"], [])
    assert chosen.lanes[0].optimizer.name == "gd"  # whoever compares spaces gives both the same optimiser
    session = Session()
    chosen, notes = events.open_page(models, session, {"space": "nowhere"})
    assert (chosen.space, chosen.lanes[1].optimizer.name, len(notes)) == ("residual", "adam", 1)
    assert events.note(models, session, settings.values_of(chosen))["query"] == {"target": f"drawn-{targets.FIRST_DRAWN}"}


def test_no_model_at_all_is_one_sentence() -> None:
    with pytest.raises(UserError, match="no trained model"):
        events.open_page(Models({}), Session(), {})
