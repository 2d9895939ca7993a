"""The distance on robust features and LPIPS behind one interface, and their agreement."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from landscape_core.errors import UserError
from landscape_core.features.lpips import load_lpips
from landscape_core.features.perceptual import FeatureDistance, RobustDistance, TextureEnergies
from landscape_core.features.training.calibration import CalibrationConfig, agreement, calibrate, fit_weights, spearman
from landscape_core.features.training.distortions import FITTING, HELD_OUT
from landscape_core.images.datasets import ImageSource, load_images
from landscape_core.images.pixels import to_unit
from landscape_core.progress import silent
from landscape_core.storage import zoo


def robust() -> RobustDistance:
    card, tensors = zoo.load("perceptual")
    return RobustDistance.from_state(tensors, card.architecture)


@pytest.fixture(params=["robust", "lpips"])
def distance(request: pytest.FixtureRequest) -> FeatureDistance:
    return robust() if request.param == "robust" else load_lpips()


def pictures(n: int, seed: int, size: int = 64) -> torch.Tensor:
    """Smooth random pictures, so that every tap sees structure."""
    coarse = torch.randn(n, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse, (size, size), mode="bicubic").tanh()


def test_is_zero_at_identity_positive_elsewhere_and_symmetric(distance: FeatureDistance) -> None:
    a, b = pictures(3, 0), pictures(3, 1)
    assert distance(a, a).abs().max() < 1e-6
    assert (distance(a, b) > 0.01).all()
    assert torch.allclose(distance(a, b), distance(b, a))
    assert (distance(a, b) > 3 * distance(a, 0.9 * a + 0.1 * b)).all()


def test_samples_do_not_see_each_other(distance: FeatureDistance) -> None:
    a, b = pictures(4, 0), pictures(4, 1)
    alone = torch.cat([distance(a[i : i + 1], b[i : i + 1]) for i in range(4)])
    assert torch.allclose(distance(a, b), alone, rtol=1e-4)


def test_one_target_serves_many(distance: FeatureDistance) -> None:
    a, b = pictures(3, 0), pictures(1, 1)
    broadcast = distance.distance(distance.features(a), distance.features(b))
    assert torch.allclose(broadcast, distance(a, b.expand(3, -1, -1, -1)), rtol=1e-4)


@pytest.mark.parametrize("kind", ["flat", "structured"])
def test_gradient_is_finite_where_pictures_agree(distance: FeatureDistance, kind: str) -> None:
    a = pictures(2, 0) if kind == "structured" else torch.zeros(2, 3, 64, 64)
    leaf = a.clone().requires_grad_()
    distance(leaf, a).sum().backward()
    assert leaf.grad is not None
    assert leaf.grad.abs().max() < 1e-3


def test_gradient_is_that_of_the_value(distance: FeatureDistance) -> None:
    model = distance.double()
    a, b = pictures(1, 0, 32).double(), pictures(1, 1, 32).double()
    leaf = a.clone().requires_grad_()
    model(leaf, b).sum().backward()
    assert leaf.grad is not None
    direction = leaf.grad / leaf.grad.norm()
    step = 1e-5
    numeric = (model(a + step * direction, b) - model(a - step * direction, b)) / (2 * step)
    assert torch.allclose(numeric, leaf.grad.norm(), rtol=1e-4)


def test_a_full_mask_changes_nothing_and_an_empty_one_leaves_nothing(distance: FeatureDistance) -> None:
    a, b = distance.features(pictures(2, 0)), distance.features(pictures(2, 1))
    assert torch.allclose(distance.distance(a, b, torch.ones(2, 1, 64, 64)), distance.distance(a, b), rtol=1e-4)
    assert distance.distance(a, b, torch.zeros(2, 1, 64, 64)).tolist() == [0.0, 0.0]


def test_hidden_changes_leak_only_across_the_border(distance: FeatureDistance) -> None:
    """Pixels far from every visible one leave no trace, whatever they hold; unmasked they would count for much."""
    model = distance
    a = pictures(2, 0, 256)
    mask = torch.zeros(1, 1, 256, 256)
    mask[..., :64] = 1
    b = a.clone()
    b[..., 192:] = pictures(2, 1, 256)[..., 192:]
    features_a, features_b = model.features(a), model.features(b)
    assert model.distance(features_a, features_b, mask).max() < 1e-6
    assert model.distance(features_a, features_b).min() > 0.01


def test_texture_forgives_a_shift_and_hears_noise() -> None:
    texture = TextureEnergies()
    a = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) - 0.5

    def change(b: torch.Tensor) -> float:
        return (texture(b)[0] - texture(a)[0]).norm().item()

    assert change(a.roll((2, 2), dims=(2, 3))) < 0.5 * change(0.5 * a)
    assert [tuple(m.shape) for m in texture(a)] == [(1, 10, 4, 4), (1, 10, 2, 2), (1, 10, 2, 2)]


def test_wrong_tensors_are_named() -> None:
    with pytest.raises(UserError, match="not the weights"):
        RobustDistance.from_state({"weight0": torch.ones(3)}, {})


def test_fit_finds_known_weights() -> None:
    random = torch.Generator().manual_seed(0)
    differences = torch.rand(400, 5, generator=random)
    wanted = torch.tensor([0.3, 0.5, 1.0, 0.2, 2.0])
    found = fit_weights(differences, differences @ wanted, torch.zeros(5), CalibrationConfig(steps=800, shrink=0.0))
    assert torch.allclose(found, wanted, atol=0.02)


def test_calibration_raises_agreement() -> None:
    """On a network that never learned anything and a made-up reference, so that it needs no data."""
    torch.manual_seed(0)
    reference, model = RobustDistance(widths=(8, 8, 8)), RobustDistance(widths=(8, 8, 8))
    for i, weight in enumerate(reference.weights()):
        weight.mul_(0.01 if i else 1.0)
    images = ((pictures(40, 0) + 1) * 127.5).to(torch.uint8)
    before = agreement(model, reference, images, CalibrationConfig(pairs=144, batch=16, seed=1))
    calibrate(model, reference, images, CalibrationConfig(pairs=192, batch=16, steps=200), silent)
    after = agreement(model, reference, images, CalibrationConfig(pairs=144, batch=16, seed=1))
    assert after["overall"] > before["overall"]
    assert after["relative_error"] < before["relative_error"]
    assert all((weight > 0).all() for weight in model.weights())


def test_distortions_keep_the_range_and_grow_with_strength() -> None:
    assert not FITTING.keys() & HELD_OUT.keys()
    x = pictures(6, 0).clamp(-1, 1)
    for name, kind in {**FITTING, **HELD_OUT}.items():
        weak, strong = (kind(x, torch.full((6,), s), torch.Generator().manual_seed(3)).clamp(-1, 1) for s in (0.05, 1.0))
        assert weak.shape == strong.shape == x.shape, name
        assert weak.isfinite().all(), name
        assert strong.isfinite().all(), name
        assert (strong - x).square().mean() > 2 * (weak - x).square().mean(), name


def test_spearman_counts_ranks_only() -> None:
    a = torch.arange(10.0)
    assert spearman(a, a.exp()) == pytest.approx(1.0)
    assert spearman(a, -a) == pytest.approx(-1.0)


def test_embedded_weights_rank_held_out_distortions_as_lpips_does(shared: Path) -> None:
    data = shared / "data"
    faces = load_images(ImageSource(data / "faces128.zip", "val", 64), limit=60)
    cats = load_images(ImageSource(data / "cats128.zip", "val", 64), limit=60)
    ranks = agreement(
        robust(), load_lpips(), torch.cat([faces, cats]), CalibrationConfig(pairs=600, batch=24, mixed=0.25, seed=3)
    )
    assert ranks["overall"] > 0.88  # 0.91 on many; this sample is small
    assert ranks["relative_error"] < 0.5


def test_descent_from_noise_finds_the_picture() -> None:
    """The distance alone, no squared error: from noise to the picture, pixel by pixel."""
    model = robust()
    target = to_unit(load_images(ImageSource(zoo.ASSETS / "examples", None, 64))[1:2])  # the cat
    wanted = model.features(target)
    x = (0.3 * torch.randn(target.shape, generator=torch.Generator().manual_seed(0))).requires_grad_()
    optimizer = torch.optim.Adam([x], lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        model.distance(model.features(x), wanted).sum().backward()
        optimizer.step()
        x.data.clamp_(-1, 1)
    assert torch.corrcoef(torch.stack([x.detach().flatten(), target.flatten()]))[0, 1] > 0.9


def test_picture_range_is_minus_one_to_one() -> None:
    """Brightness by one grey level is next to nothing; black against white is far."""
    model = robust()
    a = to_unit(torch.full((1, 3, 64, 64), 127, dtype=torch.uint8))
    assert model(a, a + 2 / 255).item() < 0.01
    assert model(-torch.ones_like(a), torch.ones_like(a)).item() > 0.05
