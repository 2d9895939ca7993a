"""What the Complete tab observes: simulated or taken, in the form, in the address, on cards, and in what it streams."""

from __future__ import annotations

import json
import zipfile
from typing import Any

import pytest
import torch

from app.complete import observing, settings, stream
from app.complete import run as events
from app.complete.observing import Asked
from app.complete.session import CompletionSession as Session
from app.complete.settings import from_values
from app.runs.legs import with_errors
from app.runs.models import Models
from app.runs.session import Picked
from app.target import targets
from landscape_core.generators.masks import preset
from landscape_core.generators.observing import Instrument
from landscape_core.images.pixels import png_tensor
from landscape_core.search.prior_term import PriorTerm
from tests.app.test_complete import form
from tests.tiny.models import tiny_task

MOUTH = stream.mask_text(preset("mouth", 64))


@pytest.fixture(scope="module")
def models() -> Models:
    return Models({"faces": lambda perceptual: tiny_task()})


@pytest.fixture
def session(models: Models) -> Session:
    return Session(target=targets.drawn(models.get("faces"), 3))


def run(models: Models, session: Session, **changes: Any) -> list[dict[str, Any]]:
    return list(with_errors(lambda: events.start(models, session, from_values(form(**changes)))))


@pytest.mark.parametrize("name", [name for _, name in observing.CHOICES])
def test_everything_offered_can_be_run_and_its_card_repeats_it(models: Models, session: Session, name: str) -> None:
    session.mask = MOUTH
    begin, *_, end = run(models, session, observation=name)
    assert end["kind"] == "end", end
    assert torch.equal(png_tensor(begin["truth"]), session.target.picture)
    assert (begin["mask"] == MOUTH) == (name == "mask")
    assert begin["loss"] == Instrument.of(name).loss_words(64)
    path = events.export(session)
    other = Session()
    asked, sentence = events.load_card(models, other, path.read_bytes())
    assert "repeats it exactly" in sentence
    assert observing.values_of(asked.observed) == {"observation": str(Instrument.of(name)), "source": "simulated"}
    again = list(events.start(models, other, asked))[-1]
    assert "repeats the card's run exactly" in again["replay"]


def test_ones_own_small_picture_is_searched_for_as_it_is(models: Models) -> None:
    small = torch.randint(0, 256, (3, 8, 8), generator=torch.Generator().manual_seed(0)).byte()
    session = Session(target=Picked(small, "your picture"))
    begin, *_, end = run(models, session, observation="low-resolution:8", source="taken")
    assert begin["truth"] is None
    assert torch.equal(((session.run.solver.target.value[0] + 1) * 127.5).round().byte(), small)
    assert [head for head, _ in end["judges"]["heads"]] == ["loss", "PSNR", "as far out"]
    with zipfile.ZipFile(events.export(session)) as archive:
        card = json.loads(archive.read("run.json"))
    assert (card["taken"], card["observation"], card["mask_png"]) == (True, "low-resolution:8", None)
    other = Session()
    asked, _ = events.load_card(models, other, events.export(session).read_bytes())
    assert asked.observed.taken
    assert "exactly" in list(events.start(models, other, asked))[-1]["replay"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"observation": "fog"}, "no observation 'fog'"),
        ({"observation": "measurements:9", "source": "taken"}, "simulate them"),
        ({"source": "elsewhere"}, "Where it comes from"),
        ({"prior": 0.6}, "from 0 to 0.5"),
        ({"prior": None}, "from 0 to 0.5"),
        ({"observation": "low-resolution:16+measurements:500"}, "at most as many"),
    ],
)
def test_what_cannot_be_observed_is_said(models: Models, session: Session, change: Any, said: str) -> None:
    (message,) = run(models, session, **change)
    assert message["kind"] == "error"
    assert said in message["text"]
    note = events.note(models, session, form(**change))
    assert note["level"] == "error"
    assert said in note["text"]


def test_the_painter_shows_what_is_observed_and_paints_where_a_mask_is_asked_for(models: Models, session: Session) -> None:
    for name, painting in (("mask", True), ("blur:gaussian:2+mask", True), ("low-resolution:8", False)):
        events.note(models, session, form(observation=name))
        message = events.painter_message(session)
        assert message["painting"] == painting
        assert message["loss"].startswith("The loss is")
        assert torch.equal(png_tensor(message["picture"]), session.target.picture) == (name == "mask")


def test_the_address_has_what_is_observed_and_the_prior(models: Models, session: Session) -> None:
    asked = from_values(form(observation="blur:gaussian:4+noise:0.1@7", source="taken", prior=0.05))
    query = settings.query_of(asked, models)
    again, notes = settings.from_query(query, settings.defaults(models), models)
    assert notes == []
    assert observing.values_of(again.observed) == {"observation": "blur:gaussian:4+noise:0.1@7", "source": "taken"}
    assert again.settings.prior_weight == 0.05
    usual = settings.query_of(from_values(form()), models)
    assert not {key for key in usual if key.endswith(("observation", "source", "prior"))}
    broken = {key: "fog" if key.endswith("observation") else value for key, value in query.items()}
    kept, notes = settings.from_query(broken, settings.defaults(models), models)
    assert kept.observed == Asked(observing.USUAL.instrument, taken=True)
    assert "observation “fog”, which is not accepted" in notes[0]


def test_the_prior_calms_and_its_price_in_fit_is_what_is_shown(models: Models, session: Session) -> None:
    term = PriorTerm(models.get("faces").prior, 1.0)
    found = {}
    for weight in (0.0, 0.5):
        begin, *_, end = run(models, session, observation="low-resolution:8", prior=weight)
        lane, state = session.run.solver.lanes[1], session.run.trajectory.last.lanes[1]
        away = float(term(lane.space.to_x(state.variable)).mean())
        assert end["lanes"]["Z"]["fidelity"] == pytest.approx(float(state.loss.mean()) - weight * away, rel=1e-4)
        assert ("0.5 times the squared distance" in begin["loss"]) == bool(weight)
        found[weight] = away
    assert found[0.5] < found[0.0]
