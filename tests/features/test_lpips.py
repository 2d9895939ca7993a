"""LPIPS as it is embedded: its published values, the package's own forward pass, and no download."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import torch

from landscape_core.errors import UserError
from landscape_core.features.lpips import LpipsDistance, load_lpips, untrained_lpips
from landscape_core.search.objectives import PerceptualObjective, Target
from landscape_core.storage import zoo


def noise(seed: int, n: int = 10, side: int = 100) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    return torch.rand(n, 3, side, side, generator=random) * 2 - 1, torch.rand(n, 3, side, side, generator=random) * 2 - 1


def test_the_published_example_comes_out() -> None:
    """torchmetrics documents 0.1008 for net_type="squeeze" on these two batches."""
    assert load_lpips()(*noise(123)).mean().item() == pytest.approx(0.1008, abs=6e-5)


def test_it_equals_the_package_with_the_same_weights() -> None:
    """But for the linear heads, which are rounded to 16 bits."""
    distance, package = load_lpips(), untrained_lpips()
    package.net.load_state_dict(distance.network.state_dict())
    a, b = noise(0, 3, 64)
    with torch.no_grad():
        assert torch.allclose(distance(a, b), package(a, b).flatten(), rtol=1e-3)


def test_its_heads_are_those_of_the_package() -> None:
    for ours, theirs in zip(load_lpips().weights(), LpipsDistance().weights(), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-6)  # rounded to 16 bits
        assert (ours >= 0).all()


def test_nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(socket.socket, "connect", None)  # calling it would fail
    assert load_lpips()(*noise(1, 1, 32)).isfinite().all()
    assert not list(tmp_path.rglob("*"))


def test_missing_weights_are_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no model 'lpips'"):
        load_lpips(tmp_path)
    with pytest.raises(UserError, match="not the weights of LPIPS"):
        LpipsDistance.from_state({"weight0": torch.ones(64)})


def test_a_targets_features_are_taken_once_and_hidden_pixels_cannot_reach_the_loss() -> None:
    distance = load_lpips()
    passes: list[int] = []
    distance.network.register_forward_hook(lambda *_: passes.append(1))
    (a, b), mask = noise(2, 2, 64), torch.ones(2, 1, 64, 64)
    mask[..., :20, 10:50] = 0
    loss = PerceptualObjective(distance).bind(Target(b, mask))
    values = torch.stack([loss(a), loss(torch.where(mask.bool(), a, -a)), loss(a.roll(1, 3))])
    assert len(passes) == 4
    assert torch.equal(values[0], values[1])
    assert (values[2] != values[0]).all()
    elsewhere = PerceptualObjective(distance).bind(Target(torch.where(mask.bool(), b, -b), mask))
    assert torch.equal(elsewhere(a), values[0])


def test_the_embedded_card_says_where_the_weights_are_from() -> None:
    card = zoo.read_card("lpips")
    assert "torchvision" in card.trained_on
    assert "BSD" in card.licence
