"""The last stage: critics on frozen maps, pictures that come back, the same end after an interruption."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from landscape_core.generators.networks.autoencoder import ImageDecoder, ImageEncoder
from landscape_core.generators.networks.discriminator import LatentEncoder
from landscape_core.generators.networks.image_model import ImageModel, PictureEncoder
from landscape_core.generators.networks.projected import ProjectedCritic
from landscape_core.generators.networks.stylegan import StyleGAN2, without_mapping
from landscape_core.generators.training.sharpen import SharpenConfig, SharpenTrainer, augment
from landscape_core.progress import silent
from landscape_core.training.loop import train
from tests.tiny.lpips import StandIn

TINY = SharpenConfig(images=48, batch=8, critic_first=8, critic_width=4, refresh_codes=16, bf16=False)


def pictures(n: int = 40) -> Tensor:
    """Squares of one colour each, on another."""
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (n, 3, 1, 1), generator=random).expand(-1, -1, 64, 64).clone()
    images[:, :, 20:44, 20:44] = torch.randint(0, 256, (n, 3, 1, 1), generator=random)
    return images.to(torch.uint8)


def networks() -> tuple[ImageModel, PictureEncoder]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = ImageModel(StyleGAN2(16, 0, (8, 8), 16), ImageDecoder())
        return model.eval(), PictureEncoder(ImageEncoder(), LatentEncoder(16, (8, 8), 16)).eval()


def trainer(out: Path, config: SharpenConfig = TINY) -> SharpenTrainer:
    return SharpenTrainer(pictures(), *networks(), config, out)


@pytest.mark.usefixtures("no_lpips")
def test_an_interrupted_run_ends_with_the_same_networks(tmp_path: Path) -> None:
    whole = trainer(tmp_path / "whole")
    assert train(whole, silent)
    calls = iter(range(100))
    assert not train(trainer(tmp_path / "cut"), lambda *_: next(calls) == 2)
    resumed = trainer(tmp_path / "cut")
    assert resumed.seen == 3 * TINY.batch
    assert train(resumed, silent)
    for net, again in zip(whole.finish()[:2], resumed.finish()[:2], strict=True):
        for name, value in net.state_dict().items():
            assert torch.equal(value, again.state_dict()[name]), name


@pytest.mark.usefixtures("no_lpips")
def test_the_prior_is_the_gaussian_pictures_were_last_drawn_from(tmp_path: Path) -> None:
    run = trainer(tmp_path, replace(TINY, anneal_from=0.5, refresh_codes=8))
    measured = []
    while run.seen < run.total:
        run.step()
        measured.append(run.codes.std.clone())
    assert not torch.equal(measured[0], measured[2])  # measured anew
    assert all(torch.equal(each, measured[2]) for each in measured[3:])  # but not while learning rates fall
    prior = run.finish()[2]
    covariance = (run.codes.axes * run.codes.std.square()) @ run.codes.axes.T
    assert torch.allclose(prior.factor @ prior.factor.T, covariance, rtol=1e-3, atol=1e-4 * float(covariance.max()))
    spread = prior.factor.norm(dim=0)
    assert (spread[:-1] >= 0.999 * spread[1:]).all()


@pytest.mark.usefixtures("no_lpips")
def test_the_critics_learn_alone_at_first_and_the_frozen_parts_never(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    before = {name: [p.clone() for p in net.parameters()] for name, net in _parts(run).items()}

    def changed() -> set[str]:
        now = {name: net.parameters() for name, net in _parts(run).items()}
        return {n for n, old in before.items() if any(not torch.equal(a, b) for a, b in zip(old, now[n], strict=True))}

    run.step()
    assert changed() == {"heads", "pixels"}
    run.step()
    assert changed() == {"heads", "pixels", "model", "encoder"}


def _parts(run: SharpenTrainer) -> dict[str, torch.nn.Module]:
    critic = run.critic
    networks = {"distance": run.distance, "model": run.model, "encoder": run.encoder}
    return networks | {"heads": critic.heads, "pixels": critic.pixels, "projection": critic.project}


@pytest.mark.usefixtures("no_lpips")
def test_real_pictures_come_back_better(tmp_path: Path) -> None:
    run = trainer(tmp_path, replace(TINY, images=8 * 12, refresh_codes=10**6, critic_first=0, anneal_from=0.9, lr=1e-3))
    first = run.step()["l1"]
    while run.seen < run.total:
        last = run.step()["l1"]
    assert last < 0.9 * first


def test_critics_tell_apart_what_the_maps_tell_apart() -> None:
    torch.manual_seed(0)
    critic = ProjectedCritic(StandIn().maps, width=8)
    optimizer = torch.optim.Adam(critic.heads.parameters(), lr=1e-2)
    random = torch.Generator().manual_seed(1)
    gaps = []
    for _ in range(60):
        flat = torch.rand(8, 3, 1, 1, generator=random).expand(-1, -1, 64, 64)
        noisy = torch.rand(8, 3, 64, 64, generator=random)
        on_flat, on_noisy = critic(flat), critic(noisy)
        gaps.append((on_flat - on_noisy).mean().item())
        optimizer.zero_grad()
        (torch.relu(1 - on_flat).mean() + torch.relu(1 + on_noisy).mean()).backward()
        optimizer.step()
    assert on_flat.shape == (8, 5)
    assert gaps[-1] > gaps[0] + 0.3


def test_augmentation_changes_each_picture_its_own_way_and_lets_gradients_through() -> None:
    x = torch.rand(2, 3, 16, 16).expand(2, -1, -1, -1).clone()
    x[1] = x[0]
    x.requires_grad_()
    changed = augment(x, torch.Generator().manual_seed(0))
    assert changed.shape == x.shape
    assert not torch.allclose(changed[0], changed[1])
    changed.sum().backward()
    assert (x.grad != 0).float().mean() > 0.5
    assert torch.equal(augment(x, torch.Generator().manual_seed(0)), changed)


def test_a_shift_moves_pixels_and_brings_zeros_in() -> None:
    random = torch.Generator().manual_seed(0)
    spot = torch.zeros(64, 3, 8, 8)
    spot[:, :, 4, 4] = 1.0
    moved = augment(spot, random, shift=0.25)
    places = {int(row.flatten().argmax()) for row in moved[:, 0]}
    assert len(places) > 10
    assert all(2 <= place // 8 <= 6 and 2 <= place % 8 <= 6 for place in places)


def test_without_a_mapping_network_the_same_w_draws_the_same_picture() -> None:
    model = StyleGAN2(16, 2, (8, 8), 4)
    bare = without_mapping(model)
    w = torch.randn(3, 16, generator=torch.Generator().manual_seed(0))
    assert torch.equal(bare.synthesis(w), model.synthesis(w))
    assert not any(name.startswith("mapping.layers") for name in bare.state_dict())
    assert len(model.mapping.layers) == 2
