"""Published StyleGAN checkpoints as image tasks: converted once, with a card that says what was assumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.features.lpips import LEAST_SIDE
from landscape_core.generators.networks.image_model import ImageModel, Pixels
from landscape_core.generators.networks.published import MEAN_OF, load_published_stylegan2
from landscape_core.generators.networks.published1 import is_stylegan1, load_published_stylegan1
from landscape_core.generators.networks.stylegan import StyleGAN2, without_mapping
from landscape_core.generators.networks.stylegan1 import StyleGAN1
from landscape_core.search.spaces import Prior
from landscape_core.storage import zoo
from landscape_core.storage.foreign import read_checkpoint

_BOTH = (
    "no noise maps, so that F depends on w alone; pictures in [-1, 1]; the leaky ReLU 0.2",
    f"The prior is the Gaussian of W, of {MEAN_OF:,} inputs of its mapping network.",
)
ASSUMED = f"Assumed: the filter [1, 3, 3, 1]; {_BOTH[0]} with gain √2 of the original. {_BOTH[1]}"
ASSUMED_FIRST = (
    f"Assumed: the filter [1, 2, 1]; {_BOTH[0]} without a gain; in every layer convolution, leaky ReLU, AdaIN (1e-5 below the "
    f"root) in that order; the picture of the last level alone, fully grown. {_BOTH[1]}"
)


@dataclass(frozen=True)
class _Read:
    """A file's generator without its mapping network, w (n, D) that this drew, and what its card says of it."""

    generator: StyleGAN2 | StyleGAN1
    w: Tensor
    kind: str
    architecture: dict[str, Any]
    assumed: str
    notices: tuple[str, ...]


def adopt_stylegan(
    path: Path, name: str, *, licence: str, command: str, own: Path = zoo.OWN
) -> tuple[zoo.Card, tuple[str, ...]]:
    """Write `NAME/generator` below `own` from a checkpoint in the layout of a common PyTorch port: of StyleGAN2 ('g_ema', 32 to
    1024 pixels) or of StyleGAN1 ('g_running'); the card, and what a user should know about how the file was read.

    Raises:
        UserError: a pickle of the authors' code, tensors that are neither's, one that does not draw colours or draws too small
            pictures, or a name that is taken.
    """
    if path.suffix == ".pkl":
        raise UserError(
            f"{path.name} is a pickle of its authors' own code (StyleGAN2-ADA and others), and reading it could run anything. "
            "Convert it where it was made: the PyTorch port's convert_weight.py writes 'g_ema' into a .pt file, which is read."
        )
    if f"{name}/generator" in [each for shelf in zoo.shelves() for each in zoo.names(shelf)]:
        raise UserError(f"There is a generator {name!r} already; choose another --name.")
    checkpoint = read_checkpoint(path)
    read = _first(checkpoint, path) if is_stylegan1(checkpoint) else _second(checkpoint, path)
    prior, model = Prior.of(read.w), ImageModel(read.generator, Pixels())
    if model.side < LEAST_SIDE:
        raise UserError(
            f"{path.name} draws pictures of {model.side} pixels; the distance by which pictures are searched sees them from "
            f"{LEAST_SIDE} on. A plug-in with a loss of its own can take it, as docs/examples/stylegan2.py does."
        )
    card = zoo.Card(
        name=f"{name}/generator",
        kind=f"published {read.kind}, F: w ({model.style_dim}) -> picture {model.side}x{model.side}",
        architecture=read.architecture, trained_on=f"by others; read from {path.name}", licence=licence, command=command,
        budget={}, metrics={}, sha256="", seed=0, notes=" ".join((read.assumed, *read.notices)),
    )  # fmt: skip
    tensors = {f"model.{key}": value for key, value in model.state_dict().items()}
    tensors |= {"prior.mean": prior.mean, "prior.factor": prior.factor}
    return zoo.save(card, tensors, own, dtype=torch.float32), read.notices


def _second(checkpoint: Mapping[str, Any], path: Path) -> _Read:
    found = load_published_stylegan2(path, checkpoint)
    bare, colours = without_mapping(found.generator), len(found.generator.synthesis.to_rgbs[0].get_parameter("bias"))
    if colours != 3:
        raise UserError(f"{path.name} draws pictures of {colours} channels; 3, red, green and blue, are needed.")
    width = len(bare.get_buffer("w_mean"))
    with torch.no_grad():
        w = found.generator.mapping(torch.randn(MEAN_OF, width, generator=torch.Generator().manual_seed(0)))
    channels = [len(each.get_parameter("bias")) for each in found.generator.synthesis.convs[::2]]
    sizes = {"style_dim": width, "n_mapping": 0, "channels": channels, "out_channels": 3}
    return _Read(bare, w, "StyleGAN2", {"generator": sizes}, ASSUMED, found.notices)


def _first(checkpoint: Mapping[str, Any], path: Path) -> _Read:
    found = load_published_stylegan1(checkpoint, path)
    architecture = {"network": "stylegan1", "generator": {"style_dim": found.w.shape[1], "channels": found.channels}}
    return _Read(found.generator, found.w, "StyleGAN1", architecture, ASSUMED_FIRST, found.notices)
