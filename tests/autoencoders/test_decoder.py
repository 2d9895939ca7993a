"""The mirror decoder: its shapes, its training with each loss on and off, resuming, and its file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from landscape_core.autoencoders.models import inverter_names, load_classifier, load_inverter
from landscape_core.autoencoders.networks import Autoencoder, FeatureEncoder, MirrorDecoder
from landscape_core.autoencoders.training.decoder import DecoderTrainer, train_decoder
from landscape_core.errors import UserError
from landscape_core.features.classifier import Classifier, Network, classifier_of
from landscape_core.images.pixels import to_unit
from landscape_core.progress import silent
from landscape_core.storage import zoo
from tests.tiny.defended import picture_bytes, pictures
from tests.tiny.inverters import CONFIG, WIDTHS, publish_encoder, publish_inverter


def network(kind: Network = "resnet") -> Classifier:
    torch.manual_seed(0)
    return classifier_of({"network": kind, "widths": WIDTHS}).fold()


@pytest.mark.parametrize("kind", ["resnet", "vgg"])
@pytest.mark.parametrize("depth", [1, 3])
def test_the_decoder_mirrors_the_encoder_at_any_resolution(kind: Network, depth: int) -> None:
    encoder, decoder = FeatureEncoder(network(kind), depth), MirrorDecoder(WIDTHS[:depth])
    for side in (32, 48):
        code = encoder(torch.zeros(2, 3, side, side))
        assert code.shape == (2, WIDTHS[depth - 1], side // 2**depth, side // 2**depth)
        assert decoder(code).shape == (2, 3, side, side)


def test_a_depth_that_the_network_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="stages 1 to 3, not 4"):
        FeatureEncoder(network(), 4)


def test_only_a_decoder_with_skips_sees_the_earlier_stages() -> None:
    encoder = FeatureEncoder(network(), 3)
    for skips in (False, True):
        model = Autoencoder(encoder, MirrorDecoder(WIDTHS, skips=skips).eval(), 1.0)
        *earlier, code = encoder.network.stages(pictures(2))
        changed = model.decoder(code, [earlier[0] + 1.0, earlier[1]])
        assert torch.equal(model(pictures(2)), changed) is not skips


def test_training_brings_pictures_back_and_leaves_the_encoder_alone(tmp_path: Path) -> None:
    encoder, images = FeatureEncoder(network(), 2), picture_bytes(16)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    short = train_decoder(encoder, images, replace(CONFIG, images=8), tmp_path / "short", silent).model
    long = train_decoder(encoder, images, replace(CONFIG, images=1600), tmp_path / "long", silent).model
    wanted = to_unit(images)
    assert (long(wanted) - wanted).abs().mean() < 0.6 * (short(wanted) - wanted).abs().mean()
    assert all(torch.equal(before[name], value) for name, value in encoder.state_dict().items())


@pytest.mark.parametrize("off", ["pixel", "feature", "adversarial"])
def test_each_loss_can_be_switched_off(off: str, tmp_path: Path) -> None:
    config = replace(CONFIG, adversarial_from=0.0, **{off: 0.0})
    trainer = DecoderTrainer(FeatureEncoder(network(), 2), picture_bytes(16), config, tmp_path)
    critic = [p.clone() for p in trainer.critic.parameters()]
    assert set(trainer.step()) & {"pixel", "feature", "adversarial"} == {"pixel", "feature", "adversarial"} - {off}
    learned = any(not torch.equal(a, b) for a, b in zip(critic, trainer.critic.parameters(), strict=True))
    assert learned is (off != "adversarial")


def test_a_stopped_training_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    encoder, images = FeatureEncoder(network(), 2), picture_bytes(16)
    config = replace(CONFIG, noise=0.2, skips=True, adversarial_from=0.5)
    whole = train_decoder(encoder, images, config, tmp_path / "whole", silent).model
    train_decoder(encoder, images, config, tmp_path / "parts", lambda done, total, figures: done >= 32)
    parts = train_decoder(encoder, images, config, tmp_path / "parts", silent).model
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), parts.parameters(), strict=True))
    torch.nn.init.zeros_(encoder.network.head.weight)
    with pytest.raises(UserError, match="other encoder"):
        train_decoder(encoder, images, config, tmp_path / "parts", silent)


def test_a_published_decoder_is_found_and_gives_the_same_pictures(tmp_path: Path) -> None:
    card = publish_inverter(tmp_path / "a", tmp_path / "work")
    assert inverter_names(tmp_path / "a") == ["features/robust-stage3"]
    found = load_inverter("features/robust-stage3", tmp_path / "a")
    assert (found.side, found.threat, card.metrics["unseen"].keys() >= {"psnr", "ssim", "lpips"}) == (32, "L∞ 8/255", True)
    assert len(found.known_errors) == 101
    assert found.hashes.keys() == {"features/robust-stage3", "features/encoder"}
    again = load_inverter("features/robust-stage3", tmp_path / "a")
    assert torch.equal(found.model(pictures(2)), again.model(pictures(2)))
    assert not any(p.requires_grad for p in found.model.parameters())


def test_a_decoder_without_its_own_encoder_is_refused(tmp_path: Path) -> None:
    publish_inverter(tmp_path / "a", tmp_path / "work")
    torch.manual_seed(7)
    publish_encoder(tmp_path / "a")
    with pytest.raises(UserError, match="trained for another features/encoder"):
        load_inverter("features/robust-stage3", tmp_path / "a")
    with pytest.raises(UserError, match="is no classifier"):
        load_classifier("features/robust-stage3", tmp_path / "a")
    with pytest.raises(UserError, match="There is no autoencoder 'features/none'"):
        load_inverter("features/none", tmp_path / "a")


def test_the_embedded_networks_inner_classifier_is_found() -> None:
    card, found, threat = load_classifier("perceptual")
    assert (card.name, found.widths, threat) == ("perceptual", (32, 48, 72, 112), "L2 0.5")
    assert zoo.read_card("perceptual-plain").sha256 == load_classifier("perceptual-plain")[0].sha256
