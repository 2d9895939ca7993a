"""The embedded autoencoders: found by name, loaded, and the classifiers that they stand on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.autoencoders.networks import Autoencoder, FeatureEncoder, MirrorDecoder
from landscape_core.errors import UserError, listed
from landscape_core.features.classifier import Classifier, classifier_of
from landscape_core.search.spaces import Prior
from landscape_core.storage import zoo
from landscape_core.storage.tensors import under

FOLDER = "features"
KIND = "mirror decoder"
ERRORS = "error_percentiles"  # on a decoder's card, of unseen pictures
PERCEPTUAL, PLAIN = "perceptual", "perceptual-plain"  # the embedded robust network and its twin trained without attacks
LEVELS = {PERCEPTUAL: "L2 0.5", PLAIN: "none"}  # what these two were trained against; a classifier's card says its own


@dataclass(frozen=True)
class Inverter:
    """An autoencoder as it was published: `codes` is the Gaussian of its training pictures' codes, flattened; `threat` is
    what the encoder was trained against ("none", "L2 0.5", "L∞ 4/255"); `hashes` are of decoder and encoder."""

    card: zoo.Card
    model: Autoencoder
    codes: Prior
    threat: str
    hashes: dict[str, str]

    @property
    def side(self) -> int:
        """Of the pictures it was trained on, in pixels."""
        return int(self.card.architecture["side"])

    @property
    def known_errors(self) -> list[float]:
        """Percentiles of the errors of reconstruction of pictures of the kind it knows, from the lowest to the highest."""
        return [float(value) for value in self.card.metrics["unseen"][ERRORS]]

    @property
    def name(self) -> str:
        return self.card.name


def load_classifier(name: str, assets: Path = zoo.ASSETS) -> tuple[zoo.Card, Classifier, str]:
    """A classifier's card, the frozen network with its normalisations merged, and what it was trained against.

    Takes what `train classifier` and `train perceptual` wrote: of the latter's distance, the network inside.

    Raises:
        UserError: there is no such model, it is altered, or it is no classifier.
    """
    card, tensors = zoo.load(name, assets)
    if "widths" not in card.architecture or KIND in card.kind:
        raise UserError(f"{name} is no classifier whose features could be inverted; it is: {card.kind}.")
    with zoo.fitting(card):
        network = classifier_of(card.architecture).fold()
        network.load_state_dict(under(tensors, "network.") if "windows" in card.architecture else tensors)
    network = network.requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return card, network, LEVELS.get(name, card.architecture.get("threat", "unknown"))


def inverter_names(assets: Path = zoo.ASSETS) -> list[str]:
    """Every autoencoder that is there."""
    there = [name for name in zoo.names(assets) if name.startswith(f"{FOLDER}/")]
    return [name for name in there if zoo.read_card(name, assets).kind.startswith(KIND)]


def load_inverter(name: str, assets: Path = zoo.ASSETS) -> Inverter:
    """A published decoder with the encoder that its card names, frozen.

    Raises:
        UserError: there is none of that name, a file is missing or altered, or the encoder is another than it was trained for.
    """
    if name not in inverter_names(assets):
        raise UserError(f"There is no autoencoder {name!r}; there are: {listed(inverter_names(assets))}.")
    card, tensors = zoo.load(name, assets)
    made = card.architecture
    encoder_card, network, threat = load_classifier(made["encoder"], assets)
    if encoder_card.sha256 != made["encoder_sha256"]:
        raise UserError(f"{name} was trained for another {encoder_card.name} than the one that is here; train it anew.")
    with zoo.fitting(card):
        encoder = FeatureEncoder(network, made["depth"])
        decoder = MirrorDecoder(network.widths[: made["depth"]], skips=made["skips"])
        decoder.load_state_dict(under(tensors, "decoder."))
        codes = Prior(tensors["codes.mean"], tensors["codes.factor"])
    decoder = decoder.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    hashes = {card.name: card.sha256, encoder_card.name: encoder_card.sha256}
    return Inverter(card, Autoencoder(encoder, decoder, made["spread"]).eval(), codes, threat, hashes)


@torch.no_grad()
def reconstructed(model: Autoencoder, pictures: Tensor, *, batch: int = 100) -> Tensor:
    """What the decoder gives back of pictures (N, 3, H, W) in [-1, 1], some at a time."""
    return torch.cat([model(part) for part in pictures.split(batch)])
