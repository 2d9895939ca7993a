"""The Features tab without a browser: what a run streams and says, what the decoders make of a picture, and bad input."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
import torch

from app.features import run as events
from app.features.form import build_features_form
from app.features.models import Features, against_x, words
from app.features.run import DECODER, NO_THETA, FeaturesSession
from app.landscape import run as landscape
from app.landscape.drawing import Drawing, Resources
from app.landscape.plan import Plan, offered
from app.runs.models import Models
from app.runs.session import Picked, Session
from app.runs.settings import defaults, from_values, values_of
from app.runs.standing import standing_of
from app.target.targets import example, first
from landscape_core.autoencoders.run_card import FeaturesCard
from landscape_core.autoencoders.task import CODES
from landscape_core.errors import UserError
from landscape_core.records.export import CARD, README
from landscape_core.search.thetas import RANDOM
from landscape_core.surfaces.views import Shown
from tests.app.racing import laid_out
from tests.tiny.inverters import Distance, publish_inverters
from tests.tiny.models import tiny_task

Message = dict[str, Any]
NAME = "features/robust-stage3"


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Features:
    found = Features(publish_inverters(tmp_path_factory.mktemp("features")))
    found._lpips._sources["lpips"] = Distance
    return found


@pytest.fixture
def session(features: Features) -> FeaturesSession:
    return Session(target=first(features.tasks.get(NAME)))


def run(features: Features, session: FeaturesSession, task: str = NAME, **others: Any) -> list[Message]:
    return list(events.start(features, session, defaults(features.tasks, task, steps=4, **others)))


def test_names_are_words() -> None:
    assert words("features/robust-stage4" + CODES) == "Robust, stage 4, codes"
    assert words("features/plain-stage3") == "Standard, stage 3"
    assert words("features/faces") == "faces"


@pytest.mark.parametrize("task", [NAME, NAME + CODES])
def test_a_run_streams_pictures_and_ends_with_all_measures(features: Features, session: FeaturesSession, task: str) -> None:
    messages = run(features, session, task)
    assert messages[0]["kind"] == "begin"
    assert messages[0]["encoder"]["png"]
    assert [step for m in messages if m["kind"] == "frames" for step in m["steps"]] == [0, 1, 2, 3, 4]
    end = messages[-1]
    assert [head for head, _ in end["judges"]["heads"]] == ["loss", "PSNR", "SSIM", "LPIPS"]
    assert next(iter(end["judges"]["rows"])) == DECODER
    assert len(end["judges"]["rows"]) == 5
    standing = standing_of(session.run)
    assert standing is not None
    assert standing.task.name == task


@pytest.mark.parametrize(
    ("task", "kinds"), [(NAME, ("path", "shared", "cut")), (NAME + CODES, ("recovered", "hessian", "random"))]
)
def test_the_landscape_of_a_run_is_drawn(
    features: Features, session: FeaturesSession, task: str, kinds: tuple[Shown, ...]
) -> None:
    run(features, session, task)
    standing, shared = standing_of(session.run), Resources(Models({"faces": lambda _: tiny_task()}))
    assert standing is not None
    assert {kind for _, kind in offered(standing.task, standing.space)[0]} >= {*kinds}
    for kind in kinds:
        drawing, plan = Drawing(1), Plan(kind, 21, session.run.settings)
        *_, last = landscape.run(shared, drawing, plan, "Features", standing, Session())
        assert (last["kind"], last["reason"]) == ("drawn", "")
        if kind == "cut":
            assert drawing.cut is not None
            continue
        for panel in drawing.panels:
            assert torch.isfinite(panel.surface.losses).all()
            assert panel.surface.losses.std() > 0


def test_a_run_is_continued_exported_and_repeated_from_its_card(features: Features, session: FeaturesSession) -> None:
    run(features, session)
    further = list(events.resume(features, session, 2))
    with zipfile.ZipFile(events.export(session)) as archive:
        text, readme = archive.read(CARD), archive.read(README).decode()
    assert "| observed | the picture's features |" in readme
    assert "perceptual distance" not in readme
    card = FeaturesCard.model_validate_json(text)
    assert (further[-1]["kind"], card.settings.steps) == ("end", 6)
    other: FeaturesSession = Session()
    loaded, sentence = events.load_card(features, other, text)
    assert "the models are the same" in sentence
    again = list(events.start(features, other, loaded.settings))
    assert "exactly" in again[-1]["replay"]


def test_the_form_holds_all_that_a_card_asks_for(features: Features) -> None:
    """Run with a form that a card has filled is the card's run, its weight on the prior too."""
    asked = defaults(features.tasks, NAME, steps=4, start="random", seed=7, prior_weight=0.2)
    form, _ = laid_out(lambda: build_features_form(gr.Dropdown(features.tasks.names)))
    assert from_values({name: value for name, value in values_of(asked).items() if name in form}) == asked


def test_a_picture_is_shown_by_every_network_of_its_stage_freed_of_noise_and_in_a_style(
    features: Features, session: FeaturesSession
) -> None:
    message = events.applied(features, session, NAME + CODES, 0.2, "still-life", 0.5)
    titles = {group["title"]: [tile["title"] for tile in group["tiles"]] for group in message["groups"]}
    networks = ["Robust, stage 3", "Standard, stage 3"]
    assert titles == {
        "Given back in one pass": networks,
        "Freed of noise": ["Under noise", *networks],
        "Another's style": ["Style", "In that style"],
    }
    assert "dB" in message["groups"][0]["tiles"][0]["reading"]
    assert "error of reconstruction" in message["text"]
    known = features.inverter(NAME).known_errors
    assert message["place"]["known"] == known
    assert f"that of {100 * sum(each < message['place']['error'] for each in known) / len(known):.0f}\u00a0%" in message["text"]
    assert json.loads(json.dumps(message)) == message


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ((2, "still-life", 0.5), "noise must be a number from 0 to 1"),
        ((0.1, "nothing", 0.5), "There is no example 'nothing'"),
        ((0.1, "still-life", "much"), "strength of the style must be"),
    ],
)
def test_bad_values_are_sentences(features: Features, session: FeaturesSession, values: Any, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        events.applied(features, session, NAME, *values)


def test_without_a_picture_nothing_is_run(features: Features) -> None:
    with pytest.raises(UserError, match="Choose a picture first"):
        run(features, Session())
    with pytest.raises(UserError, match="press Run first"):
        events.export(Session())
    assert events.applied(features, Session(), NAME, 0.1, "still-life", 0.5)["groups"] == []


def test_a_picture_of_another_side_is_cut_again(features: Features) -> None:
    session: FeaturesSession = Session(target=example("astronaut", 64))
    run(features, session)
    assert isinstance(session.target, Picked)
    assert session.target.picture.shape == (3, 32, 32)


def test_without_models_the_tab_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="train features-decoder"):
        Features(tmp_path)


def test_an_address_brings_the_settings_and_the_picture_back(features: Features) -> None:
    session: FeaturesSession = Session()
    query = {"model": NAME + CODES, "steps": "9", "target": "astronaut", "lanes": "X-adam,Z-adam"}
    chosen, notes = events.open_page(features, session, query)
    assert notes == []
    assert (chosen.task, chosen.steps, len(chosen.lanes)) == (NAME + CODES, 9, 2)
    assert session.target is not None
    assert session.target.label == "astronaut"
    said = events.note(features, session, values_of(chosen))
    assert said["query"].items() >= {"model": NAME + CODES, "steps": "9", "target": "astronaut"}.items()
    _, notes = events.open_page(features, session, {"model": "nothing", "target": "nothing"})
    assert len(notes) == 2
    assert session.target.label == "chelsea"
    assert events.note(features, session, {**values_of(chosen), "steps": 0})["level"] == "error"


def test_a_stage_without_a_trained_theta_begins_with_x_alone(features: Features, session: FeaturesSession) -> None:
    chosen, _ = events.open_page(features, session, {"steps": "2"})
    assert [lane.row for lane in chosen.lanes] == ["X", "X"]
    assert events.usual(features, NAME).learned == events.other_model(features, values_of(chosen)).learned == []
    *_, end = events.start(features, session, chosen)
    assert end["hint"] == ""
    known = Features()
    trained = events.other_model(known, {**values_of(chosen), "model": "features/robust-stage4"})
    assert [lane.row for lane in trained.lanes] == ["X", "Z", "X", "Z"], "a model with a Θ has Z again"


def test_a_stage_without_a_trained_theta_says_so_before_and_after_a_run(features: Features, session: FeaturesSession) -> None:
    chosen, _ = events.open_page(features, session, {"steps": "2", "lanes": "X-adam,Z-adam"})
    assert events.note(features, session, values_of(chosen))["text"] == NO_THETA
    *_, end = events.start(features, session, chosen)
    assert end["hint"] == NO_THETA


def test_a_learned_space_is_told_with_how_it_fared_against_x(features: Features) -> None:
    said = against_x({"10": 0.2, "50": 0.3}, {"10": 0.4, "50": 0.2})
    assert said.endswith("against X's: 50\u00a0% lower after 10, 50\u00a0% higher after 50 steps.")
    assert features.compared(NAME, RANDOM) == ""  # an untrained one has no card
    known = Features()
    assert "by Adam in both" in known.compared("features/robust-stage4", "residual")
