"""The app on whatever domains the models' folder has: nothing in it knows faces but the detector."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.complete import run as complete_events
from app.complete import settings as complete_settings
from app.complete.session import CompletionSession
from app.invert import run as race
from app.runs import settings
from app.runs.models import Models, embedded_models, label
from app.runs.session import Session
from app.runs.settings import defaults, for_model
from app.target import targets
from app.views.form import space_choices
from landscape_core.errors import UserError
from landscape_core.generators.datasets import framing_of
from landscape_core.generators.task import load_image_task
from landscape_core.search.mapping import MappingConfig, build_mapping
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.race import RunSettings
from landscape_core.search.task import Task
from landscape_core.storage import zoo
from tests.app.racing import run_form
from tests.tiny.assets import tiny_domain
from tests.tiny.models import tiny_task


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    assets = tmp_path_factory.mktemp("assets")
    tiny_domain(assets, "boats", spaces=(), seed=1)
    tiny_domain(assets, "faces")
    tiny_domain(assets, "dogs", seed=2)
    (assets / "dogs" / "encoder" / "card.json").rename(assets / "dogs" / "encoder" / "gone")
    return embedded_models(assets)


def test_what_is_forgotten_while_it_is_loaded_is_loaded_anew() -> None:
    """A Θ is published while the files that a visitor's first run needs are read as they were."""
    published: list[bool] = []

    def load(perceptual: str) -> Task:
        read = replace(tiny_task(), name="as they are" if published else "as they were")
        if not published:
            published.append(True)
            models.forget("faces")
        return read

    models = Models({"faces": load})
    assert models.get("faces").name == "as they are"
    assert models.get("faces") is models.get("faces")


def test_every_whole_domain_is_offered_faces_first(models: Models) -> None:
    assert models.names == ["faces", "boats"]  # dogs have no encoder
    with pytest.raises(UserError, match="no model 'dogs' here; there are: faces, boats"):
        models.get("dogs")


def test_w_plus_is_offered_where_a_space_was_trained_for_it(tmp_path: Path) -> None:
    tiny_domain(tmp_path, "faces", spaces=())
    assert embedded_models(tmp_path).names == ["faces"]
    task = load_image_task("faces+", assets=tmp_path)
    config = MappingConfig("residual", len(task.prior.mean), len(task.prior.mean), 16)
    card = zoo.read_card("faces/generator", tmp_path).model_copy(
        update={"name": "faces+/theta-residual", "architecture": vars(config)}
    )
    zoo.save(card, build_mapping(config, task.prior).state_dict(), tmp_path)
    models = embedded_models(tmp_path)
    assert [(name, label(name)) for name in models.names] == [("faces", "Faces"), ("faces+", "Faces in W+")]
    session = Session(target=targets.drawn(models.get("faces+"), 0))
    chosen = defaults(models, "faces+").model_copy(update={"steps": 1})
    assert list(race.start(models, session, chosen))[-1]["kind"] == "end"
    assert framing_of("faces+") == framing_of("faces")


def test_the_learned_space_comes_first_in_plain_words(models: Models) -> None:
    choices = space_choices(list(models.get("faces").mappings))
    assert choices == [("Residual Θ", "residual"), ("The paper's Θ (MLP)", "paper"), ("Untrained Θ", "random")]
    chosen = defaults(models, "faces", "paper")
    assert (chosen.space, chosen.optimizers) == ("paper", ["adam", "lbfgs"])
    assert ["space Z", "The paper's Θ (MLP)"] in settings.words(RunSettings.pair(space="paper"))


def test_a_domain_without_a_trained_space_still_runs(models: Models) -> None:
    assert defaults(models, "boats").space == "random"


@pytest.mark.parametrize("name", ["faces", "boats"])
def test_each_domain_inverts_and_completes_its_own_pictures(models: Models, name: str) -> None:
    task = models.get(name)
    session = CompletionSession(target=targets.drawn(task, 1))
    chosen = defaults(models, name).model_copy(update={"steps": 2})
    end = list(race.start(models, session, chosen))[-1]
    assert end["kind"] == "end"
    assert race.card_of(session.run).models.keys() >= {f"{name}/generator", "lpips"}
    complete_events.paint(session, complete_events.presets(task.side)[0]["mask"], task.side)
    asked = complete_settings.CompletionSettings(chosen.model_copy(update={"start": "random"}), 4)
    assert list(complete_events.start(models, session, asked))[-1]["kind"] == "end"
    assert session.run.settings.task == name


def test_only_faces_are_looked_for_with_a_detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (300, 200), "teal").save(tmp_path / "plain.png")
    face = targets.open_photo(str(tmp_path / "plain.png"), "faces")
    assert face.framed == ("No face was found; the centre square is used.",)
    monkeypatch.setattr("landscape_core.images.faces.find_faces", None)  # calling it would fail
    other = targets.open_photo(str(tmp_path / "plain.png"), "boats")
    assert (other.box, other.framed) == (face.box, ())


def test_another_model_keeps_the_target_and_draws_its_own_of_the_same_number(models: Models) -> None:
    example = targets.example("cat", 64)
    assert targets.for_model(example, models.get("boats")) is example
    faces = targets.drawn(models.get("faces"), 5)
    boats = targets.for_model(faces, models.get("boats"))
    assert boats.query == {"target": "drawn-5"}
    assert (boats.picture != faces.picture).any()
    assert targets.for_model(None, models.get("boats")).query == {"target": f"drawn-{targets.FIRST_DRAWN}"}


def test_another_model_brings_its_spaces_and_optimisers_and_keeps_the_rest(models: Models) -> None:
    now = RunSettings.pair(
        task="boats", space="random", steps=33, seed=5, start="encoder", z=OptimizerSettings(name="gd", lr=9.0)
    )
    chosen = for_model(models, settings.values_of(now) | {"model": "faces"})
    assert (chosen.task, chosen.space, [lane.optimizer.name for lane in chosen.lanes]) == ("faces", "residual", ["adam", "gd"])
    assert (chosen.steps, chosen.seed, chosen.start) == (33, 5, "encoder")
    broken = settings.values_of(now) | {"steps": None}
    assert for_model(models, broken) == defaults(models, "boats")
    asked = complete_settings.for_model(
        models, complete_settings.values_of(complete_settings.CompletionSettings(now, 6)) | {"model": "faces"}
    )
    assert (asked.k, asked.settings.steps, asked.settings.space, asked.settings.start) == (6, 33, "residual", "random")
    assert complete_settings.for_model(models, broken | {"model": "faces", "k": 8}) == complete_settings.defaults(
        models, "faces"
    )


@pytest.mark.parametrize("values", [{"task": "dogs"}, {"space": "paper", "task": "boats"}])
def test_asking_a_domain_for_what_it_lacks_is_one_sentence(models: Models, values: dict[str, Any]) -> None:
    session = Session(target=targets.drawn(models.get("boats"), 0))
    form = settings.values_of(RunSettings.pair(**values))
    (message,) = run_form(models, session, form)
    assert message["kind"] == "error"
    assert "there are:" in message["text"] or "it has:" in message["text"]


def test_who_asks_for_a_loaded_model_does_not_wait_for_one_that_loads() -> None:
    loading, may_end = threading.Event(), threading.Event()

    def slow(_: str) -> Task:
        loading.set()
        assert may_end.wait(60)
        return tiny_task("slow")

    models, calls = Models({"quick": lambda _: tiny_task(), "slow": slow}), []
    quick = models.get("quick")
    waits = [threading.Thread(target=lambda: calls.append(models.get("slow"))) for _ in range(2)]
    for each in waits:
        each.start()
    assert loading.wait(60)
    assert models.get("quick") is quick  # while the other is read
    assert not calls
    may_end.set()
    for each in waits:
        each.join()
    assert calls[0] is calls[1]  # read once
