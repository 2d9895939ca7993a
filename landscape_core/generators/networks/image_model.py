"""F for pictures: StyleGAN2's synthesis in an autoencoder's latents, then the decoder. W = 512 in, picture out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from landscape_core.generators.networks.autoencoder import ImageDecoder, ImageEncoder
from landscape_core.generators.networks.discriminator import LatentEncoder
from landscape_core.generators.networks.stylegan import StyleGAN2
from landscape_core.generators.networks.stylegan1 import StyleGAN1
from landscape_core.storage.tensors import under

NETWORKS: Mapping[str, Callable[..., StyleGAN2 | StyleGAN1]] = {"stylegan2": StyleGAN2, "stylegan1": StyleGAN1}


class Pixels(nn.Module):
    """In the place of a decoder, for a generator that draws pictures itself."""

    SCALE = 1

    def forward(self, pictures: Tensor) -> Tensor:
        return pictures


class ImageModel(nn.Module):
    """w (B, 512), or w+ (B, n_styles, 512), -> picture (B, 3, side, side), about [-1, 1]; noise maps are off, so that the
    output depends on w alone."""

    def __init__(self, generator: StyleGAN2 | StyleGAN1, decoder: ImageDecoder | Pixels) -> None:
        super().__init__()
        self.generator = generator
        self.decoder = decoder

    @property
    def style_dim(self) -> int:
        return self.generator.get_buffer("w_mean").shape[0]

    @property
    def side(self) -> int:
        """Of its pictures, in pixels."""
        return self.decoder.SCALE * self.generator.synthesis.resolution

    def forward(self, w: Tensor) -> Tensor:
        return self.decoder(self.generator.synthesis(w))


class PlusModel(nn.Module):
    """The same pictures from W+ (Abdal et al. 2019): v (B, S * 512), a w for each of the S style inputs."""

    def __init__(self, model: ImageModel) -> None:
        super().__init__()
        self.model = model
        self.n_styles = model.generator.synthesis.n_styles

    def forward(self, v: Tensor) -> Tensor:
        return self.model(v.reshape(len(v), self.n_styles, -1))


class PictureEncoder(nn.Module):
    """Picture (B, 3, side, side) -> w (B, 512), one feed-forward guess."""

    def __init__(self, image: ImageEncoder, latent: LatentEncoder) -> None:
        super().__init__()
        self.image = image
        self.latent = latent

    def forward(self, picture: Tensor) -> Tensor:
        return self.latent(self.image(picture))


def image_model_from(tensors: Mapping[str, Tensor], architecture: Mapping[str, Any]) -> ImageModel:
    """The frozen F of a generator's weights and the constructor arguments on its card."""
    generator = NETWORKS[architecture.get("network", "stylegan2")](**architecture["generator"])
    decoder = ImageDecoder(**_widths(architecture["decoder"])) if "decoder" in architecture else Pixels()
    model = ImageModel(generator, decoder)
    model.load_state_dict(under(tensors, "model."))
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a fifth faster on a CPU
    return model.eval().requires_grad_(False)


def picture_encoder_from(tensors: Mapping[str, Tensor], architecture: Mapping[str, Any]) -> PictureEncoder:
    """The frozen encoder of its weights and the constructor arguments on its card."""
    encoder = PictureEncoder(ImageEncoder(**_widths(architecture["image"])), LatentEncoder(**architecture["latent"]))
    encoder.load_state_dict(tensors)
    return encoder.eval().requires_grad_(False)


def _widths(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in arguments.items()}
