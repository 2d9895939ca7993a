"""A published StyleGAN2 checkpoint (the common PyTorch port's `g_ema`), searched in W.

It is made here, small and untrained, so that nothing is downloaded: put the path of a real one in its place.
"""

from pathlib import Path

import torch

from landscape_core import Prior, SquaredError, Task
from landscape_core.generators.networks.published import load_published_stylegan2
from landscape_core.generators.networks.stylegan import without_mapping

FILE = Path("runs/examples/stylegan2.pt")
WIDTH, CHANNELS = 32, (16, 16, 8)  # of w, and of 4, 8 and 16 pixels


def published_file(path):
    """A checkpoint in the published layout: weights by the names that the port gives them."""
    random = torch.Generator().manual_seed(0)

    def drawn(*shape):
        return torch.randn(*shape, generator=random)

    state = {"input.input": drawn(1, CHANNELS[0], 4, 4)}
    for layer in (1, 2):
        state |= {f"style.{layer}.weight": 100 * drawn(WIDTH, WIDTH), f"style.{layer}.bias": torch.zeros(WIDTH)}
    convolutions = [("conv1", CHANNELS[0], CHANNELS[0])]
    for level in range(len(CHANNELS) - 1):
        before, here = CHANNELS[level], CHANNELS[level + 1]
        convolutions += [(f"convs.{2 * level}", before, here), (f"convs.{2 * level + 1}", here, here)]
    for name, before, here in convolutions:
        state[f"{name}.conv.weight"] = drawn(1, here, before, 3, 3)
        state |= {f"{name}.noise.weight": torch.zeros(1), f"{name}.activate.bias": 0.1 * drawn(here)}
        state |= {f"{name}.conv.modulation.weight": drawn(before, WIDTH), f"{name}.conv.modulation.bias": torch.ones(before)}
    for level, width in enumerate(CHANNELS):
        name = "to_rgb1" if level == 0 else f"to_rgbs.{level - 1}"
        state |= {f"{name}.conv.weight": drawn(1, 3, width, 1, 1), f"{name}.bias": torch.zeros(1, 3, 1, 1)}
        state |= {f"{name}.conv.modulation.weight": drawn(width, WIDTH), f"{name}.conv.modulation.bias": torch.ones(width)}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"g_ema": state}, path)


class Drawn(torch.nn.Module):
    """w (B, 32) -> pictures (B, 3, 16, 16) in [-1, 1]."""

    def __init__(self, generator):
        super().__init__()
        self.generator = without_mapping(generator)

    def forward(self, w):
        return torch.tanh(self.generator.synthesis(w))


def task():
    if not FILE.exists():
        published_file(FILE)
    generator = load_published_stylegan2(FILE).generator
    with torch.no_grad():  # W's Gaussian: what its mapping network makes of noise
        prior = Prior.of(generator.mapping(torch.randn(4096, WIDTH, generator=torch.Generator().manual_seed(1))))
    return Task("small-stylegan2", Drawn(generator), prior, SquaredError())
