"""A plug-in in the app: drawn and observed targets, a race that is shown, exported and loaded again, and its landscape."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from app.invert import run as race
from app.invert.run import RaceSession
from app.landscape import run as landscape
from app.landscape.drawing import Drawing, Resources
from app.landscape.plan import OWN, Plan
from app.runs.models import Models, embedded_models
from app.runs.session import Session
from app.runs.settings import defaults
from app.target import targets
from landscape_core.errors import UserError
from landscape_core.plugins.showing import SIDE
from landscape_core.plugins.task import load_plugin_task
from landscape_core.storage import zoo
from tests.tiny.assets import tiny_domain
from tests.tiny.plugins import DECAY, curve, plugin


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Models:
    monkeypatch.chdir(tmp_path)
    tiny_domain(tmp_path / "assets", "faces")
    return embedded_models(tmp_path / "assets", [str(plugin(tmp_path))])


def side_of(png: str) -> tuple[int, int]:
    return Image.open(io.BytesIO(base64.b64decode(png))).size


def test_it_is_a_model_of_invert_and_landscape_alone(models: Models) -> None:
    assert models.names == ["faces", "decay"]
    assert models.embedded.names == ["faces"]
    assert models.embedded.get("faces") is models.get("faces")
    assert models.get("decay", "robust") is models.get("decay")


def test_what_has_other_files_now_is_loaded_anew_wherever_it_is_offered(models: Models) -> None:
    embedded, held = models.embedded, models.get("faces")
    models.forget("faces")
    assert models.get("faces") is not held
    assert embedded.get("faces") is models.get("faces")


def test_two_models_of_one_name_are_refused(tmp_path: Path) -> None:
    tiny_domain(tmp_path / "assets", "faces")
    with pytest.raises(UserError, match="There is a model 'faces' already"):
        embedded_models(tmp_path / "assets", [str(plugin(tmp_path, DECAY.replace('"decay"', '"faces"')))])


def test_a_drawn_target_is_raced_shown_exported_and_loaded_again(models: Models) -> None:
    session: RaceSession = Session(target=targets.drawn(models.get("decay"), 3))
    settings = defaults(models, "decay", columns=["lbfgs"], steps=15)
    begin, *_, end = race.start(models, session, settings)
    assert side_of(begin["target"]) == (SIDE, SIDE)
    assert end["lanes"]["X"]["best"]["loss"] < 1e-6
    assert end["lanes"]["X"]["best"]["psnr"] is None
    assert [head[0] for head in end["judges"]["heads"]] == ["loss", "‖x̂ − x*‖", "as far out"]
    exported = race.export(session)
    with zipfile.ZipFile(exported) as archive:
        assert json.loads(archive.read("run.json"))["kind"] == "plugin"
    other: RaceSession = Session()
    again, shown, said = race.load_card(models, other, exported.read_bytes())
    assert "Run repeats it exactly" in said
    assert shown["target"] == begin["target"]
    *_, repeated = race.start(models, other, again)
    assert "exactly" in repeated["replay"]


def test_a_file_is_read_by_the_plugin_and_examples_are_refused(models: Models, tmp_path: Path) -> None:
    task, session = models.get("decay"), Session()
    picked = targets.upload(session, str(curve(tmp_path, hidden=3)), task)
    assert picked.target.mask is not None
    assert picked.picture.shape == (3, SIDE, SIDE)
    with pytest.raises(UserError, match="which decay does not make"):
        targets.example_for("cat", task)
    faces = models.get("faces")
    assert targets.fitting(picked, faces).query == targets.first(faces).query
    assert targets.fitting(picked, task) is picked
    assert targets.fitting(targets.example("cat", faces.side), task).task == "decay"


def test_its_landscape_is_drawn(models: Models) -> None:
    session: RaceSession = Session(target=targets.drawn(models.get("decay"), 3))
    plan = Plan("path", 21, defaults(models, "decay", columns=["lbfgs"], steps=6))
    messages = list(landscape.run(Resources(models), Drawing(number=1), plan, OWN, None, session))
    assert any(message["kind"] == "surfaces" for message in messages)
    assert messages[-1]["kind"] == "drawn"
    assert messages[-1]["done"] == messages[-1]["total"]


def test_a_trained_theta_is_there(models: Models, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from landscape_core import cli

    options = ["--task", str(tmp_path / "mine.py"), "--preset", "whitened"]
    assert CliRunner().invoke(cli.app, ["train", "mapping", *options]).exit_code == 0
    assert zoo.names(zoo.OWN) == ["decay/theta-whitened"]
    assert next(iter(load_plugin_task(str(tmp_path / "mine.py")).mappings)) == "whitened"
