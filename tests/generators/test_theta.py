"""The Θ that serves: half of its targets drawn by F, the prior's shape in its whitener, an MLP where the loss is steep."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from landscape_core.cli import app
from landscape_core.commands import learning
from landscape_core.errors import UserError
from landscape_core.generators.training import theta
from landscape_core.generators.training.observed import checked_names
from landscape_core.generators.training.theta import MAPPING_PRESETS, image_targets, mapping_trainer, publish_mapping
from landscape_core.images.pixels import to_unit
from landscape_core.search.curvature import mean_curvature, steepness, whitener
from landscape_core.search.thetas import mapping_from
from landscape_core.training.alternating import train_mapping
from landscape_core.training.theta import between
from tests.tiny.models import DIM, tiny_task
from tests.tiny.tables import pictures


def images(n: int = 6) -> torch.Tensor:
    return ((pictures(n) + 1) * 127).clamp(0, 255).to(torch.uint8)


def test_a_part_of_the_targets_is_drawn_by_the_model() -> None:
    task, some = tiny_task(), images()
    real = torch.cat([to_unit(some), to_unit(some).flip(3)])
    for drawn, expected in ((0.0, 7), (0.5, 3), (1.0, 0)):
        value = image_targets(some, task, drawn=drawn)(7, torch.Generator().manual_seed(3)).value
        assert value.shape == (7, 3, 64, 64)
        found = [(each == real).flatten(1).all(dim=1).any() for each in value]
        assert sum(bool(each) for each in found) == expected
    again = image_targets(some, task, drawn=0.5)(7, torch.Generator().manual_seed(3)).value
    assert torch.equal(again, image_targets(some, task, drawn=0.5)(7, torch.Generator().manual_seed(3)).value)


def test_a_mixture_of_observations_is_learned_on_and_said_on_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    preset = MAPPING_PRESETS["residual"]
    training = replace(preset.training, buffers=3, targets=4, steps=2, batch=4, bf16=False)
    small = replace(preset, mapping=replace(preset.mapping, hidden=8), training=training, curvature_inputs=2)
    monkeypatch.setitem(MAPPING_PRESETS, "residual", small)
    monkeypatch.setattr(theta, "load_image_task", lambda domain, device="cpu": tiny_task(domain))
    names = checked_names(["low-resolution:4", "mask:centre+noise:0.1"])
    trainer, config = mapping_trainer("faces", "residual", images(), tmp_path / "work", observations=names)
    before = trainer.mapping(torch.ones(1, DIM)).detach()
    train_mapping(trainer, lambda *_: False)
    assert not torch.allclose(trainer.mapping(torch.ones(1, DIM)), before), "it was trained"
    seen = [trainer.sample_targets(3, torch.Generator().manual_seed(seed)) for seed in range(12)]
    assert {target.value.shape[-1] for target in seen} == {16, 64}, "small ones, and whole ones behind a mask"
    assert {target.mask is None for target in seen} == {True, False}
    card = publish_mapping(
        trainer, config, "faces", "residual", trained_on="x", command="y", assets=tmp_path, name="observed", observations=names
    )
    assert card.name == "faces/theta-observed"
    assert f"of a mixture of observations: {', '.join(names)}" in card.notes
    del trainer
    with pytest.raises(UserError, match="another training"):
        mapping_trainer("faces", "residual", images(), tmp_path / "work")
    with pytest.raises(UserError, match="nobody is there to paint it"):
        checked_names(["mask"])
    refused = CliRunner().invoke(app, ["train", "mapping", "--observations", "blur,fog", "--work", str(tmp_path / "other")])
    assert "fog" in str(refused.exception), "names are looked at before anything is loaded"
    for words in (["--task", "pose"], ["--task", "pose", "--data", str(tmp_path)], []):
        refused = CliRunner().invoke(app, ["train", "mapping", "--split", "train", *words])
        assert "--split and --box" in str(refused.exception)


def test_a_preset_is_looked_for_before_pictures_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(learning, "drawn_pictures")
    with pytest.raises(UserError, match="There is no preset 'nope'"):
        learning.learning(learning.Asked("faces", "nope", tmp_path), lambda: None, None)


def test_the_preset_begins_with_the_priors_whitener_and_says_so_on_its_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset = MAPPING_PRESETS["residual"]
    training = replace(preset.training, buffers=1, targets=4, steps=2, batch=4, bf16=False)
    small = replace(preset, mapping=replace(preset.mapping, hidden=8), training=training, curvature_inputs=2)
    monkeypatch.setitem(MAPPING_PRESETS, "residual", small)
    monkeypatch.setattr(theta, "load_image_task", lambda domain, device="cpu": tiny_task(domain))
    trainer, config = mapping_trainer("faces", "residual", images(), tmp_path / "work")
    task = tiny_task()
    curvature = mean_curvature(task.forward, task.objective, theta.curvature_inputs(task, images(), 2, 0))
    expected = whitener(curvature, damping=1.0, power=0.35, precision=task.prior.precision())
    assert torch.allclose(trainer.mapping.get_buffer("whitener"), expected, rtol=1e-4)
    assert torch.allclose(trainer.mapping.bend, steepness(curvature, expected), atol=1e-4)
    train_mapping(trainer, lambda *_: False)
    card = publish_mapping(trainer, config, "faces", "residual", trained_on="x", command="y", assets=tmp_path)
    assert card.metrics["advised"]["first_move"] == 1.0
    assert [each["optimizer"]["first_move"] for each in card.metrics["tuned"]] == [1.0, 0.3]
    assert "by the loss lpips + squared error" in card.notes
    assert "'drawn': 0.5" in card.notes
    space = mapping_from("faces/theta-residual", task.prior, tmp_path)[1]
    z = torch.randn(3, DIM, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(space.to_x(z), trainer.mapping(z), rtol=1e-2, atol=0.02 * float(trainer.mapping(z).std()))


def test_curvature_is_measured_on_the_device_of_the_inputs() -> None:
    mean = torch.zeros(DIM, device="meta")
    assert between(mean, torch.zeros(3, DIM, device="meta"), torch.Generator()).device.type == "meta"
    points = between(torch.zeros(2), torch.ones(3, 2), torch.Generator().manual_seed(0))
    assert torch.equal(points[:, 0], points[:, 1])
    assert ((points >= 0) & (points <= 1)).all()
