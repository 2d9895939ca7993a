"""Ablation, sweet spot, anomalies and style on tiny networks: what is trained, compared and claimed, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.autoencoders.commands import applications, levels
from landscape_core.autoencoders.domain import CIFAR10
from landscape_core.autoencoders.experiments import ablation, anomalies, styles, sweet_spot
from landscape_core.autoencoders.models import Inverter, load_inverter
from landscape_core.autoencoders.networks import Autoencoder, FeatureEncoder
from landscape_core.autoencoders.training.decoder import DecoderConfig, train_decoder
from landscape_core.errors import UserError
from landscape_core.experiments.results import Result, read_result
from landscape_core.features.cifar10 import CIFAR10_CLASSES
from landscape_core.features.classifier import Classifier, classifier_of
from landscape_core.features.training.classifier import ClassifierConfig
from landscape_core.features.training.classifier_recipe import CLASSIFIER_PRESETS
from landscape_core.progress import silent
from tests.tiny.defended import picture_bytes, pictures
from tests.tiny.inverters import CONFIG, publish_inverters
from tests.tiny.lpips import MeanDistance, StandIn


@pytest.fixture(scope="module")
def inverters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Inverter]:
    assets = publish_inverters(tmp_path_factory.mktemp("applied"))
    return {name: load_inverter(f"features/{name}", assets) for name in ("robust-stage3", "robust-stage2", "plain-stage3")}


class Learner:
    """Trains for a moment, and remembers what it was asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: dict[str, DecoderConfig] = {}

    def __call__(self, name: str, encoder: FeatureEncoder, images: Tensor, config: DecoderConfig) -> Autoencoder:
        self.asked[name] = config
        return train_decoder(encoder, images, config, self.folder / name, silent).model


def empty(name: str) -> Result:
    return Result(name, "none", 0, {}, {"pictures": 8}, {})


def quiet(label: str, done: int, total: int) -> None:
    """Tell nothing."""


def test_the_ablation_switches_losses_off_and_compares_all_with_each(inverters: dict[str, Inverter], tmp_path: Path) -> None:
    learn, encoder = Learner(tmp_path), inverters["robust-stage3"].model.encoder
    shown = picture_bytes(8)
    result = ablation.run_ablation(
        encoder, shown, shown.float() / 127.5 - 1, MeanDistance(), CONFIG, learn, empty("features-ablation"), quiet
    )
    assert [(c.pixel > 0, c.feature > 0, c.adversarial > 0) for c in learn.asked.values()] == [
        (True, False, False), (False, True, False), (True, True, False), (True, True, True),
    ]  # fmt: skip
    assert {c.images for c in learn.asked.values()} == {CONFIG.images}
    assert len(result.claims) == 9
    assert len(result.series["psnr | pixel loss alone"]) == 8


def test_the_sweet_spot_is_chosen_on_training_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two levels the one whose decoder learned longer is best where it is chosen, and is compared with both ends."""
    asked: list[ClassifierConfig] = []
    smoke = replace(CLASSIFIER_PRESETS["smoke"], widths=(8, 12, 16))

    def classify(name: str, config: ClassifierConfig) -> Classifier:
        asked.append(config)
        torch.manual_seed(0)
        return classifier_of(config.architecture()).eval()

    trained = Learner(tmp_path)

    def learn(name: str, encoder: FeatureEncoder, images: Tensor, config: DecoderConfig) -> Autoencoder:
        return trained(name, encoder, images, replace(config, images=1600 if name == "decoder-4" else 8))

    images = picture_bytes(16)
    result = sweet_spot.run_sweet_spot(
        [0, 4, 8], sweet_spot.Level(smoke, CONFIG, 3), images, (images[:8], torch.arange(8)), MeanDistance(), classify, learn,
        empty("features-sweet-spot"), quiet,
    )  # fmt: skip
    assert [(c.threat.norm, round(255 * c.threat.eps)) for c in asked] == [("linf", 0), ("linf", 4), ("linf", 8)]
    assert all("L∞ 4/255, the best on training pictures" in claim.claim for claim in result.claims)
    assert [claim.met for claim in result.claims] == [True] * 6
    sweet_spot.curves(result, [0, 4, 8], tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("levels", "best", "said"),
    [
        ([0, 4, 8], 8, ["L∞ 8/255, the best on training pictures and the last of the row, against L∞ 0/255"]),
        ([0, 4, 8], 0, ["L∞ 0/255, the best on training pictures and the first of the row, against L∞ 8/255"]),
        ([0, 4], 4, ["L∞ 4/255, the best on training pictures, against L∞ 0/255"]),
        ([0, 4], 0, ["L∞ 0/255, the best on training pictures, against L∞ 4/255"]),
    ],
)
def test_a_best_level_at_an_end_is_not_compared_with_itself(
    levels: list[float], best: float, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decoders are stand-ins that give the picture back, the best one's with the least grey in it."""

    def given_back(level: str, pictures: Tensor) -> Tensor:
        return pictures * (0.9 if level == f"decoder-{best:g}" else 0.5)

    monkeypatch.setattr(sweet_spot, "reconstructed", given_back)
    smoke, images = replace(CLASSIFIER_PRESETS["smoke"], widths=(8, 12, 16)), picture_bytes(4)
    network = classifier_of(smoke.architecture()).eval()
    result = sweet_spot.run_sweet_spot(
        levels, sweet_spot.Level(smoke, CONFIG, 3), images, (images, torch.arange(4)), MeanDistance(),
        lambda name, config: network, lambda name, *_: name, empty("features-sweet-spot"), quiet,
    )  # fmt: skip
    assert list(dict.fromkeys(claim.claim.split(": ")[0] for claim in result.claims)) == said


def test_what_a_decoder_learned_is_less_strange_to_it_than_the_rest(inverters: dict[str, Inverter], tmp_path: Path) -> None:
    """Two classes that cannot be taken for each other: dark pictures, and light ones."""
    labels = torch.tensor([0] * 8 + [1] * 8)
    dark, light = picture_bytes(8) // 4, 255 - picture_bytes(8, 5) // 4
    known = (torch.cat([dark, light]), labels)
    settings = anomalies.AnomalySettings(replace(CONFIG, images=400), steps=3, rates=(0.01, 0.1), tune=4)
    pair = {"robust": inverters["robust-stage3"], "standard": inverters["plain-stage3"]}
    result = anomalies.run_anomaly(pair, known, known, settings, Learner(tmp_path), empty("features-anomaly"), quiet, tmp_path)
    assert min(result.series["AUROC | robust, error of reconstruction"]) > 0.9
    assert result.settings["rates_chosen"].keys() == {"robust, code searched in X", "standard, code searched in X"}
    told = [claim.claim for claim in result.claims]
    assert "AUROC, robust, code searched in X minus standard, code searched in X" in told
    assert "AUROC, standard, code searched in X minus standard, error of reconstruction" in told
    anomalies.areas_by_class(result, tmp_path / "areas.png")
    assert (tmp_path / "areas.png").stat().st_size > 1000


def test_styles_are_judged_by_a_network_that_was_not_aligned(inverters: dict[str, Inverter], tmp_path: Path) -> None:
    stages = {
        "robust": [inverters["robust-stage3"], inverters["robust-stage2"]],
        "standard": [inverters["plain-stage3"]],
    }  # fmt: skip
    shown = pictures(3)
    result, found = styles.run_style(stages, shown[:2], shown[2:], StandIn(), empty("features-style"), quiet)
    assert found["robust, wct"].shape == (2, 3, 32, 32)
    assert result.series["distance to the style | style"] == [0.0, 0.0]
    assert result.series["LPIPS to the content | content"] == [0.0, 0.0]
    assert len(result.claims) == 8
    styles.sheet(found, tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("name", "few", "label"),
    [
        ("anomaly", ("--targets", "2", "--stage", "3", "--images", "4", "--steps", "1"),
         "AUROC | standard, code searched in X"),
        ("style", ("--stages", "3", "--side", "32"), "distance to the style | robust, adain"),
        ("ablation", ("--targets", "2", "--images", "4"), "lpips | pixel and feature loss"),
        ("sweet-spot", ("--targets", "10", "--levels", "0,4", "--epochs", "1", "--images", "4"), "clean accuracy | L∞ 4/255"),
        ("denoise", ("--targets", "2", "--stages", "3", "--levels", "25", "--images", "4"),
         "psnr | robust, stage 3 with skips, trained for noise, noise 25/255"),
    ],
)  # fmt: skip
def test_a_command_writes_its_result_and_picture(tmp_path: Path, name: str, few: tuple[str, ...], label: str) -> None:
    """On the embedded networks and pictures of noise; the classifiers' batches are larger than this, so they stay untrained."""
    random = np.random.default_rng(0)
    for split in ("train", "test"):
        for each in CIFAR10_CLASSES:
            (tmp_path / CIFAR10 / split / each).mkdir(parents=True)
            for i in range(2):
                pixels = random.integers(0, 255, (32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / CIFAR10 / split / each / f"{i}.png")
    folders = ["--out", str(tmp_path / "out")]
    folders += [] if name == "style" else ["--data", str(tmp_path), "--work", str(tmp_path / "work")]
    said = CliRunner().invoke(cli.app, ["reproduce", f"features-{name}", *few, *folders], catch_exceptions=False)
    assert said.exit_code == 0, said.output
    assert label in read_result(tmp_path / "out" / f"features-{name}.json")["series"]
    assert (tmp_path / "out" / f"features-{name}.png").stat().st_size > 1000


def test_what_cannot_be_measured_is_a_sentence() -> None:
    with pytest.raises(UserError, match="multiples of 16, not 100"):
        applications.style(side=100)
    with pytest.raises(UserError, match="one stage; got '4,3'"):
        applications.anomaly(stage="4,3")
    with pytest.raises(UserError, match="the smallest first; got '4,0'"):
        levels.sweet_spot(levels="4,0")
    with pytest.raises(UserError, match="--levels takes numbers with commas between; got 'few'"):
        applications.denoise(levels="few")
    with pytest.raises(UserError, match="numbers with commas"):
        levels.sweet_spot(levels="none")
    with pytest.raises(UserError, match="stages 1 to 4; there is no 9"):
        levels.ablation(depth=9)
