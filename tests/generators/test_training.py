"""The generator's recipe on a handful of pictures: it runs, resumes exactly, and publishes what loads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from landscape_core.generators.networks.image_model import image_model_from, picture_encoder_from
from landscape_core.generators.training import recipe as image_recipe
from landscape_core.generators.training.gan import GanConfig, GanTrainer
from landscape_core.progress import silent
from landscape_core.storage import zoo
from landscape_core.training.loop import train

TINY = GanConfig(
    images=96, batch=8, style_dim=16, n_mapping=2, channels=(8, 8), critic_widths=(8, 8), r1_every=4, ema_images=50, bf16=False
)


def latents() -> torch.Tensor:
    return torch.randn(40, 4, 8, 8, generator=torch.Generator().manual_seed(0))


def test_interrupted_training_ends_with_the_same_networks(tmp_path: Path) -> None:
    whole = GanTrainer(latents(), TINY, tmp_path / "whole")
    assert train(whole, silent)
    calls = iter(range(100))
    assert not train(GanTrainer(latents(), TINY, tmp_path / "cut"), lambda *_: next(calls) == 4)
    resumed = GanTrainer(latents(), TINY, tmp_path / "cut")
    assert resumed.seen == 5 * TINY.batch
    assert train(resumed, silent)
    again = resumed.finish()[0].state_dict()
    for name, value in whole.finish()[0].state_dict().items():
        assert torch.equal(value, again[name]), name


def test_a_generator_without_a_mapping_network_trains_on_the_codes_alone(tmp_path: Path) -> None:
    trainer = GanTrainer(latents(), replace(TINY, n_mapping=0), tmp_path)
    figures = trainer.step()
    assert figures["misfit"] == 0.0
    w = trainer._sample_w()
    assert w.shape == (TINY.batch, 4, TINY.style_dim)
    assert torch.allclose(trainer.codes.drawing(lambda w: w, 0)(4000).mean(dim=0), trainer.codes.mean, atol=0.2)


def test_the_reconstruction_term_brings_real_latents_into_range(tmp_path: Path) -> None:
    reals = latents()[:8].repeat(5, 1, 1, 1)
    config = replace(TINY, images=8 * 300, reconstruction=20.0, anneal_from=0.9)
    trainer = GanTrainer(reals, config, tmp_path)
    before = trainer.step()["reconstruction"]
    while trainer.seen < config.images:
        after = trainer.step()["reconstruction"]
    assert after < 0.7 * before


def test_a_checkpoint_of_another_architecture_is_refused(tmp_path: Path) -> None:
    trainer = GanTrainer(latents(), TINY, tmp_path)
    trainer.step()
    trainer.save()
    with pytest.raises(image_recipe_error(), match="another architecture"):
        GanTrainer(latents(), replace(TINY, channels=(16, 16)), tmp_path)


def image_recipe_error() -> type[Exception]:
    from landscape_core.errors import UserError

    return UserError


@pytest.mark.usefixtures("no_lpips")
def test_a_stop_in_the_first_stage_ends_the_recipe_and_resumes(tmp_path: Path) -> None:
    images = torch.randint(0, 256, (20, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    recipe, stages = image_recipe.RECIPES["smoke"], []

    def stop_at_once(stage: str) -> object:
        stages.append(stage)
        return lambda *_: True

    assert image_recipe.train_images(images, recipe, tmp_path, stop_at_once) is None
    assert stages == ["autoencoder"]
    trained = image_recipe.train_images(images, recipe, tmp_path, lambda stage: silent)
    assert trained is not None


@pytest.mark.usefixtures("no_lpips")
def test_the_whole_recipe_publishes_models_that_load(tmp_path: Path) -> None:
    images = torch.randint(0, 256, (20, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    recipe = image_recipe.RECIPES["smoke"]
    trained = image_recipe.train_images(images, recipe, tmp_path / "work", lambda stage: silent)
    image_recipe.publish(
        trained, recipe, "toys", trained_on="noise", licence="CC0", command="python -m landscape_core train generator",
        hardware="cpu", assets=tmp_path / "assets",
    )  # fmt: skip
    card, tensors = zoo.load("toys/generator", tmp_path / "assets")
    model = image_model_from(tensors, card.architecture)
    w = torch.randn(2, 32, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(model(w), trained.model(w), atol=0.05)
    encoder_card, encoder_tensors = zoo.load("toys/encoder", tmp_path / "assets")
    encoder = picture_encoder_from(encoder_tensors, encoder_card.architecture)
    assert encoder(model(w)).shape == (2, 32)
    assert card.budget["images"] == {"autoencoder": 64, "generator": recipe.gan.images, "sharpening": recipe.sharpen.images}
    assert not any("mapping" in name for name in tensors)
