"""A Θ handed on as one zip: what comes out is what went in, and what is not as it says is refused."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.errors import UserError
from landscape_core.plugins.task import load_plugin_task
from landscape_core.search.mapping import MappingConfig, build_mapping
from landscape_core.search.spaces import Prior
from landscape_core.search.thetas import thetas
from landscape_core.storage import zoo
from landscape_core.storage.bundle import add_bundle, write_bundle
from tests.tiny.plugins import plugin

Files = dict[str, bytes]


def made(
    folder: Path, name: str = "decay/theta-residual", forward: str = "decay/plugin", sha256: str = "0" * 64, *, seed: int = 3
) -> Path:
    """A bundle of a tiny Θ."""
    config = MappingConfig("residual", 2, 2, 4)
    mapping = build_mapping(config, Prior(torch.zeros(2), torch.eye(2)), seed=seed)
    card = zoo.Card(
        name=name, kind="mapping", architecture=vars(config), trained_on="nothing", licence="CC0", command="", budget={},
        metrics={}, sha256="", seed=0,
    )  # fmt: skip
    card = zoo.save(card, mapping.state_dict(), folder / "theirs", dtype=torch.float32)
    write_bundle(folder / "theta.zip", card, forward, sha256, folder / "theirs")
    return folder / "theta.zip"


def changed(path: Path, change: Callable[[Files], object]) -> Path:
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_what_comes_out_is_what_went_in(tmp_path: Path) -> None:
    card = add_bundle(made(tmp_path), tmp_path / "ours")
    theirs, ours = (zoo.load(card.name, tmp_path / each) for each in ("theirs", "ours"))
    assert theirs[0] == ours[0]
    assert all(torch.equal(value, ours[1][key]) for key, value in theirs[1].items())


def test_a_bundle_is_written_by_training_and_found_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = plugin(tmp_path)
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    typed = ["train", "mapping", "--task", str(mine), "--preset", "whitened", "--bundle", str(tmp_path / "theta.zip")]
    assert "theta.zip" in CliRunner().invoke(cli.app, typed, catch_exceptions=False).output
    monkeypatch.chdir(tmp_path / "there")
    assert "whitened" not in load_plugin_task(str(mine)).mappings
    said = CliRunner().invoke(cli.app, ["models", "--add", str(tmp_path / "theta.zip")], catch_exceptions=False).output
    assert "Added decay/theta-whitened" in said
    assert "whitened" in load_plugin_task(str(mine)).mappings
    assert "decay/theta-whitened" in CliRunner().invoke(cli.app, ["models"], catch_exceptions=False).output


def flipped(files: Files) -> None:
    files["weights.safetensors"] = files["weights.safetensors"][:-1] + bytes([files["weights.safetensors"][-1] ^ 1])


def advising(metrics: dict[str, object]) -> Callable[[Files], object]:
    return lambda files: files.update(
        {"card.json": json.dumps({**json.loads(files["card.json"]), "metrics": metrics}).encode()}
    )


def renamed(name: str) -> Callable[[Files], object]:
    return lambda files: files.update({"bundle.json": json.dumps({**json.loads(files["bundle.json"]), "model": name}).encode()})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (flipped, "do not match their card"),
        (lambda files: files.pop("bundle.json"), "There is no bundle.json"),
        (lambda files: files.update({"bundle.json": b"{}"}), "is no bundle of a Θ"),
        (lambda files: files.update({"card.json": b"{}"}), "is not a valid model card"),
        (renamed("../evil"), "cannot name a model"),
        (renamed("decay/theta-other"), "its card is of decay/theta-residual"),
        (renamed("faces/theta-residual"), "a model of that name is embedded already"),
    ],
)
def test_what_is_not_as_it_says_is_refused(tmp_path: Path, change: Callable[[Files], object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        add_bundle(changed(made(tmp_path), change), tmp_path / "ours")
    assert zoo.names(tmp_path / "ours") == []


@pytest.mark.parametrize("metrics", [{"advised": {"name": "nonsense"}}, {"advised": [1]}, {"tuned": [{"start": "mean"}]}])
def test_advice_that_is_none_leaves_that_theta_out(tmp_path: Path, metrics: dict[str, object]) -> None:
    add_bundle(changed(made(tmp_path), advising(metrics)), tmp_path / "ours")
    add_bundle(made(tmp_path, "decay/theta-other"), tmp_path / "ours")
    prior, said = Prior(torch.zeros(2), torch.eye(2)), list[str]()
    found = thetas("decay/theta-", prior, tmp_path / "ours", damaged=lambda error: said.append(str(error)))
    assert [*found.spaces] == ["other"]
    assert len(said) == 1
    assert "The card of decay/theta-residual advises no optimiser that there is" in said[0]
    with pytest.raises(UserError, match="advises no optimiser"):
        thetas("decay/theta-", prior, tmp_path / "ours")


def test_what_is_added_takes_the_place_of_what_had_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "ours" / "decay/theta-residual"
    add_bundle(made(tmp_path), tmp_path / "ours")
    (earlier,) = folder.glob("*.safetensors")
    made(tmp_path, seed=4)
    card = add_bundle(tmp_path / "theta.zip", tmp_path / "ours")
    (weights,) = folder.glob("*.safetensors")
    assert weights != earlier  # so that the earlier one was whole until its card was replaced
    assert zoo.weights_path(card, tmp_path / "ours") == weights


def test_a_theta_for_another_generator_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path, "faces/theta-mine", "faces/generator")
    with pytest.raises(UserError, match="learned for another faces/generator"):
        add_bundle(path, tmp_path / "ours")
    right = made(tmp_path, "faces/theta-mine", "faces/generator", zoo.read_card("faces/generator").sha256)
    assert add_bundle(right, tmp_path / "ours").name == "faces/theta-mine"


def test_a_file_that_is_no_zip(tmp_path: Path) -> None:
    (tmp_path / "theta.zip").write_text("no")
    with pytest.raises(UserError, match="is not a zip that can be read"):
        add_bundle(tmp_path / "theta.zip", tmp_path / "ours")
