"""The generator's recipe on a handful of pictures: it runs, resumes exactly, keeps to its budget and publishes what loads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.generators.networks.image_model import image_model_from, picture_encoder_from
from landscape_core.generators.training import recipe as image_recipe
from landscape_core.generators.training.architecture import Architecture
from landscape_core.generators.training.autoencoder import AutoencoderConfig, AutoencoderTrainer
from landscape_core.generators.training.gan import GanConfig, GanTrainer
from landscape_core.generators.training.publish import publish
from landscape_core.generators.training.transfer import measure_norm
from landscape_core.images.pixels import to_unit
from landscape_core.progress import silent
from landscape_core.storage import zoo
from landscape_core.training.loop import train

SMALL = Architecture(style_dim=16, channels=(8, 8), latent_channels=4, image_widths=(4, 4, 8), encoder_widths=(8, 8))
TINY = GanConfig(images=96, batch=8, r1_every=4, ema_images=50, bf16=False)
SMOKE = image_recipe.RECIPES["smoke"]


def latents() -> Tensor:
    return torch.randn(40, 4, 8, 8, generator=torch.Generator().manual_seed(0))


def pictures(n: int = 20, side: int = 64, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (n, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def gan(out: Path, config: GanConfig = TINY, reals: Tensor | None = None) -> GanTrainer:
    networks = (*SMALL.generator(config.seed), SMALL.critic(config.seed))
    return GanTrainer(latents() if reals is None else reals, networks, config, out)


def autoencoder(out: Path, config: AutoencoderConfig, images: Tensor | None = None) -> AutoencoderTrainer:
    return AutoencoderTrainer(pictures() if images is None else images, SMALL.autoencoder(0), config, out)


def recipe_run(out: Path, recipe: image_recipe.ImageRecipe = SMOKE, **changes: object) -> image_recipe.Training:
    return replace(image_recipe.Training(pictures(), recipe, out, lambda stage: silent), **changes)


def test_interrupted_training_ends_with_the_same_networks(tmp_path: Path) -> None:
    whole = gan(tmp_path / "whole")
    assert train(whole, silent)
    calls = iter(range(100))
    assert not train(gan(tmp_path / "cut"), lambda *_: next(calls) == 4)
    resumed = gan(tmp_path / "cut")
    assert resumed.seen == 5 * TINY.batch
    assert train(resumed, silent)
    again = resumed.finish()[0].state_dict()
    for name, value in whole.finish()[0].state_dict().items():
        assert torch.equal(value, again[name]), name


def test_styles_are_mixed_from_a_layer_on_in_some_pictures(tmp_path: Path) -> None:
    w = gan(tmp_path, replace(TINY, batch=400, mixing=0.3))._sample_w()
    assert w.shape == (400, 4, SMALL.style_dim)
    changed = (w[:, 1:] != w[:, :1]).any(dim=2)  # (B, layers after the first)
    assert changed.any(dim=1).float().mean() == pytest.approx(0.3, abs=0.08)
    assert (changed[:, 1:] >= changed[:, :-1]).all()  # once another style, always that one
    assert 0 < changed[:, 0].float().mean() < changed[:, -1].float().mean()
    assert torch.equal(w[:, -1][changed[:, -1]], w[:, 0].roll(1, 0)[changed[:, -1]])


def test_the_reconstruction_term_brings_real_latents_into_range(tmp_path: Path) -> None:
    reals = latents()[:8].repeat(5, 1, 1, 1)
    trainer = gan(tmp_path, replace(TINY, images=8 * 60, lr=4e-3, reconstruction=20.0, anneal_from=0.9), reals)
    before = trainer.step()["reconstruction"]
    while trainer.fraction < 1:
        after = trainer.step()["reconstruction"]
    assert after < 0.8 * before


@pytest.mark.usefixtures("no_lpips")
def test_the_autoencoder_learns_to_rebuild(tmp_path: Path) -> None:
    plain = pictures(side=1).expand(-1, -1, 64, 64)  # one colour each
    trainer = autoencoder(tmp_path, AutoencoderConfig(images=16 * 40, batch=16, lr=1e-2, warmup=5, bf16=False), plain)
    first = float(trainer.step()["l1"])
    assert trainer.optimizer.param_groups[0]["lr"] == pytest.approx(1e-2 / 5, rel=0.01)
    train(trainer, silent)
    assert float(trainer.step()["l1"]) < 0.7 * first
    encoder, _ = trainer.finish()
    codes = encoder(to_unit(plain))
    assert codes.mean(dim=(0, 2, 3)).abs().max() < 0.3
    assert (codes.std(dim=(0, 2, 3)) - 1).abs().max() < 0.3


@pytest.mark.usefixtures("no_lpips")
def test_a_budget_is_pictures_or_seconds_whichever_is_spent_first(tmp_path: Path) -> None:
    timed = autoencoder(tmp_path / "timed", AutoencoderConfig(images=None, seconds=0.5, batch=4))
    assert timed.total >= 4
    assert train(timed, silent)
    assert 0.5 <= timed.seconds < 5
    assert timed.seen >= 4
    again = autoencoder(tmp_path / "timed", AutoencoderConfig(images=None, seconds=0.5, batch=4))
    assert (again.fraction, again.seen) == (1.0, timed.seen)  # the time was spent by an earlier session
    counted = autoencoder(tmp_path / "counted", AutoencoderConfig(images=12, seconds=1e6, batch=4))
    assert train(counted, silent)
    assert counted.seen == 12


def test_a_time_in_place_of_the_recipes_is_shared_out() -> None:
    timed = image_recipe.RECIPES["laptop"].within(100)
    assert [stage.seconds for stage in (timed.autoencoder, timed.gan, timed.sharpen)] == pytest.approx([10, 10, 80])
    assert all(stage.images is None for stage in (timed.autoencoder, timed.gan, timed.sharpen))
    assert image_recipe.RECIPES["laptop"].within(100, last_stage=True).sharpen.seconds == 100


def test_the_side_follows_from_the_widths() -> None:
    assert (SMOKE.side, image_recipe.RECIPES["laptop"].side, image_recipe.RECIPES["accelerator"].side) == (64, 64, 128)
    architecture = replace(SMALL, channels=(8, 8, 4), encoder_widths=(4, 8, 8))
    encoder, decoder = architecture.autoencoder(0)
    generator, latent = architecture.generator(0)
    codes = encoder(torch.zeros(1, 3, 128, 128))
    assert codes.shape == (1, 4, 16, 16)
    assert latent(codes).shape == (1, 16)
    assert decoder(generator.synthesis(latent(codes))).shape == (1, 3, 128, 128)
    assert architecture.critic(0)(codes).shape == (1,)
    assert Architecture.from_cards(*architecture.on_cards()) == architecture


def test_measuring_the_norm_anew_gives_latents_of_variance_one() -> None:
    encoder, _ = SMALL.autoencoder(0)
    encoder.norm.running_mean.fill_(3.0)
    images = pictures(50)
    measure_norm(encoder, images, batch=10)
    assert not encoder.training
    codes = encoder(to_unit(images))
    assert codes.mean(dim=(0, 2, 3)).abs().max() < 0.05
    assert (codes.std(dim=(0, 2, 3)) - 1).abs().max() < 0.05


@pytest.mark.usefixtures("no_lpips")
def test_a_stop_in_the_first_stage_ends_the_recipe_and_resumes(tmp_path: Path) -> None:
    stages = []

    def stop_at_once(stage: str) -> object:
        stages.append(stage)
        return lambda *_: True

    assert recipe_run(tmp_path, report_for=stop_at_once).run() is None
    assert stages == ["autoencoder"]
    assert recipe_run(tmp_path).run() is not None


@pytest.mark.usefixtures("no_lpips")
def test_a_stage_that_is_finished_is_not_begun_again_by_another_training(tmp_path: Path) -> None:
    """Each stage knows the data, the domain, the seed, what it began with and the settings of the stages before it."""
    assert recipe_run(tmp_path).run() is not None
    other = {
        "other data": recipe_run(tmp_path, images=pictures(seed=1)),
        "domain unnamed instead of cats": recipe_run(tmp_path, domain="cats"),
        "seed 0 instead of 5": recipe_run(tmp_path, SMOKE.seeded(5)),
        "lr 0.001 instead of 0.5": recipe_run(tmp_path, replace(SMOKE, autoencoder=replace(SMOKE.autoencoder, lr=0.5))),
        r"gan/.*mixing 0.3 instead of 0.0": recipe_run(tmp_path, replace(SMOKE, gan=replace(SMOKE.gan, mixing=0.0))),
        r"sharpen/.*l1 4.0 instead of 5.0": recipe_run(tmp_path, replace(SMOKE, sharpen=replace(SMOKE.sharpen, l1=5.0))),
    }
    for sentence, training in other.items():
        with pytest.raises(UserError, match=sentence) as refused:
            training.run()
        assert "Name another folder with --work, or remove" in str(refused.value)


@pytest.mark.usefixtures("no_lpips")
def test_the_whole_recipe_publishes_models_that_load(tmp_path: Path) -> None:
    trained = recipe_run(tmp_path / "work").run()
    assert trained is not None
    publish(
        trained, SMOKE, "toys", trained_on="noise", licence="CC0", command="python -m landscape_core train generator",
        hardware="cpu", assets=tmp_path / "assets",
    )  # fmt: skip
    card, tensors = zoo.load("toys/generator", tmp_path / "assets")
    model = image_model_from(tensors, card.architecture)
    w = torch.randn(2, 32, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(model(w), trained.model(w), atol=0.05)
    assert torch.allclose(model.generator.w_mean, trained.prior.mean, atol=1e-3)
    encoder_card, encoder_tensors = zoo.load("toys/encoder", tmp_path / "assets")
    encoder = picture_encoder_from(encoder_tensors, encoder_card.architecture)
    assert encoder(model(w)).shape == (2, 32)
    assert card.budget["images"] == {"autoencoder": 64, "generator": 64, "sharpening": 64}
    assert "picture 64x64" in card.kind
    assert not any("mapping" in name for name in tensors)
    sheets = {stage: sorted(path.name for path in (tmp_path / "work" / stage).glob("*.png")) for stage in ("gan", "sharpen")}
    assert sheets == {stage: [f"samples-{n:09d}.png" for n in (16, 32, 48, 64)] for stage in ("gan", "sharpen")}
