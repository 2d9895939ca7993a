"""Mapping networks Θ: Z -> X. The paper's MLP, and a residual one whose untrained form is whitened X."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from landscape_core.spaces import Prior

_SLOPE = 0.2


@dataclass(frozen=True)
class MappingConfig:
    """Θ's architecture. `paper` is section 7.1: three layers, leaky ReLU 0.2, hidden 1024, Z = X = 512."""

    kind: Literal["mlp", "residual"] = "residual"
    z_dim: int = 512
    x_dim: int = 512
    hidden: int = 1024
    layers: int = 3

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
    """x = mean + A (S z + MLP(z)).

    A holds the principal axes of F's inputs scaled by their spread, so a unit of z is one standard deviation
    along each. The MLP's last layer starts at zero: untrained, Θ is whitened X, so a trained Θ can only have
    departed from it for a gain, and far from the data the skip keeps every x reachable. S is a learned
    diagonal (log-parametrised): how far one unit of each z moves.
    """

    def __init__(self, config: MappingConfig, prior: Prior) -> None:
        super().__init__()
        if config.z_dim != config.x_dim:
            raise ValueError("a residual mapping needs z_dim == x_dim; use kind='mlp' for another dimension of Z")
        self.register_buffer("mean", prior.mean.clone())
        self.register_buffer("factor", prior.factor.clone())
        self.log_scale = nn.Parameter(torch.zeros(config.z_dim))
        self.mlp = MLP(config.z_dim, config.x_dim, config.hidden, config.layers)
        for parameter in self.mlp.layers[-1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, z: Tensor) -> Tensor:
        whitened = z * self.log_scale.exp() + self.mlp(z)
        return self.get_buffer("mean") + whitened @ self.get_buffer("factor").T


def build_mapping(config: MappingConfig, prior: Prior, *, seed: int = 0) -> nn.Module:
    """A fresh Θ with weights fixed by `seed`; untrained, an 'mlp' is the paper's "random Θ"."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return (MLPMapping if config.kind == "mlp" else ResidualMapping)(config, prior)
