"""`train features-decoder` and `features-mapping`, from folders of pictures to files that load; and levels of robustness."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.autoencoders.commands import train as commands
from landscape_core.autoencoders.experiments.descent import DescentSettings
from landscape_core.autoencoders.models import load_classifier, load_inverter
from landscape_core.autoencoders.task import CODES, load_features_task
from landscape_core.autoencoders.training import recipe
from landscape_core.errors import UserError
from landscape_core.storage import zoo
from tests.tiny.inverters import WIDTHS, publish_encoder
from tests.tiny.lpips import MeanDistance
from tests.tiny.pictures import cifar_folder


@pytest.fixture
def cifar(tmp_path: Path) -> Path:
    return cifar_folder(tmp_path, train=2, test=1)


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(recipe, "load_lpips", MeanDistance)
    publish_encoder(tmp_path / "assets")
    return tmp_path / "assets"


def train(*arguments: str) -> None:
    CliRunner().invoke(cli.app, ["train", *arguments], catch_exceptions=False)


def decoder(data: Path, assets: Path, *others: str, name: str = "robust-stage3") -> None:
    folders = ["--work", str(assets.parent / "work"), "--assets", str(assets)]
    few = ["--images", "24", "--batch", "8", "--encoder", "features/encoder", "--name", name]
    train("features-decoder", "--data", str(data), *few, *folders, *others)


def test_a_decoder_and_a_theta_are_trained_by_command_and_searched(
    cifar: Path, assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "COMPARISON", DescentSettings(steps=5, rates=(0.1,), start="mean"))
    decoder(cifar, assets, "--depth", "3")
    card = load_inverter("features/robust-stage3", assets).card
    assert (card.budget["images"], card.budget["epochs"], card.architecture["depth"]) == (24, 1.2, 3)
    assert "'images': 24" in card.notes
    name = "features/robust-stage3" + CODES
    folders = ["--work", str(assets.parent / "theta"), "--assets", str(assets)]
    train("features-mapping", "--data", str(cifar), "--task", name, "--buffers", "1", *folders)
    assert list(load_features_task(name, assets).mappings) == ["residual"]
    compared = zoo.read_card(f"{name}/theta-residual", assets).metrics["comparison"]["losses"]
    assert compared.keys() == {"X", "residual"}
    assert all(losses.keys() == {"1", "2", "5"} for losses in compared.values())


def test_pictures_of_another_side_noise_skips_and_losses_are_options(tmp_path: Path, assets: Path) -> None:
    for split in ("train", "val"):
        (tmp_path / "pictures" / split).mkdir(parents=True)
        Image.new("RGB", (64, 64), "teal").save(tmp_path / "pictures" / split / "one.png")
    with pytest.raises(UserError, match="at least two pictures; there is 1"):
        decoder(tmp_path / "pictures", assets, "--side", "64", "--depth", "2")
    Image.new("RGB", (64, 64), "plum").save(tmp_path / "pictures" / "train" / "two.png")
    asked = ("--side", "64", "--depth", "3", "--noise", "0.2", "--skips", "--adversarial", "0", "--feature", "0")
    decoder(tmp_path / "pictures", assets, *asked, name="denoising")
    found = load_inverter("features/denoising", assets)
    assert (found.side, found.card.architecture["skips"], found.model.encoder.depth) == (64, True, 3)
    assert all(part in found.card.notes for part in ("'noise': 0.2", "'adversarial': 0.0", "'feature': 0.0"))


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        (("--depth", "4"), "has the stages 1 to 3; there is no 4"),
        (("--depth", "3", "--side", "36"), "must be a multiple of 8 for stage 3, not 36"),
        (("--pixel", "0", "--feature", "0"), "needs the pixel loss or the feature loss"),
    ],
)
def test_what_cannot_be_trained_is_a_sentence(cifar: Path, assets: Path, others: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        decoder(cifar, assets, *others)


def test_a_level_of_robustness_names_its_norm_and_its_network(cifar: Path, tmp_path: Path) -> None:
    folders = ["--work", str(tmp_path / "work"), "--assets", str(tmp_path / "assets")]
    for eps, kind in (("4", "vgg"), ("0", "resnet")):
        asked = ["--preset", "smoke", "--eps", eps, "--network", kind, "--name", f"features/{kind}{eps}"]
        train("classifier", "--cifar", str(cifar), *asked, *folders)
    card, network, threat = load_classifier("features/vgg4", tmp_path / "assets")
    assert (type(network).__name__, network.widths, threat) == ("VggClassifier", WIDTHS, "L∞ 4/255")
    assert load_classifier("features/resnet0", tmp_path / "assets")[2] == "none"
    assert zoo.read_card("features/vgg4", tmp_path / "assets").architecture["network"] == "vgg"
    assert card.kind.startswith("adversarially trained classifier")
