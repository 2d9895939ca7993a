"""Inverting features, and contact sheets: what they measure on networks small enough to know the answer, and what they show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.autoencoders.commands import reproduce as reproduce_features
from landscape_core.autoencoders.experiments import inversion as features
from landscape_core.autoencoders.experiments.inversion import DEEP, PLAIN, ROBUST, WHOLE, FeatureSettings, MapDistance
from landscape_core.errors import UserError
from landscape_core.features.perceptual import FeatureDistance, RobustDistance
from landscape_core.generators.commands import sheets
from landscape_core.images.sheets import labelled_rows
from landscape_core.search.judges import psnr
from landscape_core.storage import zoo
from tests.tiny.models import tiny_task
from tests.tiny.tables import data_folder

SETTINGS = FeatureSettings(targets=3, steps=12, rates=(0.001, 0.1), tune_targets=1)
WIDTHS = (4, 4, 4, 4)


class PixelDistance(FeatureDistance):
    """Stands in for LPIPS, whose weights a test machine need not have: normalised pixels, and a constant channel."""

    def maps(self, image: Tensor) -> Sequence[Tensor]:
        return [torch.cat([image, torch.full_like(image[:, :1], 0.5)], dim=1)]

    def weights(self) -> Sequence[Tensor]:
        return [torch.ones(4)]


def pictures(n: int, seed: int = 1) -> Tensor:
    return torch.rand(n, 3, 64, 64, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def network(seed: int) -> RobustDistance:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return RobustDistance(WIDTHS)


def test_descent_on_features_that_tell_all_gives_the_picture_back() -> None:
    target = pictures(2)
    found, distance = features.reconstruct(PixelDistance(), target, replace(SETTINGS, steps=150), 0.1)
    assert float(psnr(found, target).min()) > 20.0
    assert float(distance.max()) < 0.01
    again, _ = features.reconstruct(PixelDistance(), target, replace(SETTINGS, steps=150), 0.1)
    assert torch.equal(found, again)


def test_only_features_reach_the_reconstruction() -> None:
    """A map that is blind to colour cannot give colour back."""

    class Grey(PixelDistance):
        def maps(self, image: Tensor) -> Sequence[Tensor]:
            return super().maps(image.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1))

    target = torch.full((1, 3, 64, 64), -0.5)
    target[:, 0] = 0.5
    found, distance = features.reconstruct(Grey(), target, replace(SETTINGS, steps=150), 0.05)
    assert float(distance.max()) < 0.02
    assert float((found - target).abs().mean()) > 0.2


def test_the_deepest_map_is_compared_alone() -> None:
    net = network(0)
    a, b = pictures(2), pictures(2, 2)
    maps = [net.network.features(each)[-1] for each in (a, b)]
    unit = [m / m.norm(dim=1, keepdim=True) for m in maps]
    expected = (unit[0] - unit[1]).square().sum(dim=1).mean(dim=(1, 2))
    assert torch.allclose(MapDistance(net.network)(a, b), expected, atol=1e-3)


def test_recognition_counts_who_is_nearest_to_its_own_picture() -> None:
    each = pictures(3)
    shuffled = torch.stack([each[0], each[2], each[1]])
    assert features.recognised(PixelDistance(), each + 0.01, each).tolist() == [1.0, 1.0, 1.0]
    assert features.recognised(PixelDistance(), shuffled, each).tolist() == [1.0, 0.0, 0.0]


def test_the_experiment_measures_both_networks_and_claims_what_follows(tmp_path: Path) -> None:
    networks = {ROBUST: network(0), PLAIN: network(1)}
    ranks = {ROBUST: 0.91, PLAIN: 0.8}
    args = (networks, {"a": "0"}, PixelDistance(), pictures(1, 5), {"toys": pictures(3)}, ranks, SETTINGS, "test")
    result = features.run_features(*args, lambda label, done, total: None)
    content = json.loads(result.write(tmp_path).read_text())
    claims = {claim["claim"]: claim for claim in content["claims"]}
    for kind in (DEEP, WHOLE):
        values = [content["series"][f"psnr | {kind} | {name} | toys"] for name in (ROBUST, PLAIN)]
        expected = sum(values[0]) / 3 - sum(values[1]) / 3
        assert claims[f"toys, {kind}: PSNR in dB, robust minus plain"]["ours"] == pytest.approx(expected, abs=1e-3)
        assert set(content["series"][f"recognised | {kind} | {ROBUST} | toys"]) <= {0.0, 1.0}
    assert claims["rank correlation with LPIPS, held-out distortions, robust"]["met"] is True
    rates = content["settings"]["rates_chosen"]
    assert rates[f"{DEEP} | {ROBUST}"] == 0.1  # in twelve steps the small rate gets nowhere
    features.sheet(networks, pictures(2), result, SETTINGS, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (2 * 128, 5 * (128 + 14))


def save_network(name: str, seed: int, assets: Path) -> None:
    card = zoo.Card(
        name=name, kind="embedded perceptual distance", architecture={"widths": list(WIDTHS)}, trained_on="noise",
        licence="CC0", command="test", budget={}, metrics={}, sha256="", seed=seed,
    )  # fmt: skip
    zoo.save(card, network(seed).state_dict(), assets, dtype=torch.float32)


def test_features_command_names_the_missing_twin_and_writes_a_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reproduce_features, "load_lpips", PixelDistance)
    assets = tmp_path / "assets"
    save_network("perceptual", 0, assets)
    options = ["--targets", "2", "--steps", "2", "--pairs", "48"]
    folders = ["--data", str(data_folder(tmp_path / "data")), "--assets", str(assets), "--out", str(tmp_path / "r")]
    arguments = ["reproduce", "features", *options, *folders]
    missing = CliRunner().invoke(cli.app, arguments)
    assert isinstance(missing.exception, UserError)
    assert "perceptual-plain" in str(missing.exception)
    assert "--eps 0" in str(missing.exception)
    save_network("perceptual-plain", 1, assets)
    result = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    content = json.loads((tmp_path / "r/features.json").read_text())
    assert set(content["models"]) == {"perceptual", "perceptual-plain"}
    assert content["n"] == {"faces": 2, "cats": 2}
    assert (tmp_path / "r/features.png").exists()


def test_labelled_rows_show_every_picture_under_its_label() -> None:
    rows = {"a": torch.full((2, 3, 8, 8), -1.0), "b": torch.full((3, 3, 8, 8), 1.0)}
    sheet = labelled_rows(rows, scale=2)
    assert sheet.size == (48, 2 * (16 + 14))
    assert sheet.getpixel((20, 20)) == (0, 0, 0)
    assert sheet.getpixel((40, 20)) == (255, 255, 255)  # the first row has two pictures
    assert sheet.getpixel((40, 50)) == (255, 255, 255)


def test_sheets_command_writes_a_sheet_of_every_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "load_image_task", tiny_task)
    for kind in ("completed", "restored"):
        monkeypatch.setattr(sheets, kind, partial(getattr(sheets, kind), steps=2))
    options = ["--steps", "1", "--steps", "3", "--out", str(tmp_path)]
    result = CliRunner().invoke(cli.app, ["sheets", *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    sizes = {}
    for name in ("samples", "inversions", "completions", "restored"):
        with Image.open(tmp_path / f"faces-{name}.png") as sheet:
            sizes[name] = sheet.size
        assert (tmp_path / f"faces-{name}.png").stat().st_size < 1_000_000
    assert sizes["samples"] == (512, 8 * (64 + 14))
    assert sizes["inversions"] == (9 * 128, (2 + 2 * 2) * (128 + 14))  # target, encoder, X and Z at two steps
    assert sizes["completions"] == (7 * 128, 5 * (128 + 14))
    assert sizes["restored"] == (2 * 5 * 64, len(sheets.RESTORED) * (64 + 14))  # of two pictures: seen, X, Z twice, the truth


def test_truncated_samples_are_the_same_ones_nearer_to_the_mean() -> None:
    task = tiny_task()
    mean = task.forward(task.prior.mean[None])
    far, near = (sheets.draw(task, 4, 0, truncation=each) for each in (1.0, 0.1))
    assert float((near - mean).abs().mean()) < 0.3 * float((far - mean).abs().mean())
    assert torch.equal(sheets.samples(task, 0)["as drawn"], sheets.draw(task, 32, 0)[:8])


def test_inversion_rows_are_the_solver_s_states() -> None:
    task = tiny_task()
    drawn = sheets.draw(task, 2, 0)
    rows = sheets.inversions(task, drawn, "paper", [1, 4])
    assert list(rows) == ["target", "encoder, no descent", "X, 1 steps", "Z, 1 steps", "X, 4 steps", "Z, 4 steps"]
    errors = [float((rows[name] - drawn).square().mean()) for name in ("X, 1 steps", "X, 4 steps")]
    assert errors[1] < errors[0]
