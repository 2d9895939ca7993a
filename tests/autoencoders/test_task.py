"""The inversion of features as a task: over pixels and over codes, with a Θ, from an encoder's guess, on a card."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from landscape_core.autoencoders.run_card import features_card_target, make_features_card
from landscape_core.autoencoders.task import CODES, Pixels, load_features_task, task_names
from landscape_core.autoencoders.training import theta
from landscape_core.errors import UserError
from landscape_core.images.pixels import to_unit
from landscape_core.progress import silent
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.summary import result_of
from landscape_core.search.task import X
from landscape_core.search.trajectory import run
from landscape_core.training.alternating import train_mapping
from tests.tiny.defended import picture_bytes, pictures
from tests.tiny.inverters import CONFIG, publish_inverter

NAME = "features/robust-stage3"


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A robust autoencoder for pictures of 32 pixels, another for 64, and one with skips."""
    folder = tmp_path_factory.mktemp("inverters")
    publish_inverter(folder / "a", folder / "one", NAME, config=replace(CONFIG, images=320))
    large = picture_bytes(8).repeat_interleave(2, 2).repeat_interleave(2, 3)
    publish_inverter(folder / "a", folder / "two", "features/large", images=large)
    publish_inverter(folder / "a", folder / "three", "features/denoising", config=replace(CONFIG, skips=True, noise=0.2))
    return folder / "a"


def fitting(images: Tensor) -> Target:
    return Target(to_unit(images))


def test_what_can_be_searched_is_listed(assets: Path) -> None:
    assert task_names(assets) == [NAME + CODES, NAME, f"features/large{CODES}"]
    with pytest.raises(UserError, match="There is no task 'features/large'"):
        load_features_task("features/large", assets)


def test_pixels_and_their_inverse() -> None:
    assert torch.allclose(Pixels(32)(Pixels(32).inverse(pictures(2))), pictures(2), atol=2e-3)


@pytest.mark.parametrize("kind", ["", CODES])
def test_a_race_lowers_the_feature_distance_from_every_start(kind: str, assets: Path) -> None:
    task = load_features_task(NAME + kind, assets)
    target, space = fitting(picture_bytes(2, 3)), next(iter(task.mappings))
    for start in ("mean", "random", "encoder"):
        settings = RunSettings.table(task, space, ["adam"], steps=15, start=start)
        race = run(*prepare(task, settings, target))
        assert (race.lane("X").best_so_far()[-1] < race.lane("X").best_so_far()[0]).all()
    assert task.sampled(2, torch.Generator().manual_seed(0)).value.shape == (2, 3, 32, 32)


def test_the_decoders_guess_is_where_encoder_starts_begin(assets: Path) -> None:
    value = fitting(picture_bytes(2, 3)).value
    for kind in ("", CODES):
        task = load_features_task(NAME + kind, assets)
        assert task.encode is not None
        guess = task.forward(task.encode(value))
        codes = load_features_task(NAME + CODES, assets)
        assert codes.encode is not None
        assert torch.allclose(guess, codes.forward(codes.encode(value)), atol=2e-3)


def test_the_loss_is_the_distance_of_codes_and_zero_at_the_picture(assets: Path) -> None:
    task, value = load_features_task(NAME, assets), pictures(2)
    hidden = torch.ones(1, 1, 32, 32)
    hidden[..., :16] = 0.0
    for mask in (None, hidden):
        loss = task.objective.bind(Target(value, mask))
        assert torch.equal(loss(value), torch.zeros(2))
        assert (loss(value.flip(0)) > 0.01).all()
    masked = task.objective.bind(Target(value, hidden))
    assert torch.equal(masked(torch.where(hidden.bool(), value, 1.0)), torch.zeros(2))


@pytest.mark.parametrize("kind", ["", CODES])
def test_a_theta_is_learned_and_found(kind: str, assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = replace(theta._TRAINING, buffers=2, targets=8, steps=3, batch=4, bf16=False)
    monkeypatch.setattr(theta, "_TRAINING", short)
    trainer, config = theta.features_mapping_trainer(NAME + kind, picture_bytes(8), tmp_path, assets=assets)
    train_mapping(trainer, silent)
    theta.publish_features_mapping(trainer, config, NAME + kind, trained_on="nothing", command="none", assets=assets)
    task = load_features_task(NAME + kind, assets)
    assert list(task.mappings) == ["residual"]
    assert f"{NAME}{kind}/theta-residual" in task.hashes
    assert isinstance(task.advice("residual"), OptimizerSettings)
    assert task_names(assets)[:2] == [NAME + CODES, NAME]


def test_the_prior_may_shape_the_whitener_of_codes(assets: Path, tmp_path: Path) -> None:
    def whitener(kind: theta.Whiten) -> torch.Tensor:
        trainer, _ = theta.features_mapping_trainer(
            NAME + CODES, picture_bytes(8), tmp_path / kind, whiten=kind, buffers=1, assets=assets
        )
        return trainer.mapping.get_buffer("whitener")

    assert not torch.allclose(whitener("curvature"), whitener("prior"), rtol=0.1)
    with pytest.raises(UserError, match="no whitener"):
        theta.features_mapping_trainer(NAME, picture_bytes(8), tmp_path, whiten="prior", assets=assets)


def test_pictures_of_another_side_train_no_theta(assets: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="takes pictures of 32 pixels, not of 16"):
        theta.features_mapping_trainer(NAME, picture_bytes(2)[..., :16, :16], tmp_path, assets=assets)


def test_a_card_carries_the_picture(assets: Path) -> None:
    task = load_features_task(NAME, assets)
    settings = RunSettings.table(task, next(iter(task.mappings)), ["adam"], steps=3)
    target = fitting(picture_bytes(1))
    card = make_features_card(task, settings, picture_bytes(1)[0], **result_of(run(*prepare(task, settings, target))))
    assert torch.equal(features_card_target(card, 32).value, target.value)
    assert card.settings.lanes[0].space == X
    with pytest.raises(UserError, match="32x32"):
        features_card_target(card, 64)
