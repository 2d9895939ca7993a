"""Attacks: inside their ball, valid pixels, seeded, per picture; equal to a second implementation; around a defence."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from landscape_core.defence.attacks import ATTACKS, AttackSettings, Defended, attacked
from landscape_core.defence.objective import PIXEL, restored
from landscape_core.features.classifier import RobustClassifier
from landscape_core.features.training.classifier import Threat, attack, project
from landscape_core.search.optimizers import Adam
from landscape_core.search.solver import Lane
from landscape_core.search.task import X
from landscape_core.storage import zoo
from landscape_core.storage.tensors import under
from tests.tiny.defended import pictures, tiny_classifier, tiny_defence

QUICK = {name: settings.model_copy(update={"steps": 5}) for name, settings in ATTACKS.items()}


def size(delta: Tensor, norm: str) -> Tensor:
    """Per picture, for pixels in [0, 1]."""
    flat = delta.flatten(1) / PIXEL
    return flat.norm(dim=1) if norm == "l2" else flat.abs().amax(dim=1)


def harmed(x: Tensor, settings: AttackSettings, *, model: nn.Module | None = None, seed: int = 0, batch: int = 250) -> Tensor:
    model = model or tiny_classifier()
    found = attacked(model, x, model(x).argmax(dim=1), settings, seed=seed, batch=batch)
    assert found is not None
    return found


def test_the_presets_are_the_papers() -> None:
    l2 = ATTACKS["l2"]
    assert (l2.norm, round(l2.eps * 255, 3), round(l2.step * 255, 3), l2.steps) == ("l2", 256, 64, 200)
    assert round(ATTACKS["linf"].eps * 255, 3) == 8


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("share", [0.1, 1.0])
def test_the_attack_stays_in_its_ball_reaches_its_surface_and_keeps_pixels_valid(norm: str, share: float) -> None:
    settings = QUICK[norm].model_copy(update={"eps": share * QUICK[norm].eps})
    x = 0.9 * pictures(6)
    delta = harmed(x, settings) - x
    assert (size(delta, norm) <= settings.eps * (1 + 1e-4)).all()
    assert (size(delta, norm) >= 0.5 * settings.eps).all()
    assert (x + delta).abs().max() <= 1.0 + 1e-6


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_it_raises_the_cross_entropy_of_every_picture(norm: str) -> None:
    model, x = tiny_classifier(), pictures(6)
    labels = model(x).argmax(dim=1)
    before, after = (F.cross_entropy(model(each), labels, reduction="none") for each in (x, harmed(x, QUICK[norm])))
    assert (after > before).all()


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_it_equals_the_second_implementation_step_by_step(norm: str) -> None:
    settings = QUICK[norm].model_copy(update={"random_start": False})
    model, x = tiny_classifier(), pictures(3)
    labels, threat = model(x).argmax(dim=1), Threat(settings.norm, settings.eps)
    expected = x.clone()
    for _ in range(settings.steps):
        leaf = expected.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(F.cross_entropy(model(leaf), labels, reduction="sum"), leaf)
        unit = gradient.sign() if norm == "linf" else gradient / gradient.flatten(1).norm(dim=1)[:, None, None, None]
        expected = (x + project(expected + PIXEL * settings.step * unit - x, threat)).clamp(-1, 1)
    assert torch.allclose(harmed(x, settings), expected, atol=1e-4)


def test_on_a_trained_network_it_is_as_strong_as_the_second_implementation() -> None:
    card, tensors = zoo.load("perceptual")
    model = RobustClassifier(card.architecture["widths"]).fold().requires_grad_(False)
    model.load_state_dict(under(tensors, "network."))
    x = pictures(24)
    labels = model(x).argmax(dim=1)
    settings = AttackSettings(norm="l2", eps=0.5, step=0.125, steps=10)
    theirs = attack(model, x, labels, Threat("l2", 0.5, 10, 0.25), torch.Generator().manual_seed(0))
    found = [F.cross_entropy(model(each), labels).item() for each in (x, harmed(x, settings, model=model), theirs)]
    assert found[1] > found[0] + 0.2
    assert found[1] == pytest.approx(found[2], rel=0.1)


def test_the_seed_fixes_it_and_without_a_random_start_a_picture_does_not_depend_on_its_batch() -> None:
    x, settings = pictures(4), QUICK["l2"]
    assert torch.equal(harmed(x, settings), harmed(x, settings))
    assert not torch.equal(harmed(x, settings), harmed(x, settings, seed=1))
    plain = settings.model_copy(update={"random_start": False})
    together = harmed(x, plain)
    assert torch.allclose(torch.cat([harmed(x[i : i + 1], plain) for i in range(4)]), together, atol=1e-4)
    assert torch.allclose(harmed(x, plain, batch=3), together, atol=1e-4)


def test_a_radius_of_zero_changes_nothing() -> None:
    x = pictures(2)
    assert torch.equal(harmed(x, QUICK["l2"].model_copy(update={"eps": 0.0})), x)


def test_progress_counts_every_step_and_a_stop_gives_nothing() -> None:
    seen: list[tuple[int, int]] = []

    def tick(done: int, total: int) -> bool:
        seen.append((done, total))
        return len(seen) == 7

    x = pictures(4)
    labels = torch.zeros(4, dtype=torch.long)
    assert attacked(tiny_classifier(), x, labels, QUICK["l2"], batch=2, tick=tick) is None
    assert seen == [(i, 10) for i in range(1, 8)]


def test_through_a_defence_the_gradient_is_the_classifiers_at_the_restored_picture(tmp_path: Path) -> None:
    defence, x = tiny_defence(tmp_path), pictures(3)
    lane = Lane("X", defence.task.space(X), Adam(2 / 255))
    leaf = (0.5 * x).requires_grad_()
    (around,) = torch.autograd.grad(Defended(defence, lane, 2, seed=4)(leaf).square().sum(), leaf)
    fixed = restored(leaf.detach(), Defended(defence, lane, 2, seed=4).reversal(leaf.detach())).requires_grad_()
    (direct,) = torch.autograd.grad(defence.classifier(fixed).square().sum(), fixed)
    assert torch.allclose(around, direct, rtol=1e-3, atol=1e-4)


def test_every_pass_through_a_defence_starts_anew_and_the_seed_fixes_all_of_them(tmp_path: Path) -> None:
    defence, x = tiny_defence(tmp_path), pictures(2)
    lane = Lane("Z", defence.task.space("residual"), Adam(0.2 / 255))
    model, again = Defended(defence, lane, 1), Defended(defence, lane, 1)
    first, second = model.reversal(x), model.reversal(x)
    assert not torch.equal(first, second)
    assert torch.equal(again.reversal(x), first)


def test_the_defence_aware_attack_harms_the_defended_answer(tmp_path: Path) -> None:
    defence, x = tiny_defence(tmp_path), pictures(4)
    lane = Lane("X", defence.task.space(X), Adam(1 / 255))
    model = Defended(defence, lane, 1)
    labels = defence.logits(x).argmax(dim=1)
    found = harmed(x, QUICK["l2"], model=model)
    before, after = (F.cross_entropy(model(each), labels, reduction="none") for each in (x, found))
    assert (after > before).all()
