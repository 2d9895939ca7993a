"""The classifier, the attacks on it and its training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from landscape_core.errors import UserError
from landscape_core.features.cifar10 import CIFAR10_CLASSES, load_cifar10
from landscape_core.features.classifier import RobustClassifier
from landscape_core.features.training.classifier import (
    ClassifierConfig,
    ClassifierTraining,
    Threat,
    accuracy,
    attack,
    augment,
    mart,
    train_classifier,
)
from landscape_core.images.pixels import to_unit
from landscape_core.progress import silent
from landscape_core.storage.tensors import read_tensors

TINY = ClassifierConfig(threat=Threat(steps=1), widths=(8, 12, 16), epochs=3, batch=20, lr=0.05, bf16=False)


def two_classes(n: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    """Dark and bright noise: learnable in a few steps."""
    random = torch.Generator().manual_seed(0)
    labels = torch.arange(n) % 2
    images = torch.randint(0, 120, (n, 3, 32, 32), generator=random) + 120 * labels[:, None, None, None]
    return images.to(torch.uint8), labels


def trained(out: Path, config: ClassifierConfig = TINY) -> RobustClassifier:
    return train_classifier(*two_classes(), config, out, silent)


def test_shapes_and_cost() -> None:
    model = RobustClassifier().eval()
    cost = 0

    def count(module: torch.nn.Conv2d, inputs: object, output: torch.Tensor) -> None:
        nonlocal cost
        cost += output[0].numel() * module.weight[0].numel()

    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(count)
    maps = model.features(torch.zeros(2, 3, 64, 64))
    assert [tuple(m.shape[1:]) for m in maps[::2]] == [(32, 32, 32), (48, 16, 16), (72, 8, 8), (112, 4, 4)]
    assert cost < 20e6
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_folding_keeps_the_function(tmp_path: Path) -> None:
    model = trained(tmp_path)  # so that the statistics are not those of initialisation
    x = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    before = model(x)
    assert torch.allclose(model.fold()(x), before, atol=1e-5)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules())


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_attack_stays_in_the_ball_and_raises_the_loss(norm: str, tmp_path: Path) -> None:
    model = trained(tmp_path, replace(TINY, threat=Threat(eps=0.0)))
    images, labels = two_classes()
    x = to_unit(images)
    threat = Threat(norm=norm, eps=0.5 if norm == "l2" else 8 / 255, steps=3, step_size=0.5)  # type: ignore[arg-type]
    adversarial = attack(model, x, labels, threat, torch.Generator().manual_seed(0))
    pixels = ((adversarial - x) / 2).flatten(1)
    radius = pixels.norm(dim=1) if norm == "l2" else pixels.abs().amax(dim=1)
    assert radius.max() <= threat.eps * (1 + 1e-4)
    assert radius.min() > 0.5 * threat.eps
    assert adversarial.abs().max() <= 1
    with torch.no_grad():
        clean = F.cross_entropy(model(x), labels, reduction="none")
        attacked = F.cross_entropy(model(adversarial), labels, reduction="none")
    assert (attacked > clean).float().mean() > 0.95


def test_no_radius_or_no_steps_is_no_attack() -> None:
    x = torch.zeros(2, 3, 32, 32)
    for threat in (Threat(eps=0.0), Threat(steps=0)):
        assert attack(RobustClassifier(), x, torch.zeros(2).long(), threat, torch.Generator()) is x


def test_augmentation_moves_whole_pictures() -> None:
    column = torch.arange(32, dtype=torch.uint8).expand(8, 3, 32, 32)
    moved = augment(column, 4, torch.Generator().manual_seed(0))
    assert moved.shape == column.shape
    assert moved.dtype == torch.uint8
    assert (moved[:, :1] == moved).all()  # colours move together
    assert (moved[:, :, :1] == moved).all()  # this picture is constant along its columns
    steps = moved[:, 0, 0, 5:27].int().diff(dim=1)
    assert set(steps[:, 0].tolist()) == {-1, 1}  # some mirrored, some not
    assert (steps == steps[:, :1]).all()
    assert torch.equal(augment(column, 0, torch.Generator().manual_seed(0)).sum(), column.sum())


def test_training_learns_and_resumes_identically(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole")
    assert accuracy(whole, *two_classes()) > 0.9
    assert accuracy(whole, *two_classes(), Threat(steps=2)) > 0.9

    def stop_at_four(done: int, total: int, figures: object) -> bool:
        return done == 4

    train_classifier(*two_classes(), TINY, tmp_path / "parts", stop_at_four)
    assert read_tensors(tmp_path / "parts" / "checkpoint.safetensors")[1]["step"] == 4
    resumed = trained(tmp_path / "parts")
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_another_classifiers_checkpoint_is_refused(tmp_path: Path) -> None:
    images, labels = two_classes()
    ClassifierTraining(images, labels, TINY, tmp_path).save()
    for sentence, training in {
        "other data": (images.flip(0), labels, TINY),
        f"seed {TINY.seed} instead of 9": (images, labels, replace(TINY, seed=9)),
        f"epochs {TINY.epochs} instead of 99": (images, labels, replace(TINY, epochs=99)),
    }.items():
        with pytest.raises(UserError, match=sentence):
            ClassifierTraining(*training, tmp_path)


def test_the_best_epoch_on_held_out_pictures_is_kept(tmp_path: Path) -> None:
    """After a good epoch the learning rate is made to ruin the network: what is kept must be the good one."""
    config = replace(TINY, holdout=12, loss="mart")
    training = ClassifierTraining(*two_classes(), config, tmp_path)
    assert not set(training.held.tolist()) & set(training.used.tolist())
    while training.step < training.total:
        training.update()
    good = {name: value.clone() for name, value in training.kept().state_dict().items()}
    assert training.best_accuracy > 0.9
    with torch.no_grad():
        for parameter in training.model.parameters():
            parameter.neg_()
    assert training._judge() < training.best_accuracy
    training.save()
    resumed = ClassifierTraining(*two_classes(), config, tmp_path)
    for name, value in resumed.kept().state_dict().items():
        assert torch.equal(value, good[name]), name


def test_mart_is_the_published_formula_by_hand() -> None:
    attacked, natural = torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([[1.0, 1.0, 0.0]])
    p, q = attacked.softmax(1)[0], natural.softmax(1)[0]
    boosted = -p[0].log() - (1.0 + 1e-4 - p[1]).log()
    divergence = sum(q[k] * (q[k] / p[k]).log() for k in range(3))
    assert mart(attacked, natural, torch.tensor([0]), 5.0).item() == pytest.approx(
        float(boosted + 5.0 * divergence * (1 - q[0])), rel=1e-4
    )


def test_cifar10_is_read_by_class(tmp_path: Path) -> None:
    for label, name in enumerate(CIFAR10_CLASSES):
        (tmp_path / "test" / name).mkdir(parents=True)
        Image.new("RGB", (32, 32), (20 * label, 0, 0)).save(tmp_path / "test" / name / "0000.png")
    images, labels = load_cifar10(tmp_path, "test")
    assert images.shape == (10, 3, 32, 32)
    assert (images[:, 0, 0, 0] == 20 * labels).all()
    with pytest.raises(UserError, match="train"):
        load_cifar10(tmp_path, "train")
