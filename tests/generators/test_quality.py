"""The distance between sets of pictures, the look at a run in progress, and beginning with published weights."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor
from typer.testing import CliRunner

from landscape_core import cli
from landscape_core.errors import UserError
from landscape_core.generators.commands import train
from landscape_core.generators.networks.autoencoder import ImageDecoder
from landscape_core.generators.training import recipe as image_recipe
from landscape_core.generators.training.gan import GanTrainer
from landscape_core.generators.training.measure import measure_generator
from landscape_core.generators.training.publish import publish
from landscape_core.generators.training.quality import LOG, Judge, Moments, Monitor, embedded_features, frechet
from landscape_core.generators.training.transfer import Start
from landscape_core.images.pixels import to_unit
from landscape_core.images.sheets import grid
from landscape_core.progress import silent
from landscape_core.storage import zoo
from landscape_core.training.loop import train as run_updates
from tests.generators.test_training import SMALL, TINY, gan
from tests.tiny.assets import tiny_domain
from tests.tiny.models import tiny_task


def normal(n: int, d: int, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def pooled(pictures: Tensor) -> Tensor:
    """Features without a network: what 16-pixel cells look like on average."""
    return torch.nn.functional.avg_pool2d(pictures, 16).flatten(1)


def noise_pictures(n: int, seed: int, low: int = 0) -> Tensor:
    return torch.randint(low, 256, (n, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def test_frechet_distance_is_the_closed_form_for_gaussians_on_the_same_axes() -> None:
    turn = torch.linalg.qr(normal(5, 5)).Q
    a, b = torch.tensor([1.0, 4.0, 9.0, 0.0, 2.0]).double(), torch.tensor([4.0, 4.0, 1.0, 1.0, 0.0]).double()
    shift = normal(1, 5, 1)[0]
    first = Moments(torch.zeros(5).double(), turn @ torch.diag(a) @ turn.T, 10)
    second = Moments(shift, turn @ torch.diag(b) @ turn.T, 10)
    expected = float(shift.square().sum() + (a.sqrt() - b.sqrt()).square().sum())
    assert frechet(first, second) == pytest.approx(expected, rel=1e-6)
    assert frechet(second, first) == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_of_a_set_from_itself_is_zero_also_with_fewer_samples_than_features() -> None:
    few = Moments.of(normal(6, 20))
    assert frechet(few, few) == pytest.approx(0.0, abs=1e-5)


def test_the_floor_is_what_real_pictures_score_and_what_is_drawn_wrong_scores_more() -> None:
    judge = Judge.of(pooled, noise_pictures(60, 0), noise_pictures(60, 1), n=60)
    good, bad = (to_unit(noise_pictures(60, seed, low)) for seed, low in ((2, 0), (3, 128)))
    taken: list[int] = []

    def draw(pictures: Tensor, n: int) -> Tensor:
        taken.append(n)
        return pictures[:n]

    assert 0 < judge.floor < judge.score(lambda n: draw(bad, n))
    assert judge.score(lambda n: draw(good, n)) == pytest.approx(judge.floor, rel=0.5)
    assert taken == [60, 60]


def test_embedded_features_see_blur() -> None:
    pictures = to_unit(noise_pictures(40, 0))
    blurred = torch.nn.functional.interpolate(torch.nn.functional.avg_pool2d(pictures, 4), scale_factor=4.0)
    extract = embedded_features()
    assert extract(pictures).shape == (40, 112)
    real = Moments.of(extract(pictures))
    other = Moments.of(extract(to_unit(noise_pictures(40, 1))))
    assert frechet(real, Moments.of(extract(blurred))) > 3 * frechet(real, other)


def test_a_grid_fills_rows_first() -> None:
    pictures = torch.stack([torch.full((3, 4, 4), value) for value in (-1.0, 0.0, 1.0)])
    sheet = grid(pictures, 2)
    assert sheet.size == (8, 8)
    assert [sheet.getpixel(spot)[0] for spot in ((0, 0), (4, 0), (0, 4), (4, 4))] == [0, 128, 255, 255]


def monitor(trainer: GanTrainer, folder: Path, looks: int = 3) -> Monitor:
    judge = Judge.of(pooled, noise_pictures(30, 0), noise_pictures(30, 1), n=20)
    decoder = ImageDecoder((4, 4, 8), 4).eval()
    return Monitor(lambda seed: trainer.drawing(decoder, seed), folder, looks=looks, judge=judge)


def test_looking_at_a_run_writes_numbers_and_sheets_and_changes_nothing(tmp_path: Path) -> None:
    plain, watched = (gan(tmp_path / name) for name in ("plain", "watched"))
    run_updates(plain, silent)
    watch = monitor(watched, tmp_path / "watched")
    run_updates(watched, silent, watch=watch)
    for name, value in plain.generator_ema.state_dict().items():
        assert torch.equal(value, watched.generator_ema.state_dict()[name]), name
    lines = [json.loads(line) for line in (tmp_path / "watched" / LOG).read_text().splitlines()]
    assert [line["images"] for line in lines] == [32, 64, 96]
    assert len({line["frechet"] for line in lines}) == 3
    assert lines[0]["frechet_n"] == {"drawn": 20, "real": 20}
    with Image.open(tmp_path / "watched" / "samples-000000096.png") as sheet:
        assert sheet.size == (512, 512)
    reopened = monitor(watched, tmp_path / "watched")
    assert reopened.latest == watch.latest == {k: v for k, v in lines[-1].items() if k.startswith("frechet")}
    assert not reopened.due(watched)  # that look was taken


def test_without_pictures_to_compare_with_there_are_sheets_alone(tmp_path: Path) -> None:
    trainer = gan(tmp_path)
    decoder = ImageDecoder((4, 4, 8), 4).eval()
    watch = Monitor(lambda seed: trainer.drawing(decoder, seed), tmp_path, looks=2)
    run_updates(trainer, silent, watch=watch)
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["samples-000000048.png", "samples-000000096.png"]
    assert watch.latest == {}


def test_the_same_noise_stays_the_same_picture_when_the_principal_axes_turn(tmp_path: Path) -> None:
    trainer = gan(tmp_path)
    codes = normal(200, SMALL.style_dim).float() * torch.linspace(1.0, 1.2, SMALL.style_dim)
    decoder = ImageDecoder((4, 4, 8), 4).eval()
    drawn = []
    for turned in (1.0, -1.0):
        trainer.codes.refresh(codes)
        trainer.codes.get_buffer("axes").mul_(turned)
        drawn.append(trainer.drawing(decoder, 0)(3))
    assert torch.allclose(*drawn, atol=1e-4)
    assert float(drawn[0].std()) > 0.01


def test_the_critic_learns_alone_at_first(tmp_path: Path) -> None:
    trainer = gan(tmp_path, replace(TINY, critic_first=16))
    before = {name: [p.clone() for p in getattr(trainer, name).parameters()] for name in ("generator", "encoder", "critic")}

    def changed(name: str) -> bool:
        return any(not torch.equal(a, b) for a, b in zip(before[name], getattr(trainer, name).parameters(), strict=True))

    trainer.step()
    trainer.step()
    assert (changed("generator"), changed("encoder"), changed("critic")) == (False, False, True)
    trainer.step()
    assert (changed("generator"), changed("encoder")) == (True, True)


@pytest.fixture
def published(tmp_path: Path, no_lpips: None) -> Start:
    """A tiny domain "one"."""
    tiny_domain(tmp_path / "assets", "one", spaces=())
    return Start.of("one", tmp_path / "assets")


CARD = {"trained_on": "noise", "command": "train", "hardware": "cpu"}


def test_training_goes_on_from_a_published_domain(tmp_path: Path, published: Start) -> None:
    images, recipe, assets = noise_pictures(20, 0), image_recipe.RECIPES["smoke"], tmp_path / "assets"
    assert published.architecture == recipe.architecture
    still = image_recipe.ImageRecipe(
        published.architecture,
        replace(recipe.autoencoder, images=0),
        replace(recipe.gan, images=16, critic_first=16),
        replace(recipe.sharpen, images=0),
    )
    again = image_recipe.Training(images, still, tmp_path / "again", lambda stage: silent, domain="two", start=published).run()
    assert again is not None
    w = torch.randn(3, 32, generator=torch.Generator().manual_seed(5))
    assert torch.allclose(again.model(w), published.model(w), atol=1e-5)
    codes = again.encoder(to_unit(torch.cat([images, images.flip(3)])))
    assert torch.allclose(again.prior.mean, codes.mean(dim=0), atol=0.5 * float(codes.std()))
    assert again.prior.factor.norm() < 0.5 * 32**0.5  # not the unit Gaussian that nothing was measured for
    publish(again, still, "two", licence="CC BY", start=published, assets=assets, **CARD)
    licence = zoo.read_card("two/generator", assets).licence
    assert "CC BY" in licence
    assert "CC0" in licence
    assert published.sha256[:12] in zoo.read_card("two/encoder", assets).notes


@pytest.mark.parametrize(("domain", "scaled_anew"), [("one", False), ("two", True)])
def test_the_last_stage_goes_on_alone(tmp_path: Path, published: Start, domain: str, scaled_anew: bool) -> None:
    recipe, stages = image_recipe.RECIPES["smoke"], []
    images = noise_pictures(20, 1, low=128)
    training = image_recipe.Training(
        images, recipe, tmp_path / "on", lambda stage: stages.append(stage) or silent, domain=domain, start=published
    )
    trained = training.run_last()
    assert stages == ["sharpening"]
    assert trained is not None
    assert trained.images == {"sharpening": 64}
    w = torch.randn(3, 32, generator=torch.Generator().manual_seed(5))
    assert not torch.allclose(trained.model(w), published.model(w), atol=1e-4)
    norm, before = trained.encoder.image.norm, published.encoder.image.norm
    assert torch.equal(norm.running_mean, before.running_mean) is not scaled_anew
    with pytest.raises(UserError, match="--from faces"):
        replace(training, start=None).run_last()


def test_the_transfer_recipe_asks_where_to_begin(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli.app, ["train", "generator", "--data", str(tmp_path), "--recipe", "transfer"])
    assert isinstance(result.exception, UserError)
    assert "--from" in str(result.exception)


def test_measuring_adds_to_what_the_card_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for split in ("train", "val"):
        (tmp_path / split).mkdir()
        for index, picture in enumerate(noise_pictures(4, 0)):
            Image.fromarray(picture.permute(1, 2, 0).numpy()).save(tmp_path / split / f"{index}.png")
    written: dict[str, object] = {}
    monkeypatch.setattr(train, "load_image_task", tiny_task)
    monkeypatch.setattr(train, "measure_generator", lambda task, some, val, tick: {"encoder_psnr_val": len(val)})
    monkeypatch.setattr(train.zoo, "update_card", lambda name, assets, metrics: written.update(metrics, name=name))
    arguments = ["train", "measure", "--data", str(tmp_path), "--targets", "3"]
    result = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    before = zoo.read_card("faces/generator").metrics
    assert written["advised"] == before["advised"]
    assert written["encoder_psnr_val"] == 3
    assert written["frechet"] > written["frechet_floor"]
    assert written["frechet_n"] == {"drawn": 2000, "real": 4}


def test_the_optimiser_of_x_is_the_candidate_that_reached_least() -> None:
    task = tiny_task()
    with torch.no_grad():
        some = task.forward(task.prior.sample(3, torch.Generator().manual_seed(1)))
    found = measure_generator(task, some, some, silent, steps=3, own_steps=2)
    best = min(found["x_sweep_on_train"], key=found["x_sweep_on_train"].get)
    name, _, setting = best.replace("lbfgs, first move", "lbfgs").partition(" ")
    assert found["advised"]["name"] == name
    assert found["advised"]["lr" if name == "adam" else "first_move"] == float(setting)
    assert len(found["x_sweep_on_train"]) == 7
    assert found["own_samples_psnr_2_steps_x"] > 0


@pytest.mark.usefixtures("no_lpips")
def test_val_pictures_are_watched_by_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = partial(Judge.of, n=40)
    monkeypatch.setattr(Judge, "of", quick)
    for split in ("train", "val"):
        (tmp_path / "data" / split).mkdir(parents=True)
        for index, picture in enumerate(noise_pictures(8, 0)):
            Image.fromarray(picture.permute(1, 2, 0).numpy()).save(tmp_path / "data" / split / f"{index}.png")
    options = ["--split", "train", "--val-split", "val", "--recipe", "smoke", "--looks", "1", "--domain", "toys"]
    folders = ["--data", str(tmp_path / "data"), "--work", str(tmp_path / "work"), "--assets", str(tmp_path / "assets")]
    result = CliRunner().invoke(cli.app, ["train", "generator", *folders, *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    for stage in ("gan", "sharpen"):
        lines = (tmp_path / "work" / "toys" / "smoke" / stage / LOG).read_text().splitlines()
        assert [json.loads(line)["images"] for line in lines] == [64]
    metrics = zoo.read_card("toys/generator", tmp_path / "assets").metrics
    assert metrics["frechet"] == json.loads(lines[-1])["frechet"]
    assert metrics["frechet_n"]["real"] == 8
