"""Training Θ for the defence: attacked targets, random starts, presets, and what comes out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from landscape_core.defence.attacks import ATTACKS
from landscape_core.defence.objective import DIM, PIXEL, START
from landscape_core.defence.task import load_defence
from landscape_core.defence.training import theta as defence_theta
from landscape_core.defence.training.theta import PRESETS, TargetSettings, attacked_targets, attacked_training
from landscape_core.errors import UserError
from landscape_core.progress import silent
from landscape_core.search.mapping import MappingConfig, build_mapping
from landscape_core.search.spaces import Prior
from landscape_core.storage import zoo
from landscape_core.training.alternating import MappingTrainer
from landscape_core.training.settings import MappingTraining
from tests.tiny.defended import picture_bytes, pictures, tiny_assets, tiny_defence, tiny_mapping

FEW = TargetSettings(number=6, steps=3, clean=0.34)


def test_the_full_preset_is_section_7_3() -> None:
    full = PRESETS["full"]
    assert (full.mapping.kind, full.mapping.z_dim, full.mapping.hidden, full.mapping.layers) == ("mlp", 3072, 3072, 3)
    made = full.training
    assert (made.steps, made.targets, made.buffers, made.batch) == (5, 5120, 70, 1)
    assert (round(made.z_lr * 255, 6), made.z_optimizer, made.lr, made.weight_decay) == (0.2, "adam", 1e-4, 0.1)
    assert made.start == START > 0


@pytest.mark.parametrize("preset", ["residual", "narrow"])
def test_the_embedded_presets_are_small_enough(preset: str) -> None:
    mapping = build_mapping(PRESETS[preset].mapping, Prior(torch.zeros(DIM), torch.zeros(DIM, 1)))
    assert 2 * sum(each.numel() for each in mapping.state_dict().values()) < 3_000_000  # bytes in float16


def test_untrained_the_residual_theta_is_x_searched_at_five_times_the_rate() -> None:
    prior = Prior(torch.ones(DIM), torch.zeros(DIM, 1))
    mapping = build_mapping(PRESETS["residual"].mapping, prior)
    z = torch.randn(2, DIM, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(mapping(z), 1.0 + 5.0 * z, atol=1e-5)


def test_a_skip_needs_z_and_x_of_one_dimension() -> None:
    with pytest.raises(ValueError, match="z_dim == x_dim"):
        build_mapping(MappingConfig("skip", 4, 8), Prior(torch.zeros(8), torch.zeros(8, 1)))


def test_targets_are_attacked_but_for_the_clean_share_and_are_kept(tmp_path: Path) -> None:
    defence, images = tiny_defence(tmp_path), picture_bytes(12)
    labels = torch.arange(12) % 10
    found = attacked_training(defence, images, labels, FEW, tmp_path / "work", silent)
    assert found is not None
    picked = torch.randperm(12, generator=torch.Generator().manual_seed(0))[:6]
    size = ((found - (images[picked].float() / 127.5 - 1)) / PIXEL).flatten(1).norm(dim=1)
    assert size[:2].tolist() == pytest.approx([0.0, 0.0], abs=1e-5)
    assert (size[2:] > 0.5 * ATTACKS["l2"].eps).all()
    again = attacked_training(defence, images, labels, FEW, tmp_path / "work", lambda *_: True)  # would stop if it attacked
    assert again is not None
    assert torch.equal(again, found)


def test_targets_of_other_settings_are_made_anew_and_a_stop_keeps_nothing(tmp_path: Path) -> None:
    defence, images, labels = tiny_defence(tmp_path), picture_bytes(8), torch.zeros(8, dtype=torch.long)
    assert attacked_training(defence, images, labels, FEW, tmp_path / "work", silent) is not None
    other = replace(FEW, number=4)
    assert attacked_training(defence, images, labels, other, tmp_path / "work", lambda *_: True) is None
    fresh = attacked_training(defence, images, labels, other, tmp_path / "work", silent)
    assert fresh is not None
    assert len(fresh) == 4
    assert attacked_training(defence, 255 - images, labels, other, tmp_path / "work", lambda *_: True) is None


def begun(tmp_path: Path, start: float) -> torch.Tensor:
    """The z's that a buffer starts from."""
    task = load_defence("ro", tiny_assets(tmp_path)).task
    config = MappingTraining(buffers=1, targets=3, steps=1, batch=3, start=start)
    mapping = build_mapping(MappingConfig.paper(DIM, DIM, 4), task.prior)
    trainer = MappingTrainer(mapping, DIM, task.forward, task.objective, attacked_targets(pictures(3)), config, tmp_path / "w")
    return next(trainer.phases()).variable


def test_trajectories_start_at_random_where_asked_and_at_the_origin_otherwise(tmp_path: Path) -> None:
    random = begun(tmp_path / "a", 0.5)
    assert float(random.std()) == pytest.approx(0.5, rel=0.1)
    assert not torch.equal(random[0], random[1])
    assert begun(tmp_path / "b", 0.0).abs().max() == 0.0


def test_the_published_theta_says_what_made_it(tmp_path: Path) -> None:
    tiny_assets(tmp_path, mapping=False)
    card = tiny_mapping(tmp_path)
    assert card.name == "defence/ro/theta-residual"
    assert card.metrics["advised"] == PRESETS["narrow"].advised.model_dump(exclude_unset=True)
    assert zoo.read_card("defence/ro", tmp_path).sha256[:12] in card.notes
    assert "'start': 0.01" in card.notes


def test_an_unknown_preset_is_a_sentence(tmp_path: Path) -> None:
    defence = tiny_defence(tmp_path)
    with pytest.raises(UserError, match="There is no preset 'wide'; there are: residual, narrow, full"):
        defence_theta.defence_mapping_trainer(defence, "wide", pictures(2), tmp_path)
