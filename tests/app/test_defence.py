"""The Defence tab without a browser: pictures, what a run streams, and what is said to bad input."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image, ImageChops

from app.defence import count as defence_count
from app.defence import pictures as defence_pictures
from app.defence import run as defence_run
from app.defence.examples import EXAMPLES
from app.defence.pictures import Defences
from app.defence.settings import from_values
from app.defence.tab import DefenceTab
from app.runs.session import Session
from app.runs.standing import standing_of
from app.target.examples import FOLDER
from app.target.targets import KEEPS_TARGET
from landscape_core.defence.attacks import ATTACKS, attacked
from landscape_core.defence.objective import margin, restored
from landscape_core.defence.task import load_defence
from landscape_core.errors import UserError
from landscape_core.images.pixels import png_tensor, to_bytes, to_unit
from landscape_core.search.optimizers import OptimizerSettings
from tests.app.defending import FORM, Message, only, two_defences
from tests.tiny.defence import tiny_defence


@pytest.fixture(scope="module")
def defences(tmp_path_factory: pytest.TempPathFactory) -> Defences:
    return two_defences(tmp_path_factory.mktemp("cifar"))


@pytest.fixture
def session(defences: Defences) -> Session:
    return Session(target=defence_pictures.from_cifar(defences.cifar, "ship", 1)[0])


def run(defences: Defences, session: Session, **changes: Any) -> list[Message]:
    return list(defence_run.start(defences, session, from_values(defences, FORM | changes)))


def column(messages: list[Message], lane: str, what: str) -> list[Any]:
    return [value for m in only(messages, "frames") for value in m["lanes"][lane][what]]


# --- one picture --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("knows", ["static", "X", "Z"])
def test_a_run_streams_the_attack_and_every_step_of_both_lanes(defences: Defences, session: Session, knows: str) -> None:
    messages = run(defences, session, knows=knows)
    assert [m["seq"] for m in messages] == list(range(len(messages)))
    kinds = [m["kind"] for m in messages if m["kind"] != "attack"]
    assert kinds == ["begin", "attacked", *["frames"] * (len(kinds) - 3), "end"]
    assert [step for m in only(messages, "frames") for step in m["steps"]] == [0, 1, 2, 3]
    standing = session.run
    attacked = standing.solver.target.value
    assert torch.equal(png_tensor(only(messages, "attacked")[0]["png"], side=32), to_bytes(attacked[0]))
    distance = (attacked - to_unit(session.target.picture)[None]).norm() / 2
    assert 0 < float(distance) <= 256 / 255 + 1e-4
    assert only(messages, "attacked")[0]["added"]["l2"] == pytest.approx(255 * float(distance), rel=1e-4)
    for lane, now in zip(("X", "Z"), standing.trajectory.last.lanes, strict=True):
        picture = restored(attacked, now.output)
        logits = defences.get("ro").logits(picture)
        assert torch.equal(png_tensor(column(messages, lane, "png")[-1], side=32), to_bytes(picture[0]))
        assert column(messages, lane, "probabilities")[-1] == pytest.approx(logits.softmax(1)[0].tolist(), abs=1e-4)
        assert column(messages, lane, "margin")[-1] == pytest.approx(float(margin(logits, torch.tensor([8]))), abs=1e-4)
        assert column(messages, lane, "loss") == [float(loss) for loss in standing.trajectory.lane(lane).losses]
    json.dumps(messages, allow_nan=False)


def test_what_the_attacker_knows_changes_the_attack(defences: Defences, session: Session) -> None:
    pictures = [only(run(defences, session, knows=knows), "attacked")[0]["png"] for knows in ("static", "X", "Z")]
    assert len(set(pictures)) == 3


def test_a_run_goes_on_to_the_numbers_of_an_uninterrupted_one(defences: Defences, session: Session) -> None:
    whole = column(run(defences, session, steps=5), "Z", "loss")
    first = column(run(defences, session, steps=3), "Z", "loss")
    further = list(defence_run.resume(session, 2))
    assert first + column(further, "Z", "loss") == whole
    assert further[-1]["kind"] == "end"
    with pytest.raises(UserError, match="1 to 100"):
        list(defence_run.resume(session, 0))


def test_a_stop_during_the_attack_ends_it_and_the_next_run_is_whole(defences: Defences, session: Session) -> None:
    running = defence_run.start(defences, session, from_values(defences, FORM | {"ascents": 200}))
    assert next(running)["kind"] == "begin"
    session.stop()
    rest = list(running)
    assert [m["kind"] for m in rest if m["kind"] != "attack"] == ["end"]
    assert "nothing was restored" in rest[-1]["reason"]
    assert session.run.trajectory.last is None
    assert standing_of(session.run) is None
    assert run(defences, session)[-1]["summary"]


def test_a_stop_between_steps_keeps_what_was_reached(defences: Defences, session: Session) -> None:
    running = defence_run.start(defences, session, from_values(defences, FORM | {"steps": 100}))
    for message in running:
        if message["kind"] == "frames":
            break
    session.stop()
    end = list(running)[-1]
    assert end["reason"].startswith("Stopped at step")
    assert session.run.trajectory.steps[-1] < 100


def test_two_visitors_do_not_disturb_each_other(defences: Defences, session: Session) -> None:
    alone = column(run(defences, session), "X", "loss")
    other = Session(target=defence_pictures.from_cifar(defences.cifar, "cat", 0)[0])
    mine = defence_run.start(defences, session, from_values(defences, FORM))
    theirs = defence_run.start(defences, other, from_values(defences, FORM | {"truth": 3}))
    messages = [next(mine), next(theirs)]
    other.stop()
    list(theirs)
    assert column([messages[0], *mine], "X", "loss") == alone


def test_the_run_stands_for_the_landscape(defences: Defences, session: Session) -> None:
    run(defences, session)
    standing = standing_of(session.run)
    assert torch.equal(standing.target.value, session.run.solver.target.value)
    assert standing.space == "narrow"
    assert len(standing.trajectory.steps) == 4


def test_an_export_holds_the_pictures_and_the_numbers(defences: Defences, session: Session) -> None:
    with pytest.raises(UserError, match="no run"):
        defence_run.export(session)
    messages = run(defences, session)
    with zipfile.ZipFile(defence_run.export(session)) as archive:
        numbers = json.loads(archive.read("answers.json"))
        card = json.loads(archive.read("run.json"))
        measured = list(csv.DictReader(io.StringIO(archive.read("measures.csv").decode())))
        pictures = {name for name in archive.namelist() if name.endswith(".png")}
        told = archive.read("README.md").decode()
        with archive.open("restored-Z.png") as file, Image.open(file) as image:
            assert image.size == (32, 32)
    assert pictures == {"clean.png", "attacked.png", "restored-X.png", "restored-Z.png", "sheet.png"}
    assert [float(row["margin"]) for row in measured if row["lane"] == "Z"] == column(messages, "Z", "margin")
    assert numbers["lanes"]["Z"] == column(messages, "Z", "probabilities")
    assert (numbers["truth"], card["truth"], card["kind"]) == (8, 8, "defence")
    assert ["space Z", "Narrow Θ (MLP)"] in messages[0]["settings"], "by what runs in the list differ"
    assert "| space Z | Narrow Θ (MLP) |" in told, "named as on the page"


# --- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"classifier": "awp"}, "no classifier"),
        ({"attack": "l1"}, "no attack"),
        ({"knows": "all"}, "may know"),
        ({"space": "wide"}, "no space"),
        ({"steps": 0}, "Steps"),
        ({"steps": 101}, "at most 100"),
        ({"ascents": 100_000}, "Steps"),
        ({"x_rate": "fast"}, "learning rate"),
        ({"z_rate": float("nan")}, "Learning rate: a number is needed"),
        ({"seed": -1}, "Seed"),
        ({"truth": None}, "what the picture shows"),
        ({"truth": 10}, "what the picture shows"),
    ],
)
def test_a_run_that_cannot_be_is_refused_in_a_sentence(
    defences: Defences, session: Session, changes: dict[str, Any], word: str
) -> None:
    with pytest.raises(UserError, match=word):
        run(defences, session, **changes)
    assert session.run is None


def test_what_is_slow_the_first_time_is_done_before_it() -> None:
    loaded: list[str] = []

    def load() -> Any:
        loaded.append("ro")
        return tiny_defence()

    defence_run.warm(Defences({"ro": load}, None))
    assert loaded == ["ro"]
    defence_run.warm(Defences({}, None))
    with pytest.raises(UserError, match="no classifier with a contrastive head"):
        Defences({}, None).get(None)


def test_a_picture_is_needed(defences: Defences) -> None:
    with pytest.raises(UserError, match="Choose a picture"):
        run(defences, Session())


@pytest.mark.parametrize(("label", "number"), [("ship", 2), ("ship", -1), ("tank", 0), ("ship", None), (None, 0)])
def test_test_pictures_are_named_by_class_and_number(defences: Defences, label: Any, number: Any) -> None:
    with pytest.raises(UserError, match=r"class|numbered"):
        defence_pictures.from_cifar(defences.cifar, label, number)


def test_without_cifar_it_is_said_what_is_missing() -> None:
    with pytest.raises(UserError, match=r"cifar10\.zip"):
        defence_pictures.from_cifar(None, "ship", 0)
    bare = Defences({"ro": tiny_defence}, None)
    with pytest.raises(UserError, match=r"cifar10\.zip"):
        next(defence_count.count(bare, defence_count.CountJob(), from_values(bare, FORM), 10))


def test_an_upload_is_cut_to_a_square_of_32_pixels(tmp_path: Path) -> None:
    wide = Image.new("RGB", (300, 100), (255, 0, 0))
    wide.paste((0, 0, 255), (100, 0, 200, 100))
    wide.save(tmp_path / "wide.png")
    session = Session(photo=defence_pictures.opened(str(tmp_path / "wide.png")))
    picked = defence_pictures.cropped(session.photo)
    assert picked.picture.shape == (3, 32, 32)
    assert picked.picture.flatten(1).float().mean(dim=1).tolist() == pytest.approx([0, 0, 255], abs=3)
    red = defence_pictures.recropped(session, [0, 0, 100]).picture[0].float().mean()
    assert float(red) == pytest.approx(255, abs=3)
    with pytest.raises(UserError, match="four numbers"):
        defence_pictures.recropped(session, "all")


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_examples_are_of_the_classes_they_say(name: str) -> None:
    picked, shows = defence_pictures.example(name)
    assert picked.picture.shape == (3, 32, 32)
    assert tiny_defence().classes[shows] == EXAMPLES[name].shows
    drawn = EXAMPLES[name].draw()
    with Image.open(FOLDER / f"{name}.png") as file:
        off = ImageChops.difference(file.convert("RGB"), drawn)
    assert max(high for _, high in off.getextrema()) <= 8, "run: python -m app.defence.examples"
    with pytest.raises(UserError, match="no example"):
        defence_pictures.example("submarine")


@pytest.mark.parametrize("classifier", ["ro", "mart"])
def test_the_attacks_do_to_the_examples_what_is_said_of_them(classifier: str) -> None:
    defence = load_defence(classifier)
    chosen = [defence_pictures.example(name) for name in EXAMPLES]
    pictures = to_unit(torch.stack([picked.picture for picked, _ in chosen]))
    shows = torch.tensor([label for _, label in chosen])
    assert defence.logits(pictures).argmax(dim=1).tolist() == shows.tolist()
    for attack in ATTACKS.values():
        few = attack.model_copy(update={"steps": 12, "step": 2.5 * attack.eps / 12})
        fooled = defence.logits(attacked(defence.classifier, pictures, shows, few)).argmax(dim=1) != shows
        assert fooled.tolist() == [each.fooled for each in EXAMPLES.values()]


def test_both_lanes_have_one_kind_of_optimiser(defences: Defences) -> None:
    defence = tiny_defence()
    advised = {"narrow": OptimizerSettings(name="gd", lr=0.5), "X": OptimizerSettings(name="adam", lr=0.01)}
    other = replace(defence, task=replace(defence.task, advised=advised))
    settings = from_values(Defences({"ro": lambda: other}, None), FORM).settings
    assert {lane.optimizer.name for lane in settings.lanes} == {"gd"}


def test_a_picture_chosen_during_a_run_is_said_to_be_for_the_next(defences: Defences, session: Session) -> None:
    run(defences, session)
    panel: Any = SimpleNamespace(truth="truth", message="message")
    tab: Any = SimpleNamespace(panel=panel, defences=defences, view="view")
    other = defence_pictures.from_cifar(defences.cifar, "cat", 0)
    assert DefenceTab.choose(tab, session, FORM["classifier"], lambda: other)["message"] == ""
    with session.run.lock:
        assert KEEPS_TARGET in DefenceTab.choose(tab, session, FORM["classifier"], lambda: other)["message"]
