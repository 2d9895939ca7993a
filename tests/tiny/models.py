"""A complete image task with tiny random networks: fast enough for every test, same interfaces as the real one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from landscape_core.generators.networks.autoencoder import ImageDecoder
from landscape_core.generators.networks.image_model import ImageModel
from landscape_core.generators.networks.stylegan import StyleGAN2
from landscape_core.search.mapping import MappingConfig, build_mapping
from landscape_core.search.objectives import PerceptualObjective
from landscape_core.search.spaces import Prior, ZSpace
from landscape_core.search.task import Task

DIM = 16


class PooledDistance(nn.Module):
    """A stand-in perceptual distance: squared difference of average-pooled pictures."""

    def features(self, image: Tensor) -> tuple[Tensor, ...]:
        return (nn.functional.avg_pool2d(image, 8),)

    def distance(self, a: tuple[Tensor, ...], b: tuple[Tensor, ...], mask: Tensor | None = None) -> Tensor:
        return (a[0] - b[0]).square().flatten(1).mean(dim=1)


def tiny_model(seed: int = 0, side: int = 64) -> ImageModel:
    """A random generator with W = 16; `side` is a power of two from 32 pixels."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = ImageModel(StyleGAN2(DIM, 2, (8,) * (side.bit_length() - 5), 4), ImageDecoder((4, 4, 8), 4))
    return model.eval().requires_grad_(False)


def tiny_task(name: str = "faces", side: int = 64) -> Task:
    """Task with spaces X, residual and paper, and a linear stand-in encoder."""
    model = tiny_model(side=side)
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        prior = Prior.of(model.generator.mapping(torch.randn(256, DIM, generator=random)))
    mappings = {
        kind: ZSpace(build_mapping(MappingConfig(net, DIM, DIM, 32), prior, seed=1), DIM)
        for kind, net in (("residual", "residual"), ("paper", "mlp"))
    }

    def encode(pictures: Tensor) -> Tensor:
        means = pictures.mean(dim=(1, 2, 3))[:, None]
        return prior.mean + 0.1 * means.expand(-1, DIM)

    objective, hashes = PerceptualObjective(PooledDistance()), {f"{name}/generator": "0" * 64}
    return Task(name, model, prior, objective, mappings, encode, hashes, side=side)
