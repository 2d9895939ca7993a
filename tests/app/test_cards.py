"""Exports and run cards in the app: exact replays, and files that are none."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from PIL import Image

from app.invert import run as events
from app.invert import run as race
from app.runs.cards import read_card_file
from app.runs.models import Models
from app.runs.session import Session
from app.runs.settings import query_of
from landscape_core.errors import UserError
from landscape_core.generators.run_card import RunCard, read_run_card
from landscape_core.records.card_file import MAX_CARD
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.race import LaneSettings, RunSettings
from tests.app.racing import race_of


def test_an_export_replays_bit_for_bit(models: Models, session: Session) -> None:
    race_of(models, session, seed=4, start="random")
    data = events.export(session).read_bytes()
    other = Session()
    chosen, shown, sentence = events.load_card(models, other, data)
    assert other.run is None
    assert shown["kind"] == "target"
    assert "exactly" in sentence
    end = list(race.start(models, other, chosen))[-1]
    assert end["replay"].startswith("This repeats the card's run exactly")


def test_a_run_in_x_alone_replays_bit_for_bit(models: Models, session: Session) -> None:
    alone = RunSettings(lanes=(LaneSettings(),), steps=3)
    list(race.start(models, session, alone))
    other = Session()
    chosen, _, sentence = events.load_card(models, other, race.card_of(session.run).model_dump_json().encode())
    assert "exactly" in sentence
    assert "space" not in query_of(chosen, models)
    assert list(race.start(models, other, chosen))[-1]["replay"].startswith("This repeats the card's run exactly")


def test_a_replay_that_differs_says_so(models: Models, session: Session) -> None:
    race_of(models, session)
    card = json.loads(race.card_of(session.run).model_dump_json())
    card["result"]["losses"]["Z"] *= 2
    other = Session()
    chosen, _, _ = events.load_card(models, other, json.dumps(card).encode())
    assert list(race.start(models, other, chosen))[-1]["replay"].startswith("This differs")


def test_a_card_of_other_models_warns(models: Models, session: Session) -> None:
    race_of(models, session)
    card = json.loads(race.card_of(session.run).model_dump_json())
    card["models"]["faces/generator"] = "1" * 64
    _, _, sentence = events.load_card(models, Session(), json.dumps(card).encode())
    assert "faces/generator" in sentence


def test_a_continued_run_has_a_card_of_all_its_steps(models: Models, session: Session) -> None:
    race_of(models, session)
    list(race.resume(models, session, 4))
    assert race.card_of(session.run).settings.steps == 10
    race_of(models, session, x=OptimizerSettings(name="adam-ramps"))
    end = list(race.resume(models, session, 4))[-1]
    assert "learning rate stays zero" in end["hint"]
    card = race.card_of(session.run)
    assert (card.settings.steps, card.result["step"]) == (6, 10)


def bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("run.json", b" " * (MAX_CARD + 1))
    return buffer.getvalue()


def zip_without_card() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("other.txt", "x")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"", "not a run card"), (b"\xff\xfe\x00", "not a run card"), (b"{}", "not a run card"),
     (b" " * (MAX_CARD + 1), "at most"), (bomb(), "unpacks to"), (zip_without_card(), "no run.json in this zip"),
     (b"PK\x03\x04 broken", "not a run card")],
    ids=["empty", "binary", "other json", "long", "bomb", "zip without", "broken zip"],
)  # fmt: skip
def test_a_file_that_is_no_card_gets_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        read_card_file(data, RunCard)


def test_the_export_holds_what_it_promises(models: Models, session: Session) -> None:
    race_of(models, session)
    with zipfile.ZipFile(events.export(session)) as archive:
        assert {"README.md", "run.json", "measures.csv", "loss.svg", "run.mp4"} < set(archive.namelist())
        assert read_run_card(archive.read("run.json").decode()).result["step"] == 6
        assert f"| target | {session.run.target.label} |" in archive.read("README.md").decode()
        rows = archive.read("measures.csv").decode().splitlines()
        assert rows[0] == "step,lane,loss,seconds,psnr_db"
        assert len(rows) == 1 + 7 * 2
        assert float(rows[-1].split(",")[2]) == float(session.run.trajectory.lane("Z").losses[-1])
        with Image.open(io.BytesIO(archive.read("run.gif"))) as gif:
            assert gif.n_frames == 7


def test_a_card_with_lanes_that_the_table_has_no_place_for_changes_nothing(models: Models, session: Session) -> None:
    race_of(models, session)
    card = json.loads(race.card_of(session.run).model_dump_json())
    card["settings"]["lanes"] = [{"optimizer": {"name": name}} for name in ("adam", "gd", "lbfgs")]
    fresh = Session()
    with pytest.raises(UserError):
        events.load_card(models, fresh, json.dumps(card).encode())
    assert fresh.target is None
