"""Inverting a classifier's features as a task: which picture has these features? Searched over pixels, or over codes.

The network φ whose features are inverted stands in the objective, L(ŷ, y) = mean (φ(ŷ) - φ(y))² / variance of φ, and F ends
at a picture ŷ, which can be shown. Over pixels F bounds them; over codes it is the decoder. The decoder's own answer to φ(y)
is the encoder-based guess of both.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from landscape_core.autoencoders.models import Inverter, inverter_names, load_inverter
from landscape_core.autoencoders.networks import Autoencoder
from landscape_core.errors import UserError
from landscape_core.search.objectives import LossFunction, Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.spaces import Prior
from landscape_core.search.task import Task, Tuned, X
from landscape_core.search.thetas import RANDOM, THETA, random_mapping, thetas
from landscape_core.storage import zoo

CODES = "+codes"  # at the end of a task's name: x is a code
NOISE = 0.3  # standard deviation of the pictures, before they are bounded, that descent over pixels starts from
LARGEST = 32  # side of the pictures that are searched pixel by pixel; Θ would be large for more
# X's rates of Adam, the best for 50 steps on training pictures among 0.02, 0.05, 0.1, 0.2, 0.5, 1 and 2.
PIXEL_ADAM = OptimizerSettings(name="adam", lr=0.2)
CODE_ADAM = OptimizerSettings(name="adam", lr=0.05)
CODES_TUNED = (Tuned(start="random", optimizer=OptimizerSettings(name="adam", lr=0.1)),)


class Pixels(nn.Module):
    """x (B, 3 S S) -> pictures (B, 3, S, S) in (-1, 1): the hyperbolic tangent, so that descent never leaves the range."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x).unflatten(1, (3, self.side, self.side))

    def inverse(self, pictures: Tensor) -> Tensor:
        """The x (B, 3 S S) of pictures (B, 3, S, S) in [-1, 1], black and white drawn in a little."""
        return torch.atanh(pictures.clamp(-0.999, 0.999)).flatten(1)


class Codes(nn.Module):
    """x (B, C h w) -> pictures (B, 3, S, S): the mirror decoder on a code given in one row."""

    def __init__(self, model: Autoencoder, side: int) -> None:
        super().__init__()
        cells = side // 2**model.encoder.depth
        self.decoder = model.decoder
        self.shape = (model.encoder.network.widths[model.encoder.depth - 1], cells, cells)

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(x.unflatten(1, self.shape))


class FeatureObjective:
    """Mean squared difference (B,) between the codes of two pictures, in units of their variance; with a mask hidden pixels
    are grey in both before they are encoded."""

    def __init__(self, model: Autoencoder) -> None:
        self.model = model

    def bind(self, target: Target) -> LossFunction:
        mask = target.mask
        with torch.no_grad():
            wanted = self.model.encoder(target.value if mask is None else target.value * mask)

        def loss(output: Tensor) -> Tensor:
            found = self.model.encoder(output if mask is None else output * mask)
            return self.model.distance(found, wanted)

        return loss


def task_names(assets: Path = zoo.ASSETS) -> list[str]:
    """Every autoencoder that a code is enough for, over codes, and over pixels where these are few enough: those of small
    pictures first, then the robust ones, then the shallowest."""
    cards = [zoo.read_card(name, assets) for name in inverter_names(assets)]
    able = [card for card in cards if not card.architecture["skips"]]
    able.sort(key=lambda card: (card.architecture["side"], "robust" not in card.name, card.architecture["depth"]))
    return [card.name + kind for card in able for kind in (CODES, "") if kind or card.architecture["side"] <= LARGEST]


def load_features_task(name: str, assets: Path = zoo.ASSETS) -> Task:
    """The task of that name, "features/robust-stage4" over pixels or with `CODES` at its end over codes, with every Θ for it.

    Raises:
        UserError: there is no such task, or a model is missing or altered.
    """
    if name not in task_names(assets):
        raise UserError(f"There is no task {name!r}; there are: {', '.join(task_names(assets))}.")
    inverter = load_inverter(name.removesuffix(CODES), assets)
    return code_task(inverter, assets) if name.endswith(CODES) else pixel_task(inverter, assets)


def pixel_task(inverter: Inverter, assets: Path = zoo.ASSETS) -> Task:
    """x are pixels before they are bounded; prior N(0, NOISE²)."""
    forward, side = Pixels(inverter.side), inverter.side
    prior = Prior(torch.zeros(3 * side * side), NOISE * torch.eye(3 * side * side))

    @torch.no_grad()
    def encode(pictures: Tensor) -> Tensor:
        return forward.inverse(inverter.model(pictures))

    return _task(inverter, inverter.name, forward, prior, encode, assets)


def code_task(inverter: Inverter, assets: Path = zoo.ASSETS) -> Task:
    """x are codes; the prior is the Gaussian of training pictures' codes."""

    @torch.no_grad()
    def encode(pictures: Tensor) -> Tensor:
        return inverter.model.encoder(pictures).flatten(1)

    forward = Codes(inverter.model, inverter.side).eval()
    return _task(inverter, inverter.name + CODES, forward, inverter.codes, encode, assets)


def _task(
    inverter: Inverter, name: str, forward: nn.Module, prior: Prior, encode: Callable[[Tensor], Tensor], assets: Path
) -> Task:
    learned, over_codes = thetas(f"{name}{THETA}", prior, assets), name.endswith(CODES)
    usual = CODE_ADAM if over_codes else PIXEL_ADAM
    codes = Codes(inverter.model, inverter.side).eval()

    def drawn(n: int, generator: torch.Generator) -> Target:
        return Target(codes(inverter.codes.sample(n, generator)))

    return Task(
        name=name,
        forward=forward,
        prior=prior,
        objective=FeatureObjective(inverter.model),
        mappings=learned.spaces or {RANDOM: random_mapping(prior)},
        encode=encode,
        hashes={**inverter.hashes, **learned.hashes},
        advised={X: usual, RANDOM: usual, **learned.advised},
        tuned={**learned.tuned, X: CODES_TUNED} if over_codes else learned.tuned,
        samples=drawn,
        side=inverter.side,
    )
