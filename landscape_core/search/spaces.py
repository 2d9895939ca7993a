"""Search spaces: what the variable being descended into means. X is the input of F itself, Z goes through Θ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

Start = Literal["mean", "random", "encoder"]


@dataclass(frozen=True)
class Prior:
    """What is known of F's inputs before anything is observed: a Gaussian with `mean` (d,) and factor A (d, d),
    so that x = mean + A n with n ~ N(0, I)."""

    mean: Tensor
    factor: Tensor

    def sample(self, n: int, generator: torch.Generator, *, truncation: float = 1.0) -> Tensor:
        """n independent inputs (n, d); with `truncation` below 1 nearer to the mean, where a generator's pictures are cleaner
        and more alike (Karras et al. 2019)."""
        noise = torch.randn(n, self.factor.shape[1], generator=generator).to(self.mean.device)
        return self.mean + truncation * noise @ self.factor.T

    def root(self) -> Tensor:
        """The symmetric root (d, d) of the covariance A Aᵀ."""
        variance, axes = torch.linalg.eigh((self.factor @ self.factor.T).cpu().double())  # some devices have no float64
        return ((axes * variance.clamp_min(0.0).sqrt()) @ axes.T).to(self.factor)

    def precision(self) -> Tensor:
        """The inverse (d, d) of the covariance, with a ten-thousandth of its mean added, scaled to a mean diagonal of 1."""
        covariance = (self.factor @ self.factor.T).cpu().double()
        ridge = 1e-4 * covariance.diagonal().mean() * torch.eye(len(covariance), dtype=torch.float64)
        inverse = torch.linalg.inv(covariance + ridge)
        return (inverse / inverse.diagonal().mean()).to(self.factor)

    def to(self, device: torch.device | str) -> Prior:
        """The same Gaussian on another device."""
        return Prior(self.mean.to(device), self.factor.to(device))

    @staticmethod
    def of(samples: Tensor) -> Prior:
        """The Gaussian of the given inputs (n, d), with the principal axes, longest first, as columns of A."""
        mean = samples.mean(dim=0)
        covariance = torch.cov(samples.T.cpu().double())
        variance, axes = torch.linalg.eigh(covariance)
        factor = (axes * variance.clamp_min(0.0).sqrt()).flip(1)
        return Prior(mean, factor.to(samples))


@runtime_checkable
class SearchSpace(Protocol):
    """Anything a solver can descend in. Variables are (B, dim); inputs of F are (B, d)."""

    @property
    def dim(self) -> int: ...

    def to_x(self, variable: Tensor) -> Tensor:
        """Differentiable map from variables (B, dim) to inputs of F (B, d)."""
        ...

    def mean_start(self, n: int) -> Tensor:
        """The same starting variable n times: the origin of the space."""
        ...

    def at(self, x: Tensor) -> Tensor:
        """Variables whose image is x (B, d), or the nearest to it that the space can reach."""
        ...


@runtime_checkable
class Invertible(Protocol):
    """A mapping Z -> X that knows its way back, at least where it is one to one."""

    def inverse(self, x: Tensor) -> Tensor:
        """The z (B, dim) that is mapped to x (B, d), or nearly."""
        ...


class XSpace:
    """Descent in the inputs of F: x = mean + v (the baseline of Eq. 4)."""

    def __init__(self, prior: Prior) -> None:
        self.prior = prior

    @property
    def dim(self) -> int:
        return len(self.prior.mean)

    def to_x(self, variable: Tensor) -> Tensor:
        return self.prior.mean + variable

    def mean_start(self, n: int) -> Tensor:
        return self.prior.mean.new_zeros(n, self.dim)

    def at(self, x: Tensor) -> Tensor:
        return x - self.prior.mean


class ZSpace:
    """Descent in Z through a mapping network: x = Θ(z) (Eq. 2 and 4)."""

    def __init__(self, mapping: nn.Module, dim: int) -> None:
        self.mapping = mapping.eval().requires_grad_(False)
        self._dim = dim
        self._device = next(mapping.parameters()).device

    @property
    def dim(self) -> int:
        return self._dim

    def to_x(self, variable: Tensor) -> Tensor:
        return self.mapping(variable)

    def mean_start(self, n: int) -> Tensor:
        return torch.zeros(n, self.dim, device=self._device)

    def at(self, x: Tensor) -> Tensor:
        """Θ's own way back where it has one. Otherwise least squares from z = 0: such a Θ need not be surjective, so this is a
        nearest point."""
        if isinstance(self.mapping, Invertible):
            return self.mapping.inverse(x).detach()
        return nearest(self.mapping, x, self.mean_start(len(x)))


def nearest(function: Callable[[Tensor], Tensor], value: Tensor, start: Tensor, *, steps: int = 100) -> Tensor:
    """Arguments (B, n) that make a function's values nearest to `value` (B, m): least squares by L-BFGS from `start` (B, n)."""
    argument = start.detach().clone().requires_grad_()
    optimizer = torch.optim.LBFGS([argument], max_iter=steps, history_size=20, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        error = (function(argument) - value).square().sum()
        error.backward()
        return error

    with torch.enable_grad():
        optimizer.step(closure)
    return argument.detach()
