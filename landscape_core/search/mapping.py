"""Mapping networks Θ: Z -> X. The paper's MLP, and ones that start as X with the loss's curvature taken out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from landscape_core.search.spaces import Prior, nearest

Activation = Literal["leaky-relu", "relu", "silu", "tanh", "softplus"]
_ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "leaky-relu": partial(F.leaky_relu, negative_slope=0.2), "relu": F.relu, "silu": F.silu, "tanh": torch.tanh,
    "softplus": F.softplus,
}  # fmt: skip


@dataclass(frozen=True)
class MappingConfig:
    """Θ's architecture. `paper` is section 7.1: three layers, leaky ReLU 0.2, hidden 1024, Z = X = 512.

    `gain` is the scale that a "skip" mapping starts with; a "flow" has `layers` couplings of one hidden layer each. Of a
    "residual" mapping, `hidden` 0 leaves the whitener alone, `bend` keeps the MLP to where the loss is steep, and the
    matrices are those of one of `blocks` equal parts of x (W+, where x is a w for every style).
    """

    kind: Literal["mlp", "residual", "skip", "flow"] = "residual"
    z_dim: int = 512
    x_dim: int = 512
    hidden: int = 1024
    layers: int = 3
    gain: float = 1.0
    activation: Activation = "leaky-relu"
    bend: bool = False
    blocks: int = 1

    @staticmethod
    def paper(x_dim: int = 512, z_dim: int = 512, hidden: int = 1024) -> MappingConfig:
        return MappingConfig("mlp", z_dim, x_dim, hidden)


def _as_large_as_x(config: MappingConfig) -> None:
    """Raises ValueError where Z and X differ in dimension: only an 'mlp' can map between them."""
    if config.z_dim != config.x_dim:
        raise ValueError(f"a {config.kind} mapping needs z_dim == x_dim; use kind='mlp' for another dimension of Z")


class MLP(nn.Module):
    """(B, n_in) -> (B, n_out) with an activation between linear layers."""

    def __init__(self, n_in: int, n_out: int, hidden: int, layers: int, activation: Activation = "leaky-relu") -> None:
        super().__init__()
        self.activation = _ACTIVATIONS[activation]
        widths = [n_in, *[hidden] * (layers - 1), n_out]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(widths))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.layers[-1](x)


class MLPMapping(nn.Module):
    """x = mean + MLP(z), the paper's Θ. Adding the constant mean only moves the last bias's starting value."""

    def __init__(self, config: MappingConfig, prior: Prior) -> None:
        super().__init__()
        self.register_buffer("mean", prior.mean.clone())
        self.mlp = MLP(config.z_dim, config.x_dim, config.hidden, config.layers, config.activation)

    def forward(self, z: Tensor) -> Tensor:
        return self.get_buffer("mean") + self.mlp(z)


class ResidualMapping(nn.Module):
    """x = mean + A (S z + B MLP(B z)), with A the whitener of the loss's mean curvature and B its `steepness` or I.

    The MLP's last layer starts at zero: before Algorithm 1, Θ is X with the curvature taken out, where one step of
    descent goes most of the way; the skip keeps every x reachable, also far from the data. S is a learned
    diagonal (log-parametrised). B keeps the MLP to the directions in which the loss is steep: in flat ones the loss does not
    teach it anything, AdamW moves it all the same, and a late search has to walk back what it added there.
    """

    def __init__(self, config: MappingConfig, prior: Prior, whitener: Tensor | None = None, bend: Tensor | None = None) -> None:
        super().__init__()
        _as_large_as_x(config)
        part = config.x_dim // config.blocks
        self.register_buffer("mean", prior.mean.clone())
        self.register_buffer("whitener", _or_identity(whitener, part))
        self.register_buffer("bend", _or_identity(bend, part) if config.bend else None)
        self.bend: Tensor | None
        self.log_scale = nn.Parameter(torch.zeros(config.z_dim))
        self.mlp: MLP | None = None
        if config.hidden:
            self.mlp = MLP(config.z_dim, config.x_dim, config.hidden, config.layers, config.activation)
            for parameter in self.mlp.layers[-1].parameters():
                nn.init.zeros_(parameter)

    def forward(self, z: Tensor) -> Tensor:
        return self.get_buffer("mean") + _by_blocks(z * self.log_scale.exp() + self._bent(z), self.get_buffer("whitener"))

    def _bent(self, z: Tensor) -> Tensor:
        """B MLP(B z)."""
        if self.mlp is None:
            return torch.zeros_like(z)
        bend = self.bend
        return self.mlp(z) if bend is None else _by_blocks(self.mlp(_by_blocks(z, bend)), bend)

    def inverse(self, x: Tensor) -> Tensor:
        """z (B, d) with Θ(z) = x (B, d): exact without an MLP. With one, least squares in the whitened space from the z that it
        would be without; where the MLP folds the space over, this is a nearest point."""
        white = _by_blocks(x - self.get_buffer("mean"), torch.linalg.inv(self.get_buffer("whitener")))
        scale = self.log_scale.exp().detach()
        if self.mlp is None:
            return white / scale
        return nearest(lambda z: z * scale + self._bent(z), white, white / scale)


def _or_identity(matrix: Tensor | None, dim: int) -> Tensor:
    return torch.eye(dim) if matrix is None else matrix.clone()


def _by_blocks(v: Tensor, matrix: Tensor) -> Tensor:
    """The matrix (d, d) on every d numbers of v (B, n d)."""
    return (v.unflatten(1, (-1, len(matrix))) @ matrix.T).flatten(1)


class Coupling(nn.Module):
    """Affine coupling (Dinh et al. 2017): the second half of the variables is scaled, by e at most, and shifted by what the
    first half says. Starts as the identity."""

    def __init__(self, dim: int, hidden: int, activation: Activation = "leaky-relu") -> None:
        super().__init__()
        self.kept = dim // 2
        self.mlp = MLP(self.kept, 2 * (dim - self.kept), hidden, 2, activation)
        for parameter in self.mlp.layers[-1].parameters():
            nn.init.zeros_(parameter)

    def _halves(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        kept, moved = x[:, : self.kept], x[:, self.kept :]
        log_scale, shift = self.mlp(kept).chunk(2, dim=1)
        return kept, moved, torch.tanh(log_scale), shift

    def forward(self, z: Tensor) -> Tensor:
        kept, moved, log_scale, shift = self._halves(z)
        return torch.cat([kept, moved * log_scale.exp() + shift], dim=1)

    def inverse(self, x: Tensor) -> Tensor:
        """The z (B, dim) that is mapped to x (B, dim)."""
        kept, moved, log_scale, shift = self._halves(x)
        return torch.cat([kept, (moved - shift) * (-log_scale).exp()], dim=1)


class FlowMapping(nn.Module):
    """x = mean + A f(z), with f an invertible flow of couplings in fixed random orders and A as in `ResidualMapping`.

    Surjective: every x has exactly one z, so that a search in Z can begin at any x, an encoder's guess say. f starts as the
    identity.
    """

    def __init__(self, config: MappingConfig, prior: Prior, whitener: Tensor | None = None) -> None:
        super().__init__()
        _as_large_as_x(config)
        self.register_buffer("mean", prior.mean.clone())
        self.register_buffer("whitener", _or_identity(whitener, config.x_dim))
        self.register_buffer("orders", torch.stack([torch.randperm(config.x_dim) for _ in range(config.layers)]))
        self.couplings = nn.ModuleList(Coupling(config.x_dim, config.hidden, config.activation) for _ in range(config.layers))

    def forward(self, z: Tensor) -> Tensor:
        for order, coupling in zip(self.get_buffer("orders"), self._flow(), strict=True):
            z = coupling(z[:, order])[:, order.argsort()]
        return self.get_buffer("mean") + z @ self.get_buffer("whitener").T

    def _flow(self) -> list[Coupling]:
        return [coupling for coupling in self.couplings if isinstance(coupling, Coupling)]

    def inverse(self, x: Tensor) -> Tensor:
        """The z (B, d) with Θ(z) = x (B, d), exactly."""
        white = torch.linalg.solve(self.get_buffer("whitener"), (x - self.get_buffer("mean")).T).T
        for order, coupling in zip(self.get_buffer("orders").flip(0), reversed(self._flow()), strict=True):
            white = coupling.inverse(white[:, order])[:, order.argsort()]
        return white


class SkipMapping(nn.Module):
    """x = mean + S z + MLP(z), for a Z too large for a whitener: S is a learned diagonal that starts at `gain`.

    The MLP's last layer starts at zero: before Algorithm 1, Θ is X searched at `gain` times the learning rate.
    """

    def __init__(self, config: MappingConfig, prior: Prior) -> None:
        super().__init__()
        _as_large_as_x(config)
        self.register_buffer("mean", prior.mean.clone())
        self.log_scale = nn.Parameter(torch.full((config.z_dim,), math.log(config.gain)))
        self.mlp = MLP(config.z_dim, config.x_dim, config.hidden, config.layers, config.activation)
        for parameter in self.mlp.layers[-1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, z: Tensor) -> Tensor:
        return self.get_buffer("mean") + z * self.log_scale.exp() + self.mlp(z)


def build_mapping(
    config: MappingConfig, prior: Prior, *, whitener: Tensor | None = None, bend: Tensor | None = None, seed: int = 0
) -> nn.Module:
    """A fresh Θ with weights fixed by `seed`; untrained, an 'mlp' is the paper's "random Θ".

    `whitener` (d, d) is for a residual Θ or a flow; without one these start as X itself. `bend` (d, d) is for a residual Θ.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        match config.kind:
            case "mlp":
                return MLPMapping(config, prior)
            case "skip":
                return SkipMapping(config, prior)
            case "flow":
                return FlowMapping(config, prior, whitener)
            case "residual":
                return ResidualMapping(config, prior, whitener, bend)
