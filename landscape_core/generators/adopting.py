"""Published StyleGAN2 checkpoints as image tasks: converted once, with a card that says what was assumed."""

from __future__ import annotations

from pathlib import Path

import torch

from landscape_core.errors import UserError
from landscape_core.generators.networks.image_model import ImageModel, Pixels
from landscape_core.generators.networks.published import MEAN_OF, load_published_stylegan2
from landscape_core.generators.networks.stylegan import without_mapping
from landscape_core.search.spaces import Prior
from landscape_core.storage import zoo

ASSUMED = (
    "Assumed: the filter [1, 3, 3, 1]; no noise maps, so that F depends on w alone; pictures in [-1, 1]; the leaky ReLU 0.2 "
    f"with gain √2 of the original. The prior is the Gaussian of W, of {MEAN_OF:,} inputs of its mapping network."
)


def adopt_stylegan2(
    path: Path, name: str, *, licence: str, command: str, own: Path = zoo.OWN
) -> tuple[zoo.Card, tuple[str, ...]]:
    """Write `NAME/generator` below `own` from a checkpoint in the layout of the common PyTorch port ('g_ema', 8 to 1024
    pixels); the card, and what a user should know about how the file was read.

    Raises:
        UserError: a pickle of the authors' code, tensors that are not a StyleGAN2's, one that does not draw colours, or a name
            that is taken.
    """
    if path.suffix == ".pkl":
        raise UserError(
            f"{path.name} is a pickle of its authors' own code (StyleGAN2-ADA and others), and reading it could run anything. "
            "Convert it where it was made: the PyTorch port's convert_weight.py writes 'g_ema' into a .pt file, which is read."
        )
    if f"{name}/generator" in [each for shelf in zoo.shelves() for each in zoo.names(shelf)]:
        raise UserError(f"There is a generator {name!r} already; choose another --name.")
    found = load_published_stylegan2(path)
    bare, colours = without_mapping(found.generator), len(found.generator.synthesis.to_rgbs[0].get_parameter("bias"))
    if colours != 3:
        raise UserError(f"{path.name} draws pictures of {colours} channels; 3, red, green and blue, are needed.")
    with torch.no_grad():
        width = len(bare.get_buffer("w_mean"))
        prior = Prior.of(found.generator.mapping(torch.randn(MEAN_OF, width, generator=torch.Generator().manual_seed(0))))
    model = ImageModel(bare, Pixels())
    channels = [len(each.get_parameter("bias")) for each in found.generator.synthesis.convs[::2]]
    card = zoo.Card(
        name=f"{name}/generator", kind=f"published StyleGAN2, F: w ({width}) -> picture {model.side}x{model.side}",
        architecture={"generator": {"style_dim": width, "n_mapping": 0, "channels": channels, "out_channels": 3}},
        trained_on=f"by others; read from {path.name}", licence=licence, command=command, budget={}, metrics={}, sha256="",
        seed=0, notes=" ".join((ASSUMED, *found.notices)),
    )  # fmt: skip
    tensors = {f"model.{key}": value for key, value in model.state_dict().items()}
    tensors |= {"prior.mean": prior.mean, "prior.factor": prior.factor}
    return zoo.save(card, tensors, own, dtype=torch.float32), found.notices
