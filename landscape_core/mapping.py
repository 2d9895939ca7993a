"""Mapping networks Θ: Z -> X. The paper's MLP, and a residual one that starts as X with the loss's curvature taken out."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from landscape_core.spaces import Prior

_SLOPE = 0.2


@dataclass(frozen=True)
class MappingConfig:
    """Θ's architecture. `paper` is section 7.1: three layers, leaky ReLU 0.2, hidden 1024, Z = X = 512.

    `gain` is the scale that a "skip" mapping starts with.
    """

    kind: Literal["mlp", "residual", "skip"] = "residual"
    z_dim: int = 512
    x_dim: int = 512
    hidden: int = 1024
    layers: int = 3
    gain: float = 1.0

    @staticmethod
    def paper(x_dim: int = 512, z_dim: int = 512, hidden: int = 1024) -> MappingConfig:
        return MappingConfig("mlp", z_dim, x_dim, hidden)


class MLP(nn.Module):
    """(B, n_in) -> (B, n_out) with leaky ReLUs between linear layers."""

    def __init__(self, n_in: int, n_out: int, hidden: int, layers: int) -> None:
        super().__init__()
        widths = [n_in, *[hidden] * (layers - 1), n_out]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(widths))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = F.leaky_relu(layer(x), _SLOPE)
        return self.layers[-1](x)


class MLPMapping(nn.Module):
    """x = mean + MLP(z), the paper's Θ. Adding the constant mean only moves the last bias's starting value."""

    def __init__(self, config: MappingConfig, prior: Prior) -> None:
        super().__init__()
        self.register_buffer("mean", prior.mean.clone())
        self.mlp = MLP(config.z_dim, config.x_dim, config.hidden, config.layers)

    def forward(self, z: Tensor) -> Tensor:
        return self.get_buffer("mean") + self.mlp(z)


class ResidualMapping(nn.Module):
    """x = mean + A (S z + MLP(z)), with A the whitener of the loss's mean curvature (`curvature.py`).

    The MLP's last layer starts at zero: before Algorithm 1, Θ is X with the curvature taken out, where one step of
    descent goes most of the way; the skip keeps every x reachable, also far from the data. S is a learned
    diagonal (log-parametrised).
    """

    def __init__(self, config: MappingConfig, prior: Prior, whitener: Tensor | None = None) -> None:
        super().__init__()
        if config.z_dim != config.x_dim:
            raise ValueError("a residual mapping needs z_dim == x_dim; use kind='mlp' for another dimension of Z")
        self.register_buffer("mean", prior.mean.clone())
        self.register_buffer("whitener", torch.eye(config.x_dim) if whitener is None else whitener.clone())
        self.log_scale = nn.Parameter(torch.zeros(config.z_dim))
        self.mlp = MLP(config.z_dim, config.x_dim, config.hidden, config.layers)
        for parameter in self.mlp.layers[-1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, z: Tensor) -> Tensor:
        white = z * self.log_scale.exp() + self.mlp(z)
        return self.get_buffer("mean") + white @ self.get_buffer("whitener").T


class SkipMapping(nn.Module):
    """x = mean + S z + MLP(z), for a Z too large for a whitener: S is a learned diagonal that starts at `gain`.

    The MLP's last layer starts at zero: before Algorithm 1, Θ is X searched at `gain` times the learning rate.
    """

    def __init__(self, config: MappingConfig, prior: Prior) -> None:
        super().__init__()
        if config.z_dim != config.x_dim:
            raise ValueError("a skip mapping needs z_dim == x_dim; use kind='mlp' for another dimension of Z")
        self.register_buffer("mean", prior.mean.clone())
        self.log_scale = nn.Parameter(torch.full((config.z_dim,), math.log(config.gain)))
        self.mlp = MLP(config.z_dim, config.x_dim, config.hidden, config.layers)
        for parameter in self.mlp.layers[-1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, z: Tensor) -> Tensor:
        return self.get_buffer("mean") + z * self.log_scale.exp() + self.mlp(z)


def build_mapping(config: MappingConfig, prior: Prior, *, whitener: Tensor | None = None, seed: int = 0) -> nn.Module:
    """A fresh Θ with weights fixed by `seed`; untrained, an 'mlp' is the paper's "random Θ".

    `whitener` (d, d) is for a residual Θ alone; without one it starts as X itself.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if config.kind == "skip":
            return SkipMapping(config, prior)
        return MLPMapping(config, prior) if config.kind == "mlp" else ResidualMapping(config, prior, whitener)
