"""Completions go on, come back from their card, and live in the address."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
import torch
from PIL import Image

from app.complete import picks, settings, stream
from app.complete import run as events
from app.complete import run as files
from app.complete.mask_link import LONGEST
from app.complete.session import CompletionSession as Session
from app.complete.settings import CompletionSettings as Asked
from app.invert import run as invert_events
from app.invert import run as race
from app.runs.address import of_tab
from app.runs.legs import with_errors
from app.runs.models import Models
from app.runs.session import Picked
from app.runs.session import Session as RaceSession
from app.target import targets
from landscape_core.errors import UserError
from landscape_core.generators.masks import preset
from landscape_core.generators.run_card import read_run_card
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.race import RunSettings
from tests.tiny.models import tiny_task

CENTRE = stream.mask_text(preset("centre", 64))
EYES = stream.mask_text(preset("eyes", 64))
USUAL = Asked(RunSettings.pair(steps=4, start="random"), 4)
Message = dict[str, Any]


@pytest.fixture(scope="module")
def models() -> Models:
    return Models({"faces": lambda perceptual: tiny_task(), "cats": lambda perceptual: tiny_task("cats")})


@pytest.fixture
def session(models: Models) -> Session:
    return Session(target=targets.drawn(models.get("faces"), 3), mask=EYES)


def run(models: Models, session: Session, asked: Asked = USUAL) -> list[Message]:
    return list(events.start(models, session, settings.from_values(settings.values_of(asked))))


def more(models: Models, session: Session, steps: Any) -> list[Message]:
    """As the page gets it."""
    return list(with_errors(lambda: events.resume(models, session, steps)))


def losses(session: Session, lane: str) -> torch.Tensor:
    return session.run.trajectory.lane(lane).loss_table()


def test_continuing_gives_the_numbers_of_an_uninterrupted_run(models: Models, session: Session) -> None:
    run(models, session, Asked(USUAL.settings.model_copy(update={"steps": 7}), 4))
    whole = {lane: losses(session, lane) for lane in "XZ"}
    first = run(models, session)
    assert first[-1]["more"] == settings.USUAL_STEPS
    further = list(more(models, session, 3))
    assert (further[0]["seq"], further[0]["run"]) == (first[-1]["seq"] + 1, first[0]["run"])
    assert further[-1]["step"] == 7
    for lane in "XZ":
        assert torch.equal(losses(session, lane), whole[lane])


def test_what_cannot_go_on_is_said(models: Models, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    (message,) = more(models, session, 5)
    assert "no run to continue" in message["text"]
    run(models, session)
    for wrong in (0, 1.5, None, "5"):
        (message,) = more(models, session, wrong)
        assert "whole number" in message["text"]
    monkeypatch.setattr(events, "MAX_STEPS", 6)
    assert list(more(models, session, 99))[-1]["more"] == 0
    (message,) = more(models, session, 1)
    assert "at most 6 steps" in message["text"]


def test_after_a_stop_the_rest_is_offered(models: Models, session: Session) -> None:
    going = events.start(models, session, Asked(USUAL.settings.model_copy(update={"steps": 200}), 4))
    next(going), next(going)
    session.stop()
    end = list(going)[-1]
    assert end["more"] == 200 - end["step"]
    assert end["reason"].startswith("Stopped at step")


def exported(session: Session) -> bytes:
    return files.export(session).read_bytes()


@pytest.mark.parametrize("settings_of", [{}, {"space": "paper", "seed": 9, "z": OptimizerSettings(name="lbfgs", lr=0.5)}])
def test_an_export_replays_bit_for_bit(models: Models, session: Session, settings_of: Message) -> None:
    run(models, session, Asked(USUAL.settings.model_copy(update=settings_of), 5))
    list(more(models, session, 2))
    data = exported(session)
    other = Session()
    asked, sentence = files.load_card(models, other, data)
    assert (asked.k, asked.settings.steps, other.mask, other.run) == (5, 6, EYES, None)
    assert "exactly" in sentence
    end = run(models, other, asked)[-1]
    assert end["replay"].startswith("This repeats the card's run exactly")
    other.mask = stream.mask_text(preset("mouth", 64))
    assert "replay" not in run(models, other, asked)[-1]  # another mask is another run


def test_a_replay_that_differs_says_so(models: Models, session: Session) -> None:
    run(models, session)
    card = json.loads(files.card_of(session.run).model_dump_json())
    card["result"]["losses"]["Z"][2] *= 2
    other = Session()
    asked, _ = files.load_card(models, other, json.dumps(card).encode())
    assert "on average" in run(models, other, asked)[-1]["replay"]


def test_the_export_is_the_whole_run(models: Models, session: Session) -> None:
    with pytest.raises(UserError, match="no completions"):
        files.export(session)
    run(models, session)
    with zipfile.ZipFile(io.BytesIO(exported(session))) as archive:
        assert read_run_card(archive.read("run.json").decode()).k == 4
        assert len([name for name in archive.namelist() if name.startswith("completions/")]) == 8
        with Image.open(io.BytesIO(archive.read("sheet.png"))) as sheet:
            assert sheet.size == (5 * 64, 128)


def test_a_card_goes_to_the_tab_it_is_for(models: Models, session: Session) -> None:
    run(models, session)
    completions = files.card_of(session.run).model_dump_json().encode()
    with pytest.raises(UserError, match="load it in the Complete tab"):
        invert_events.load_card(models, RaceSession(), completions)
    list(race.start(models, session, RunSettings(steps=2)))
    of_race = race.card_of(session.run).model_dump_json().encode()
    with pytest.raises(UserError, match="load it in the Invert tab"):
        files.load_card(models, Session(), of_race)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"k": 64}, "from 4 to 20"), ({"k": 2}, "from 4 to 20"), ({"settings": {"steps": 301}}, "at most 300"),
     ({"settings": {"task": "dogs"}}, "“dogs”"), ({"settings": {"lanes": [{}, {"space": "flow"}]}}, "no space 'flow'"),
     ({"mask_png": "AAAA"}, "PNG pictures are accepted"), ({"target_png": "AAAA"}, "PNG pictures are accepted")],
)  # fmt: skip
def test_a_card_that_the_tab_cannot_run_changes_nothing(
    models: Models, session: Session, change: Message, sentence: str
) -> None:
    run(models, session)
    card = json.loads(files.card_of(session.run).model_dump_json())
    card |= {key: card[key] | value if isinstance(value, dict) else value for key, value in change.items()}
    other = Session(target=session.target, mask="1")
    with pytest.raises(UserError, match=sentence):
        files.load_card(models, other, json.dumps(card).encode())
    assert (other.card, other.mask) == (None, "1")
    assert other.target is session.target


# --- the address ----------------------------------------------------------------------------------------------


def test_the_address_says_everything_and_comes_back(models: Models, session: Session) -> None:
    asked = Asked(
        RunSettings.pair(task="cats", space="paper", seed=7, steps=33, start="random", z=OptimizerSettings(lr=0.5)), 12
    )
    query = events.note(models, session, settings.values_of(asked))["query"]
    assert (query["mask"], query["target"]) == ("eyes", "drawn-3")
    other = Session()
    assert events.open_page(models, other, query) == (asked, [])
    assert other.mask == EYES
    assert settings.query_of(settings.defaults(models), models) == {"lanes": "X-lbfgs,Z-lbfgs"}


@pytest.mark.parametrize(
    ("query", "change"),
    [({"steps": "99999"}, {"steps": 300}), ({"steps": "-4"}, {"steps": 1}), ({"k": "1e9"}, {"k": 20}),
     ({"k": "0"}, {"k": 4}), ({"k": "7.5"}, {}), ({"k": "nan"}, {}), ({"k": "many"}, {}), ({"mask": "../../etc"}, {}),
     ({"mask": "0AAAA"}, {}), ({"mask": "painted"}, {}), ({"model": "dogs"}, {}),
     ({"space": "flow"}, {}), ({"lanes": "<script>"}, {}), ({"seed": "1e99"}, {"seed": 2**31 - 1})],
)  # fmt: skip
def test_a_hostile_address_is_clamped_or_ignored_and_said(models: Models, query: dict[str, str], change: Message) -> None:
    session = Session()
    asked, notes = events.open_page(models, session, query)
    usual = settings.defaults(models)
    k = change.pop("k", usual.k)
    assert asked == Asked(usual.settings.model_copy(update=change), k)
    assert len(notes) == 1
    assert (session.mask, session.run) == ("" if "mask" in query else CENTRE, None)


@pytest.mark.parametrize("side", [64, 128])
def test_a_mask_painted_by_hand_is_in_the_address_whatever_it_is(models: Models, session: Session, side: int) -> None:
    noise = torch.rand(side * side, generator=torch.Generator().manual_seed(1)) < 0.5
    session.mask = "".join("1" if visible else "0" for visible in noise.tolist())
    query = events.note(models, session, settings.values_of(USUAL))["query"]
    assert 100 < len(query["mask"]) < LONGEST
    other = Session()
    assert events.open_page(models, other, query)[1] == []
    assert other.mask == session.mask


def test_an_address_made_with_an_upload_says_that_it_is_missing(models: Models) -> None:
    """Nothing takes its place; a page that goes back still has it."""
    session = Session()
    events.open_page(models, session, {"target": "upload"})
    assert session.target is None
    assert "add it again" in session.missing
    with pytest.raises(UserError, match="Choose a picture first"):
        list(events.start(models, session, USUAL))
    session.target = mine = Picked(targets.example("cat", 64).picture, "your picture", {"target": "upload"})
    events.open_page(models, session, {"target": "upload"})
    assert (session.target, session.missing) == (mine, "")


def test_addresses_of_before_every_tab_had_one_still_open() -> None:
    assert of_tab({"tab": "complete", "c_k": "7"}, "complete") == {"tab": "complete", "k": "7"}
    assert of_tab({"tab": "complete", "c_k": "7"}, "invert") == {}
    assert of_tab({"tab": "landscape", "target": "cat", "steps": "7"}, "invert") == {"target": "cat"}


# --- sending one on -------------------------------------------------------------------------------------------


def test_the_completion_that_was_picked_goes_to_the_landscape(models: Models, session: Session) -> None:
    assert picks.landscape_of(session) is None
    run(models, session)
    picks.pick(session, 2)
    standing = picks.landscape_of(session)
    assert standing.label == "completion 3 of model's picture 3"
    assert torch.equal(standing.target.mask, preset("eyes", 64))
    for lane in "XZ":
        assert torch.equal(standing.trajectory.lane(lane).loss_table(), losses(session, lane)[:, 2:3])
    for wrong in (4, -1, "0", None):
        with pytest.raises(UserError, match="no longer known"):
            picks.pick(session, wrong)
    run(models, session)
    assert picks.landscape_of(session).label.startswith("completion 1 ")
