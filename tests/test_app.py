"""The app without a browser: what its generators stream, and what its handlers say to bad input."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from app import invert_events as events
from app import race, settings, stream, targets
from app.cards import read_card_file
from app.examples import EXAMPLES, FOLDER
from app.models import Models
from app.session import Session, Sessions
from landscape_core.errors import UserError
from landscape_core.runs import MAX_STEPS, OptimizerSettings, RunSettings, png_tensor, read_run_card
from tests.tiny import tiny_task

FORM = ["faces", "residual", "mean", 6, 0, "adam", 0.1, "adam", 0.1, "embedded"]
Message = dict[str, Any]


@pytest.fixture(scope="module")
def models() -> Models:
    return Models({"faces": lambda perceptual: tiny_task(), "cats": lambda perceptual: tiny_task("cats")})


@pytest.fixture
def session(models: Models) -> Session:
    return Session(target=targets.drawn(models.get("faces"), 3))


def race_of(models: Models, session: Session, **changes: Any) -> list[Message]:
    return list(race.start(models, session, RunSettings(steps=6).model_copy(update=changes)))


def column(messages: list[Message], lane: str, what: str) -> list[Any]:
    return [value for m in messages if m["kind"] == "frames" for value in m["lanes"][lane][what]]


# --- the stream ---------------------------------------------------------------------------------------------


def test_a_run_streams_every_step_of_both_lanes_with_its_pictures(models: Models, session: Session) -> None:
    messages = race_of(models, session)
    assert [m["kind"] for m in messages] == ["begin", *["frames"] * (len(messages) - 2), "end"]
    assert [m["seq"] for m in messages] == list(range(len(messages)))
    assert [step for m in messages if m["kind"] == "frames" for step in m["steps"]] == list(range(7))
    recorded = session.run.trajectory.lane("Z")
    assert column(messages, "Z", "loss") == [float(loss[0]) for loss in recorded.losses]
    assert column(messages, "X", "seconds") == sorted(column(messages, "X", "seconds"))
    shown = png_tensor(column(messages, "X", "png")[-1])
    last = session.run.trajectory.last.lanes[0].output[0]
    assert torch.equal(shown, ((last.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8))
    assert torch.equal(png_tensor(messages[0]["target"]), session.target.picture)
    json.dumps(messages, allow_nan=False)


def test_the_first_batch_is_the_start_alone_and_later_ones_wait_for_the_interval(models: Models, session: Session) -> None:
    race_of(models, session)
    run = session.run
    run.trajectory = type(run.trajectory).empty(["X", "Z"])
    now = [0.0]

    def states() -> Iterator[Any]:
        state = run.solver.init([lane.space.mean_start(1) for lane in run.solver.lanes])
        for _ in range(5):
            yield state
            now[0] += 0.04
            state = run.solver.step(state)

    sizes = [len(m["steps"]) for m in stream.batches(run, states(), clock=lambda: now[0])]
    assert sizes == [1, 3, 1]


def test_past_step_300_only_every_fifth_picture_is_sent() -> None:
    assert [step for step in range(295, 316) if stream.shown(step)] == [295, 296, 297, 298, 299, 300, 305, 310, 315]


def test_the_end_says_what_happened_and_shows_the_best(models: Models, session: Session) -> None:
    end = race_of(models, session)[-1]
    assert end["summary"].count("step") >= 2
    record = session.run.trajectory.lane("X")
    best = min(range(7), key=lambda i: float(record.losses[i]))
    assert end["lanes"]["X"]["best"]["step"] == best
    assert end["lanes"]["X"]["last"]["step"] == 6
    assert len(end["reached"]) == 7
    assert end["more"] == 100


def test_stop_takes_effect_before_the_next_step_and_keeps_what_is_there(models: Models, session: Session) -> None:
    running = race.start(models, session, RunSettings(steps=500))
    next(running), next(running)
    session.stop()
    rest = list(running)
    steps = session.run.trajectory.steps
    assert steps[-1] <= 2
    assert rest[-1]["kind"] == "end"
    assert rest[-1]["reason"].startswith(f"Stopped at step {steps[-1]}")


def test_continuing_gives_the_numbers_of_an_uninterrupted_run(models: Models, session: Session) -> None:
    whole = race_of(models, session, steps=8)
    race_of(models, session, steps=3)
    list(race.resume(session, 5))
    record = session.run.trajectory
    assert record.steps == list(range(9))
    for lane in ("X", "Z"):
        assert [float(loss) for loss in record.lane(lane).losses] == column(whole, lane, "loss")


def test_continuing_numbers_its_messages_on(models: Models, session: Session) -> None:
    first = race_of(models, session)
    further = list(race.resume(session, 2))
    assert further[0]["seq"] == first[-1]["seq"] + 1
    assert further[0]["run"] == first[0]["run"]


@pytest.mark.parametrize("more", [0, -1, 1.5, "10", None])
def test_continuing_by_a_number_that_makes_no_sense_is_refused(models: Models, session: Session, more: Any) -> None:
    race_of(models, session)
    with pytest.raises(UserError, match="whole number"):
        list(race.resume(session, more))


def test_continuing_ends_at_the_most_steps_a_run_takes(
    models: Models, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(race, "MAX_STEPS", 8)
    race_of(models, session)
    assert list(race.resume(session, 50))[-1]["more"] == 0
    assert session.run.trajectory.steps[-1] == 8
    with pytest.raises(UserError, match="at most 8"):
        list(race.resume(session, 1))


def test_nothing_to_continue_or_export_is_said(session: Session) -> None:
    with pytest.raises(UserError, match="no run"):
        list(race.resume(session, 5))
    with pytest.raises(UserError, match="no run"):
        events.export(session)


def test_missed_messages_can_be_had_again_by_who_knows_the_run(models: Models) -> None:
    sessions = Sessions()
    session = sessions.get("page")
    session.target = targets.drawn(models.get("faces"), 0)
    messages = race_of(models, session)
    assert sessions.missed(messages[0]["run"], 2) == messages[2:]
    assert sessions.missed("guess", 0) == []
    assert sessions.missed("ünknown", 0) == []


def test_sessions_do_not_touch_each_other(models: Models) -> None:
    sessions = Sessions()
    a, b = sessions.get("a"), sessions.get("b")
    a.target, b.target = targets.drawn(models.get("faces"), 1), targets.drawn(models.get("faces"), 2)
    going = race.start(models, a, RunSettings(steps=5))
    next(going)
    race_of(models, b, steps=2)
    sessions.drop("b")
    assert list(going)[-1]["reason"] == "The step limit was reached."
    assert b.run.stop.is_set()
    assert not a.run.stop.is_set()


def test_the_least_recently_used_session_goes_first() -> None:
    sessions = Sessions(capacity=2)
    a, b = sessions.get("a"), sessions.get("b")
    sessions.get("a")
    sessions.get("c")
    assert sessions.get("a") is a
    assert sessions.get("b") is not b


def test_a_new_run_stops_the_one_before_and_remembers_its_settings(models: Models, session: Session) -> None:
    going = race.start(models, session, RunSettings(steps=500))
    next(going)
    first = session.run
    race_of(models, session, seed=5)
    assert first.stop.is_set()
    restored, shown = events.restore(session, first.id)
    assert restored.seed == 0
    assert shown["kind"] == "target"
    with pytest.raises(UserError, match="no longer known"):
        events.restore(session, "other")


def test_asking_for_what_the_model_lacks_is_one_sentence(models: Models, session: Session) -> None:
    (message,) = events.run(models, session, [*FORM[:1], "nowhere", *FORM[2:]])
    assert message["kind"] == "error"
    assert "no space 'nowhere'" in message["text"]
    (message,) = events.run(models, Session(), FORM)
    assert "Choose a target" in message["text"]


def test_a_distance_that_cannot_be_had_is_one_sentence() -> None:
    def source(perceptual: str) -> Any:
        if perceptual == "lpips":
            raise UserError("LPIPS needs the package lpips.")
        return tiny_task()

    models = Models({"faces": source})
    session = Session(target=targets.drawn(models.get("faces"), 0))
    (message,) = events.run(models, session, [*FORM[:9], "lpips"])
    assert message == {"kind": "error", "text": "LPIPS needs the package lpips."}


# --- settings -----------------------------------------------------------------------------------------------


def test_the_address_says_everything_and_comes_back(models: Models) -> None:
    chosen = RunSettings(
        task="cats", space="paper", seed=7, steps=321, start="random",
        x=OptimizerSettings(name="lbfgs", lr=0.5), z=OptimizerSettings(name="adam-ramps", lr=0.03),
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
    wanted = RunSettings().model_dump()
    for key, value in (expected or {}).items():
        wanted[key] = wanted[key] | value if isinstance(value, dict) else value
    assert chosen.model_dump() == wanted
    assert len(notes) == (0 if expected is None else 1)


@pytest.mark.parametrize("target", ["drawn-5", "drawn-999999999999999", "drawn--1", "drawn-٣", "cat", "../../etc/passwd", ""])
def test_any_target_in_the_address_leads_to_a_picture(models: Models, target: str) -> None:
    picked = targets.from_query(target, models.get("faces"))
    assert picked.picture.shape == (3, 64, 64)


@pytest.mark.parametrize(
    ("index", "value", "sentence"),
    [(3, 0, "Steps: it must be at least 1"), (3, None, "Steps: a number"), (6, -1, "X learning rate: it must be more than 0"),
     (8, None, "Z learning rate: a number"), (4, -1, "Seed: it must be at least 0"), (2, "later", "Start: ")],
)  # fmt: skip
def test_a_form_value_out_of_range_is_named(models: Models, session: Session, index: int, value: Any, sentence: str) -> None:
    note = events.note(models, session, [*FORM[:index], value, *FORM[index + 1 :]])
    assert note["level"] == "error"
    assert note["text"].startswith(sentence)


def test_the_note_says_how_the_next_run_differs(models: Models, session: Session) -> None:
    list(events.run(models, session, FORM))
    assert "repeat run 1" in events.note(models, session, FORM)["text"]
    changed = events.note(models, session, [*FORM[:8], 0.3, FORM[9]])
    assert changed["text"] == "Next run: same target and start as run 1, but Z learning rate 0.1 → 0.3."
    assert changed["query"] == {"steps": "6", "z_lr": "0.3", "target": "drawn-3"}
    session.target = targets.example("cat")
    assert "another target" in events.note(models, session, FORM)["text"]


def test_z_starts_with_the_optimiser_advised_for_its_space() -> None:
    advised = {"X": OptimizerSettings(lr=0.7), "paper": OptimizerSettings(name="gd", lr=0.2)}
    models = Models({"faces": lambda perceptual: replace(tiny_task(), advised=advised)})
    chosen, notes = events.open_page(models, Session(), {"space": "paper"})
    assert (chosen.x.lr, chosen.z, notes) == (0.7, advised["paper"], [])
    session = Session()
    chosen, notes = events.open_page(models, session, {"space": "nowhere"})
    assert (chosen.space, chosen.z.name, len(notes)) == ("residual", "adam", 1)
    assert events.note(models, session, settings.values_of(chosen))["query"] == {"target": "drawn-0"}


def test_no_model_at_all_is_one_sentence() -> None:
    with pytest.raises(UserError, match="no trained model"):
        events.open_page(Models({}), Session(), {})


# --- targets ------------------------------------------------------------------------------------------------


def save(path: Path, image: Image.Image, **options: Any) -> str:
    image.save(path, **options)
    return str(path)


def test_a_photo_is_cropped_as_the_square_says(tmp_path: Path) -> None:
    image = Image.new("RGB", (300, 200), "blue")
    image.paste("red", (0, 0, 100, 100))
    session = Session()
    picked = events.upload(session, save(tmp_path / "a.png", image), "faces")
    assert picked.picture.shape == (3, 64, 64)
    red = events.crop(session, [10, 10, 80]).picture
    assert red[0].min() > 250
    assert red[2].max() < 5
    shown = events.photo_message(session.photo)
    assert (shown["width"], shown["height"], shown["box"]) == (300, 200, [10, 10, 80])


@pytest.mark.parametrize("box", [None, [1, 2], ["a", 0, 5], [0, 0, -3], [float("nan"), 0, 5], {"left": 0}])
def test_a_crop_that_is_none_is_refused(tmp_path: Path, box: Any) -> None:
    session = Session()
    events.upload(session, save(tmp_path / "a.png", Image.new("RGB", (50, 50))), "faces")
    with pytest.raises(UserError, match="crop"):
        events.crop(session, box)


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [("empty.png", b"", "empty"), ("notes.png", b"hello, this is text", "not a picture"),
     ("cut.jpg", base64.b64decode("/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgG"), "")],
)  # fmt: skip
def test_a_file_that_is_no_picture_gets_a_sentence_and_keeps_the_target(
    tmp_path: Path, session: Session, name: str, data: bytes, sentence: str
) -> None:
    (tmp_path / name).write_bytes(data)
    before = session.target
    shown, message = events.choose(session, lambda: events.upload(session, str(tmp_path / name), "faces"))
    assert shown is None
    assert sentence in message
    assert message.endswith(".")
    assert session.target is before


def test_examples_are_what_the_code_draws() -> None:
    for name, (_, draw) in EXAMPLES.items():
        with Image.open(FOLDER / f"{name}.png") as saved:
            assert saved.size == draw().size
            assert saved.tobytes() == draw().tobytes()


@pytest.mark.parametrize("number", [-1, 2**31, 1.5, None, "3"])
def test_a_picture_number_out_of_range_is_refused(models: Models, number: Any) -> None:
    with pytest.raises(UserError, match="whole number"):
        targets.drawn(models.get("faces"), number)


# --- export and run cards -----------------------------------------------------------------------------------


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
    list(race.resume(session, 4))
    assert race.card_of(session.run).settings.steps == 10
    race_of(models, session, x=OptimizerSettings(name="adam-ramps"))
    end = list(race.resume(session, 4))[-1]
    assert "learning rate stays zero" in end["hint"]
    card = race.card_of(session.run)
    assert (card.settings.steps, card.result["step"]) == (6, 10)


def bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("run.json", b" " * 5_000_000)
    return buffer.getvalue()


def zip_without_card() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("other.txt", "x")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"", "not a run card"), (b"\xff\xfe\x00", "not a run card"), (b"{}", "not a run card"), (b" " * 2_000_000, "at most"),
     (bomb(), "unpacks to"), (zip_without_card(), "no run.json"), (b"PK\x03\x04 broken", "not a run card")],
    ids=["empty", "binary", "other json", "long", "bomb", "zip without", "broken zip"],
)  # fmt: skip
def test_a_file_that_is_no_card_gets_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        read_card_file(data)


def test_the_export_holds_what_it_promises(models: Models, session: Session) -> None:
    race_of(models, session)
    with zipfile.ZipFile(events.export(session)) as archive:
        assert sorted(archive.namelist()) == ["latents.safetensors", "losses.csv", "run.gif", "run.json", "sheet.png"]
        assert read_run_card(archive.read("run.json").decode()).result["step"] == 6
        rows = archive.read("losses.csv").decode().splitlines()
        assert rows[0] == "step,lane,loss,seconds"
        assert len(rows) == 1 + 7 * 2
        assert float(rows[-1].split(",")[2]) == float(session.run.trajectory.lane("Z").losses[-1])
        with Image.open(io.BytesIO(archive.read("run.gif"))) as gif:
            assert gif.n_frames == 7
