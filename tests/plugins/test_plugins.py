"""A file of a user's own is a task like any other: loaded, inverted, drawn, replayed, and refused in sentences."""

from __future__ import annotations

import base64
import importlib
import json
import sys
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from typer.testing import CliRunner, Result

from landscape_core import cli
from landscape_core.commands import learning
from landscape_core.domains import load_task
from landscape_core.errors import UserError
from landscape_core.images.pixels import to_unit
from landscape_core.plugins import loading, run_card
from landscape_core.plugins.observing import observe
from landscape_core.plugins.run_card import PluginCard, make_plugin_card, plugin_card_target
from landscape_core.plugins.showing import SIDE, Curve, Points, Table, picture_of
from landscape_core.plugins.training.theta import PRESETS
from landscape_core.search.objectives import Target
from landscape_core.search.race import RunSettings
from landscape_core.storage import zoo
from tests.tiny.exports import FILES
from tests.tiny.plugins import DECAY, TRUTH, UNSEEN, curve, plugin


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without models of anybody's own."""
    monkeypatch.chdir(tmp_path)


def invoke(*words: object) -> Result:
    result = CliRunner().invoke(cli.app, [*map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def test_a_file_is_inverted_drawn_and_replayed(tmp_path: Path) -> None:
    mine, observed = plugin(tmp_path), curve(tmp_path, hidden=4)
    invoke("invert", observed, "--task", mine, "--space", "random", "--steps", 12, "--optimizer", "lbfgs", "--out", "out")
    with zipfile.ZipFile("out/curve.zip") as archive:
        assert set(archive.namelist()) == FILES
        card = PluginCard.model_validate_json(archive.read("run.json"))
    assert card.settings.task == "decay"
    assert card.result["losses"]["X"] < 1e-6
    assert set(card.models) == {"decay/plugin"}
    assert "repeats the card's run exactly" in invoke("replay", "out/curve.zip", "--task", mine).output
    invoke("surface", observed, "--task", mine, "--kind", "path", "--steps", 4, "--size", 5, "--out", "drawn")
    assert [each["space"] for each in json.loads(Path("drawn/curve-path.json").read_text())["surfaces"]] == ["X", "random"]
    assert "race step" in invoke("bench", "--task", mine, "--rounds", 5, "--size", 5).output


def test_what_was_hidden_is_not_searched_for(tmp_path: Path) -> None:
    task = load_task(str(plugin(tmp_path)))
    assert task.observe is not None
    target = task.observe(curve(tmp_path, hidden=4))
    assert target.mask is not None
    assert target.mask.tolist() == [[1.0] * 12 + [0.0] * 4]
    far = target.value + 100 * (1 - target.mask)
    loss = task.objective.bind(target)
    assert torch.equal(loss(far), loss(target.value))


def test_a_module_and_an_entry_point_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin(tmp_path, DECAY.replace("def task()", "def made()"), "mypackage.py")
    monkeypatch.syspath_prepend(tmp_path)
    assert load_task("mypackage:made").name == "decay"
    installed = tmp_path / "brought-0.1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: brought\nVersion: 0.1\n")
    (installed / "entry_points.txt").write_text("[landscape.tasks]\nbrought = mypackage:made\n")
    importlib.invalidate_caches()
    assert loading.entry_names() == ["brought"]
    assert load_task("brought").name == "decay"
    sys.modules.pop("mypackage")


def test_a_card_brings_no_code(tmp_path: Path) -> None:
    task = load_task(str(plugin(tmp_path)))
    target = task.observe(curve(tmp_path)) if task.observe else None
    assert target is not None
    card = make_plugin_card(task, RunSettings(task=str(tmp_path / "mine.py")), target, {})
    (tmp_path / "run.json").write_text(card.model_dump_json())
    result = CliRunner().invoke(cli.app, ["replay", "run.json"])
    assert isinstance(result.exception, UserError)
    assert "name its plug-in: --task" in str(result.exception)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "There is no function 'task'"),
        ("import nothing_of_that_name", "is not Python that can be run: No module named"),
        ("def task(): return 3", "returns a int; a Task is needed"),
        ("def task(): raise ValueError('no weights here')", "raises an exception: no weights here"),
        (DECAY.replace('"decay"', '"../decay"'), "cannot name a model"),
        (DECAY.replace("x[:, :1]", "x[:, :, :1]"), "F of decay cannot compute at the prior's mean"),
    ],
)
def test_what_is_no_plugin_is_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        load_task(str(plugin(tmp_path, text)))


def test_a_file_that_is_not_there_and_a_module_that_is_not() -> None:
    with pytest.raises(UserError, match=r"There is no file absent\.py"):
        load_task("absent.py")
    with pytest.raises(UserError, match="cannot be imported"):
        load_task("absent_module:task")


def test_observations_come_as_npy_csv_json_or_a_picture(tmp_path: Path) -> None:
    output = torch.zeros(1, 2, 3)
    wanted = torch.arange(6.0).reshape(1, 2, 3)
    np.save(tmp_path / "a.npy", wanted.numpy())
    (tmp_path / "a.csv").write_text("0,1,2\n3,4,5\n")
    (tmp_path / "a.txt").write_text("0 1 2\n3 4 5\n")
    (tmp_path / "a.json").write_text("[[0, 1, 2], [3, 4, 5]]")
    np.save(tmp_path / "a.NPY.npy", wanted.numpy())
    (tmp_path / "a.NPY.npy").rename(tmp_path / "a.NPY")
    for ending in ("npy", "NPY", "csv", "txt", "json"):
        assert torch.equal(observe(tmp_path / f"a.{ending}", output).value, wanted)
    for name, content, sentence in (
        ("b.json", "[1, 2]", "holds 2 numbers; this F makes 6"),
        ("b.json", "[null, null, null, null, null, null]", "holds no number at all"),
        ("b.json", '["one"]', "does not hold numbers that can be read"),
        ("b.pkl", "", "is not a file of observations"),
    ):
        (tmp_path / name).write_text(content)
        with pytest.raises(UserError, match=sentence):
            observe(tmp_path / name, output)


def test_curves_points_and_tables_are_pictures_of_the_target_and_beside_it() -> None:
    for output, kind in ((torch.rand(2, 16), Curve), (torch.rand(2, 5, 2), Points), (torch.rand(2, 4), Table)):
        show = picture_of(output)
        assert isinstance(show, kind)
        target = Target(output[:1])
        alone, found = show(None, target), show(output, target)
        assert alone.shape == (1, 3, SIDE, SIDE)
        assert found.shape == (2, 3, SIDE, SIDE)
        assert not torch.equal(found[0], found[1])
        assert not torch.equal(found[0], alone[0])
    assert picture_of(torch.rand(1, 3, 8, 8)) is None


def test_a_hidden_part_is_not_drawn() -> None:
    value, mask = torch.rand(1, 16), torch.ones(1, 16)
    mask[:, 8:] = 0
    right = Curve()(None, Target(value, mask))[0, :, :, 105:]
    assert torch.equal(right, to_unit(torch.tensor([250, 250, 252])).reshape(3, 1, 1).expand_as(right))


def test_a_card_holds_what_was_observed_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = load_task(str(plugin(tmp_path)))
    target = Target(torch.rand(1, 16), (torch.rand(1, 16) > 0.5).float())
    card = make_plugin_card(task, RunSettings(task="decay"), target, {})
    back = plugin_card_target(PluginCard.model_validate_json(card.model_dump_json()), task)
    assert torch.equal(back.value, target.value)
    assert back.mask is not None
    assert torch.equal(back.mask, target.mask)
    with pytest.raises(UserError, match="is shaped"):
        plugin_card_target(make_plugin_card(task, RunSettings(task="decay"), Target(torch.rand(1, 9)), {}), task)
    tensors = save({"value": target.value, "mask": torch.ones(1, 9)})
    with pytest.raises(UserError, match="does not broadcast"):
        plugin_card_target(
            card.model_copy(update={"observed": base64.b64encode(zlib.compress(tensors)).decode()}),
            task,
        )
    monkeypatch.setattr(run_card, "MOST", 100)
    with pytest.raises(UserError, match="at most 100"):
        make_plugin_card(task, RunSettings(task="decay"), target, {})


def test_as_many_observations_are_held_out_as_a_look_is_charged_for(tmp_path: Path) -> None:
    observed = Target(torch.arange(200.0)[:, None].expand(200, 16))
    seen, held = learning._held(load_task(str(plugin(tmp_path))), observed, 0)
    assert seen is not None
    assert (len(seen), len(held)) == (175, 8)
    assert not set(held.value[:, 0].tolist()) & set(seen.value[:, 0].tolist())


def test_the_truth_is_found(tmp_path: Path) -> None:
    task = load_task(str(plugin(tmp_path)))
    with torch.no_grad():
        assert task.forward(torch.tensor([TRUTH])).shape == (1, 16)
    assert task.default_space == "random"
    assert task.advice("X").name == "lbfgs"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, preset in PRESETS.items():
        training = replace(preset.training, targets=8, steps=2, batch=4, buffers=min(preset.training.buffers, 2))
        monkeypatch.setitem(PRESETS, name, replace(preset, training=training, curvature_inputs=2))


@pytest.mark.usefixtures("quick")
def test_a_theta_is_trained_found_by_the_commands_and_compared(tmp_path: Path) -> None:
    mine, observed = plugin(tmp_path), curve(tmp_path, hidden=2)
    (tmp_path / "data").mkdir()
    curve(tmp_path / "data", hidden=3)
    assert "Wrote decay/theta-residual" in invoke("train", "mapping", "--task", mine, "--data", "data").output
    assert "Wrote decay/theta-whitened" in invoke("train", "mapping", "--task", mine, "--preset", "whitened").output
    assert "Wrote decay/theta-residual" in invoke("train", "mapping", "--task", mine, "--data", "data").output  # goes on
    task = load_task(str(mine))
    assert list(task.mappings) == ["residual", "whitened", "random"]
    card = zoo.read_card("decay/theta-residual", zoo.OWN)
    assert card.trained_on == "data, and targets drawn from the model"
    assert task.hashes["decay/plugin"][:12] in card.notes
    invoke("invert", observed, "--task", mine, "--steps", 5, "--out", "out")
    with zipfile.ZipFile("out/curve.zip") as archive:
        assert set(json.loads(archive.read("run.json"))["models"]) == {"decay/plugin", "decay/theta-residual"}
    compared = invoke("train", "mapping-compare", "--task", mine, "--buffers", 1, "--targets", 3, "--steps", 2, "--note")
    assert [line.split("\t")[0] for line in compared.output.splitlines() if "\t" in line][1:] == ["baseline", *PRESETS]
    assert "comparison" in zoo.read_card("decay/theta-residual", zoo.OWN).metrics


@pytest.mark.usefixtures("quick")
def test_whitening_takes_the_curvature_out(tmp_path: Path) -> None:
    mine = plugin(tmp_path)
    invoke("train", "mapping", "--task", mine, "--preset", "whitened")
    task = load_task(str(mine))
    with torch.no_grad():
        target = Target(task.forward(task.prior.mean[None]))
    rates = []
    for space in ("X", "whitened"):
        loss, to_x = task.objective.bind(target), task.space(space).to_x
        curvature = torch.autograd.functional.hessian(lambda v: loss(task.forward(to_x(v[None])))[0], torch.zeros(2))  # noqa: B023
        values = torch.linalg.eigvalsh(curvature)
        rates.append(float(values[1] / values[0]))
    assert rates[1] < 0.5 * rates[0]


@pytest.mark.usefixtures("quick")
def test_the_tables_are_made_of_what_a_plugin_draws(tmp_path: Path) -> None:
    mine = plugin(tmp_path)
    invoke("train", "mapping", "--task", mine, "--buffers", 1)
    few = ("--task", mine, "--targets", 3, "--out", "results")
    invoke("reproduce", "convergence", *few, "--tune-targets", 2, "--steps", 4)
    content = json.loads(Path("results/convergence-decay.json").read_text())
    assert content["n"] == {"drawn": 3}
    assert set(content["models"]) == {"decay/plugin", "decay/theta-residual"}
    invoke("reproduce", "budget", *few, "--tune-targets", 2, "--evaluations", 8)
    rows = json.loads(Path("results/budget-decay.json").read_text())["settings"]["rows"]
    assert "Z, L-BFGS" in rows
    assert not any("encoder" in row for row in rows)
    invoke("reproduce", "landscapes", *few, "--steps", 3, "--size", 5)
    assert json.loads(Path("results/landscapes-decay.json").read_text())["n"] == {"examples": 3}


def test_what_is_hidden_is_completed_in_several_ways(tmp_path: Path) -> None:
    mine, observed = plugin(tmp_path, UNSEEN), curve(tmp_path, hidden=4)
    words = ("--task", mine, "--space", "random", "--steps", 40, "-k", 5, "--out", "out")
    said = invoke("complete", observed, *words, "--paste").output
    assert "spread of what was hidden" in said
    with zipfile.ZipFile("out/curve.zip") as archive:
        assert set(archive.namelist()) == {*FILES, "completions.json", "completions.safetensors"}
        numbers, outputs = json.loads(archive.read("completions.json")), load(archive.read("completions.safetensors"))
    target = load_task(str(mine)).observe(observed)  # type: ignore[misc]
    for lane in ("X", "Z"):
        assert numbers[lane]["mean loss"] < 1e-2
        assert numbers[lane]["losses"] == sorted(numbers[lane]["losses"])
        assert outputs[lane].shape == (5, 16)
        assert torch.equal(outputs[lane][:, :12], target.value[:, :12].expand(5, 12))  # pasted
        assert outputs[lane][:, 12:].std(dim=0).mean() == pytest.approx(numbers[lane]["spread"], rel=1e-4)
        assert numbers[lane]["spread"] > 0.1  # nothing seen says what the end is
    assert "repeats the card's run exactly" in invoke("replay", "out/curve.zip", "--task", mine).output


@pytest.mark.parametrize(
    ("hidden", "words", "sentence"),
    [
        (0, (), "16 of the 16 numbers of curve.json are seen"),
        (15, (), "1 of the 16 numbers of curve.json are seen"),
        (4, ("--mask", "centre"), "decay makes no pictures for a mask to lie on"),
    ],
)
def test_what_cannot_be_completed_is_refused(tmp_path: Path, hidden: int, words: tuple[str, ...], sentence: str) -> None:
    typed = ["complete", str(curve(tmp_path, hidden=hidden)), "--task", str(plugin(tmp_path)), *words]
    with pytest.raises(UserError, match=sentence):
        CliRunner().invoke(cli.app, typed, catch_exceptions=False)
