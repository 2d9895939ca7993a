"""`attack`, `defend`, `train contrastive`, `train defence-mapping` and `reproduce defence`, from files to files."""

from __future__ import annotations

import json
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from landscape_core.cli import app
from landscape_core.defence.commands import reproduce as reproduce_defence
from landscape_core.defence.commands import run as commands
from landscape_core.defence.commands.pictures import read_pictures
from landscape_core.defence.commands.run import attack_settings, true_labels
from landscape_core.defence.task import classifier_names, load_classifier, load_defence
from landscape_core.errors import UserError
from landscape_core.features.cifar10 import CIFAR10_CLASSES
from landscape_core.images.pixels import to_unit
from landscape_core.storage import zoo
from tests.features.test_robustbench import preact_state
from tests.tiny.defended import picture_bytes, tiny_assets


def save_pictures(folder: Path, n: int, seed: int = 0) -> None:
    folder.mkdir(parents=True)
    for i, picture in enumerate(picture_bytes(n, seed)):
        Image.fromarray(picture.permute(1, 2, 0).numpy()).save(folder / f"{i}.png")


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tiny models in place of the embedded ones."""
    folder = tiny_assets(tmp_path / "assets")
    monkeypatch.setattr(commands, "load_defence", partial(load_defence, assets=folder))
    monkeypatch.setattr(commands, "load_classifier", partial(load_classifier, assets=folder))
    monkeypatch.setattr(reproduce_defence, "load_defence", partial(load_defence, assets=folder))
    monkeypatch.setattr(reproduce_defence, "classifier_names", partial(classifier_names, folder))
    return folder


@pytest.fixture
def cifar(tmp_path: Path) -> Path:
    for split in ("train", "test"):
        for label, name in enumerate(CIFAR10_CLASSES):
            save_pictures(tmp_path / "data" / "cifar10.zip" / split / name, 1, seed=label)
    return tmp_path / "data" / "cifar10.zip"


def call(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_defend_writes_what_it_prints(assets: Path, tmp_path: Path) -> None:
    save_pictures(tmp_path / "mine", 2)
    out = tmp_path / "out"
    printed = call("defend", tmp_path / "mine", "--out", out, "--steps", 2, "--attack-steps", 2, "--label", "cat")
    with zipfile.ZipFile(out / "1.zip") as archive:
        record = json.loads(archive.read("defence.json"))
        assert set(archive.namelist()) == {"defence.json", "clean.png", "attacked.png", "restored.png"}
    assert len(record["steps"]) == 3
    assert (record["true"], record["space"], record["aware"]) == ("cat", "residual", False)
    assert record["attack"]["steps"] == 2
    assert sum(record["steps"][2]["probabilities"].values()) == pytest.approx(1.0, abs=2e-3)
    assert f"contrastive loss {record['steps'][2]['loss']:.4f}" in printed


def test_an_attack_of_radius_zero_leaves_the_picture_and_an_aware_one_differs_from_a_static_one(
    assets: Path, tmp_path: Path
) -> None:
    save_pictures(tmp_path / "mine", 1)

    def attacked_png(name: str, *extra: object) -> bytes:
        call("defend", tmp_path / "mine" / "0.png", "--out", tmp_path / name, "--steps", 1, "--attack-steps", 2, *extra)
        with zipfile.ZipFile(tmp_path / name / "0.zip") as archive:
            return archive.read("attacked.png") + (archive.read("clean.png") if name == "zero" else b"")

    zero = attacked_png("zero", "--eps", 0)
    assert zero[: len(zero) // 2] == zero[len(zero) // 2 :]
    assert attacked_png("static", "--norm", "linf") != attacked_png("aware", "--norm", "linf", "--aware")


def test_attack_stays_in_the_radius_it_was_given(assets: Path, tmp_path: Path) -> None:
    save_pictures(tmp_path / "mine", 2)
    call("attack", tmp_path / "mine", "--out", tmp_path / "out", "--norm", "linf", "--eps", 4, "--step", 2, "--attack-steps", 3)
    before, after = (np.asarray(Image.open(tmp_path / name)).astype(int) for name in ("mine/0.png", "out/0-attacked.png"))
    assert 3 <= np.abs(before - after).max() <= 5  # rounding to bytes adds up to one
    answers = json.loads((tmp_path / "out" / "answers.json").read_text())
    assert answers["attack"]["eps"] == pytest.approx(4 / 255)
    assert [each["picture"] for each in answers["pictures"]] == ["0.png", "1.png"]
    assert answers["pictures"][0]["clean"] != answers["pictures"][0]["attacked"]


def test_attack_takes_a_published_checkpoint(tmp_path: Path) -> None:
    save_pictures(tmp_path / "mine", 1)
    torch.save(preact_state(final_norm=True), tmp_path / "published.pt")
    call("attack", tmp_path / "mine", "--out", tmp_path / "out", "--checkpoint", tmp_path / "published.pt", "--attack-steps", 1)
    assert (tmp_path / "out" / "0-attacked.png").exists()
    state = preact_state(final_norm=True)
    state |= {"linear.weight": state["linear.weight"][:3], "linear.bias": state["linear.bias"][:3]}
    torch.save(state, tmp_path / "three.pt")
    with pytest.raises(UserError, match="tells 3 classes apart"):
        call("attack", tmp_path / "mine", "--checkpoint", tmp_path / "three.pt")


def test_bad_input_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="No pictures"):
        read_pictures(tmp_path / "empty")
    with pytest.raises(UserError, match="There is no file"):
        read_pictures(tmp_path / "absent.png")
    with pytest.raises(UserError, match="There is no class 'unicorn'; there are: airplane"):
        true_labels("unicorn", torch.zeros(1, 10))


def test_attack_options_are_for_bytes_and_the_rest_is_the_presets() -> None:
    changed = attack_settings("l2", 128.0, None, 7)
    assert (changed.eps, changed.steps) == (pytest.approx(128 / 255), 7)
    assert changed.step == attack_settings("l2", None, None, None).step == pytest.approx(64 / 255)
    assert attack_settings("linf", 0.0, 1.0, None).eps == 0.0


def test_a_classifier_gets_its_head_and_its_theta_by_two_commands(assets: Path, cifar: Path, tmp_path: Path) -> None:
    shared = ("--cifar", cifar, "--work", tmp_path / "work", "--assets", assets)
    call("train", "contrastive", *shared, "--epochs", 1, "--batch", 5, "--judged", 2, "--decay", 0.5)
    head = zoo.read_card("defence/ro/head", assets)
    assert head.architecture["decay"] == 0.5
    assert head.metrics["n"] == 2
    assert head.budget["updates"] == 2
    call("train", "defence-mapping", *shared, "--buffers", 1, "--targets", 2)
    defence = load_defence("ro", assets)
    assert zoo.read_card("defence/ro/theta-residual", assets).budget["buffers"] == 1
    assert defence.logits(to_unit(picture_bytes(1))).shape == (1, 10)


def test_reproduce_defence_writes_a_result_for_every_classifier(assets: Path, cifar: Path, tmp_path: Path) -> None:
    out = tmp_path / "results"
    call("reproduce", "defence", "--data", cifar.parent, "--targets", 3, "--attack-steps", 1, "--aware-steps", 1,
         "--work", tmp_path / "work", "--out", out)  # fmt: skip
    result = json.loads((out / "defence-ro.json").read_text())
    assert result["n"] == {"test": 3}
    assert result["settings"]["attack_settings"]["l2"]["steps"] == 1
    assert (out / "defence-ro.png").exists()
    call("reproduce", "defence", "--data", cifar.parent, "--images", cifar, "--split", "train", "--targets", 2,
         "--classifier", "ro", "--attack-steps", 1, "--aware-steps", 1, "--work", tmp_path / "work",
         "--out", tmp_path / "own")  # fmt: skip
    assert json.loads((tmp_path / "own" / "defence-ro.json").read_text())["n"] == {"train": 2}


def test_reproduce_without_a_head_is_a_sentence(cifar: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reproduce_defence, "classifier_names", list)
    with pytest.raises(UserError, match="`train contrastive` makes one"):
        call("reproduce", "defence", "--data", cifar.parent)


def test_a_bad_picture_in_a_folder_is_left_out_and_said(assets: Path, tmp_path: Path) -> None:
    save_pictures(tmp_path / "in", 2)
    (tmp_path / "in" / "bad.png").write_text("no picture")
    for command, kept in (("attack", ["0-attacked.png", "1-attacked.png", "answers.json"]), ("defend", ["0.zip", "1.zip"])):
        out = tmp_path / command
        arguments = [command, tmp_path / "in", "--out", out, "--attack-steps", 1]
        result = CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)
        assert result.exit_code == 1
        assert "Not done: bad.png." in result.output
        assert sorted(path.name for path in out.iterdir()) == kept
    with pytest.raises(UserError, match="not a picture"):
        call("attack", tmp_path / "in" / "bad.png", "--out", tmp_path / "out")


def test_pictures_of_one_name_are_both_kept(assets: Path, tmp_path: Path) -> None:
    save_pictures(tmp_path / "in", 1)
    Image.open(tmp_path / "in" / "0.png").save(tmp_path / "in" / "0.webp")
    call("attack", tmp_path / "in", "--out", tmp_path / "out", "--attack-steps", 1)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"0-attacked.png", "0-attacked-2.png", "answers.json"}
    answers = json.loads((tmp_path / "out" / "answers.json").read_text())["pictures"]
    assert [each["attacked_picture"] for each in answers] == ["0-attacked.png", "0-attacked-2.png"]


def test_the_mean_of_a_published_classifier_is_assumed_aloud_or_told(assets: Path, tmp_path: Path) -> None:
    save_pictures(tmp_path / "in", 1)
    torch.save(preact_state(final_norm=True), tmp_path / "published.pt")
    attack = (
        "attack",
        tmp_path / "in",
        "--out",
        tmp_path / "out",
        "--attack-steps",
        1,
        "--checkpoint",
        tmp_path / "published.pt",
    )
    assert "published.pt: The file has no mean of its pictures; 0 is assumed" in call(*attack)
    assert "assumed" not in call(*attack, "--mean", "0.49,0.48,0.45", "--std", "0.25,0.24,0.26")
    with pytest.raises(UserError, match="Divide by 255"):
        call(*attack, "--mean", "125,123,114")
