"""The widths of an image model's networks, and the networks themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import torch

from landscape_core.generators.networks.autoencoder import ImageDecoder, ImageEncoder
from landscape_core.generators.networks.discriminator import Discriminator, LatentEncoder
from landscape_core.generators.networks.stylegan import StyleGAN2

Made = TypeVar("Made")


@dataclass(frozen=True)
class Architecture:
    """`channels` are the generator's at 4, 8, 16 … pixels of the latents, so their number fixes the side of the latents and,
    eight times that, of the pictures. `image_widths` are the autoencoder's at a half, a quarter and an eighth of the side,
    `encoder_widths` those of the latents' encoder and critic, from the latents' side down to 4 pixels."""

    style_dim: int = 512
    channels: tuple[int, ...] = (160, 160)
    latent_channels: int = 16
    image_widths: tuple[int, int, int] = (48, 64, 96)
    encoder_widths: tuple[int, ...] = (128, 160)

    @property
    def side(self) -> int:
        """Of the pictures, in pixels."""
        return 8 * 4 * 2 ** (len(self.channels) - 1)

    def autoencoder(self, seed: int) -> tuple[ImageEncoder, ImageDecoder]:
        """Untrained encoder and decoder."""
        widths = self.image_widths, self.latent_channels
        return _seeded(seed, lambda: (ImageEncoder(*widths), ImageDecoder(*widths)))

    def generator(self, seed: int) -> tuple[StyleGAN2, LatentEncoder]:
        """Untrained generator of latents, and encoder of them."""
        return _seeded(
            seed,
            lambda: (
                StyleGAN2(self.style_dim, 0, self.channels, self.latent_channels),
                LatentEncoder(self.latent_channels, self.encoder_widths, self.style_dim),
            ),
        )

    def critic(self, seed: int) -> Discriminator:
        """Untrained critic of latents."""
        return _seeded(seed, lambda: Discriminator(self.latent_channels, self.encoder_widths))

    def on_cards(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the cards of generator and encoder say of it: the arguments of their networks' constructors."""
        image = {"widths": self.image_widths, "latent_channels": self.latent_channels}
        generator = {
            "style_dim": self.style_dim,
            "n_mapping": 0,
            "channels": self.channels,
            "out_channels": self.latent_channels,
        }
        latent = {"in_channels": self.latent_channels, "widths": self.encoder_widths, "style_dim": self.style_dim}
        return {"generator": generator, "decoder": image}, {"image": image, "latent": latent}

    @staticmethod
    def from_cards(generator: Mapping[str, Any], encoder: Mapping[str, Any]) -> Architecture:
        """From the architectures on the cards of generator and encoder."""
        defaults, image = Architecture(), encoder["image"]
        return Architecture(
            style_dim=generator["generator"]["style_dim"],
            channels=tuple(generator["generator"]["channels"]),
            latent_channels=encoder["latent"]["in_channels"],
            image_widths=tuple(image.get("widths", defaults.image_widths)),
            encoder_widths=tuple(encoder["latent"]["widths"]),
        )


def _seeded(seed: int, make: Callable[[], Made]) -> Made:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()
