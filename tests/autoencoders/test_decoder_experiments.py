"""The second paper's tables on tiny networks: what is measured, tuned and claimed, and what the commands refuse."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.autoencoders.commands import decoders
from landscape_core.autoencoders.experiments import descent, reconstruction
from landscape_core.autoencoders.experiments.quality_claims import bars, quality_claims
from landscape_core.autoencoders.models import Inverter, load_inverter
from landscape_core.autoencoders.task import CODES, load_features_task
from landscape_core.errors import UserError
from landscape_core.experiments.results import Result
from tests.tiny.defended import picture_bytes, pictures
from tests.tiny.inverters import CONFIG, publish_inverter
from tests.tiny.lpips import MeanDistance

NAME = "features/robust-stage3"


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One decoder that learned its pictures, and one of the same encoder that learned next to nothing."""
    folder = tmp_path_factory.mktemp("pair")
    images = picture_bytes(16)
    publish_inverter(folder / "a", folder / "long", NAME, images=images, config=replace(CONFIG, images=1600))
    publish_inverter(folder / "a", folder / "short", "features/plain-stage3", images=images, config=replace(CONFIG, images=8))
    return folder / "a"


@pytest.fixture
def pairs(assets: Path) -> dict[str, tuple[Inverter, Inverter]]:
    return {"stage 3": (load_inverter(NAME, assets), load_inverter("features/plain-stage3", assets))}


def empty(name: str = "features-table") -> Result:
    return Result(name, "none", 0, {}, {"pictures": 8}, {})


def silent(label: str, done: int, total: int) -> None:
    """Tell nothing."""


def learned() -> torch.Tensor:
    return picture_bytes(8).float() / 127.5 - 1.0


def test_the_better_decoder_meets_every_claim_and_the_worse_none(pairs: dict[str, tuple[Inverter, Inverter]]) -> None:
    ours = reconstruction.run_table(pairs, learned(), MeanDistance(), empty(), silent)
    turned = {name: (b, a) for name, (a, b) in pairs.items()}
    theirs = reconstruction.run_table(turned, learned(), MeanDistance(), empty(), silent)
    assert [claim.met for claim in ours.claims[:3]] == [True] * 3
    assert [claim.met for claim in theirs.claims[:3]] == [False] * 3
    assert "milliseconds" in ours.claims[3].claim
    assert ours.claims[3].ours > 0
    assert len(ours.series["psnr | robust, stage 3"]) == 8
    assert ours.claims[0].paper == "higher"


def test_equal_reconstructions_meet_nothing() -> None:
    same = {name: torch.rand(6) for name in ("psnr", "ssim", "lpips")}
    assert not any(claim.met for claim in quality_claims("nothing", same, same, None))


def test_other_sides_are_reconstructed_without_retraining(pairs: dict[str, tuple[Inverter, Inverter]], tmp_path: Path) -> None:
    large = torch.nn.functional.interpolate(learned()[:3], scale_factor=2)
    result = reconstruction.run_resolution(pairs, {32: learned()[:3], 64: large}, MeanDistance(), empty(), silent)
    assert {key.rpartition(", ")[2] for key in result.series} == {"32 px", "64 px"}
    bars(result, tmp_path / "bars.png")
    assert (tmp_path / "bars.png").stat().st_size > 1000


def test_total_variation_is_tuned_on_training_pictures_and_restores(pairs: dict[str, tuple[Inverter, Inverter]]) -> None:
    models = {name: (a.model, b.model) for name, (a, b) in pairs.items()}
    result = reconstruction.run_denoise(models, learned(), pictures(2, 3), [0.1, 0.2], MeanDistance(), empty(), silent)
    chosen = result.settings["tv_weights_chosen"]
    assert set(chosen.values()) <= set(reconstruction.TV_WEIGHTS)
    assert chosen["0.2"] >= chosen["0.1"]
    noise, tv = (torch.tensor(result.series[f"psnr | {who}, noise 26/255"]) for who in ("the noisy picture", "total variation"))
    assert (tv > noise).all()


def test_descent_is_compared_at_its_best_rate_in_x_and_z(assets: Path) -> None:
    settings = descent.DescentSettings(targets=2, steps=6, rates=(0.001, 0.1), tune_targets=1)
    codes = load_features_task(NAME + CODES, assets)
    trained = replace(codes, mappings={"residual": codes.space("random")})
    tasks = {"pixels": load_features_task(NAME, assets), "codes": trained}  # of pixels there is no trained Θ
    inverter = load_inverter(NAME, assets)
    result = descent.run_descent(
        inverter, tasks, learned()[:2], pictures(1), MeanDistance(), settings, empty("features-inversion"), silent
    )
    labels = {"X over pixels", "X over codes", "Z over codes"}
    assert result.settings["rates_chosen"].keys() == labels
    assert result.settings["rates_chosen"]["X over pixels"]["rate"] == 0.1
    assert all(len(result.series[f"loss | {label}"]) == 7 for label in labels)
    assert result.series["seconds a picture | decoder"][0] > 0
    assert len(result.claims) == 3 * len(labels) + 3
    told = [claim for claim in result.claims if "Z against X" in claim.claim]
    heads = [claim.claim.partition(",")[0] for claim in told]
    assert heads == [f"over codes: loss after {step} steps" for step in (1, 2, 6)]


@pytest.mark.parametrize("command", ["features-table", "features-denoise", "features-resolution", "features-inversion"])
def test_the_commands_are_registered(command: str) -> None:
    said = CliRunner().invoke(cli.app, ["reproduce", command, "--help"])
    assert said.exit_code == 0
    assert "--targets" in said.output


def test_impossible_sides_and_missing_models_are_sentences() -> None:
    with pytest.raises(UserError, match="multiples of 16"):
        decoders.resolution(sides="50")
    with pytest.raises(UserError, match="There is no autoencoder 'features/robust-stage9'"):
        decoders.table(stages="9")
