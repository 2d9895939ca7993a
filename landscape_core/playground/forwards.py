"""Forward models of two inputs, and the inputs that minimise their loss wherever a formula gives them."""

from __future__ import annotations

import math
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

NETWORK_OUTPUTS = 3


@runtime_checkable
class Solved(Protocol):
    """A forward model whose solutions are known."""

    def minimisers(self, y: Tensor) -> Tensor:
        """Every x (k, 2) with the lowest |F(x) - y|² for one y (m,), within the drawn part of X."""
        ...


class TwoLinkArm(nn.Module):
    """Joint angles (B, 2) in radians -> the hand's position (B, 2).

    y = l1 (cos x1, sin x1) + l2 (cos(x1 + x2), sin(x1 + x2)). Periodic, and a position within reach has two solutions:
    elbow up and elbow down.
    """

    def __init__(self, upper: float = 1.0, fore: float = 0.7) -> None:
        super().__init__()
        self.upper, self.fore = upper, fore

    def forward(self, x: Tensor) -> Tensor:
        return self.elbow(x) + self.fore * _direction(x[:, 0] + x[:, 1])

    def elbow(self, x: Tensor) -> Tensor:
        """Where the elbow is: (B, 2)."""
        return self.upper * _direction(x[:, 0])

    def minimisers(self, y: Tensor) -> Tensor:
        """By the law of cosines, angles in [-π, π). Out of reach, the arm points at y stretched or folded: one solution."""
        cosine = (y.square().sum() - self.upper**2 - self.fore**2) / (2 * self.upper * self.fore)
        bends = torch.acos(cosine.clamp(-1.0, 1.0)) * y.new_tensor([1.0, -1.0])
        if bool(cosine.abs() >= 1.0):
            bends = bends[:1]
        shoulder = torch.atan2(y[1], y[0]) - torch.atan2(self.fore * bends.sin(), self.upper + self.fore * bends.cos())
        return torch.remainder(torch.stack([shoulder, bends], dim=1) + math.pi, 2 * math.pi) - math.pi


class CurvedValley(nn.Module):
    """(B, 2) -> (B, 2): y = (a x1, b (x2 - x1²)). The loss is Rosenbrock's: a narrow valley along a parabola."""

    def __init__(self, along: float = 1.0, across: float = 10.0) -> None:
        super().__init__()
        self.along, self.across = along, across

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self.along * x[:, 0], self.across * (x[:, 1] - x[:, 0].square())], dim=1)

    def straighten(self, y: Tensor) -> Tensor:
        """The inverse of F: (B, 2) -> (B, 2)."""
        first = y[:, 0] / self.along
        return torch.stack([first, y[:, 1] / self.across + first.square()], dim=1)

    def minimisers(self, y: Tensor) -> Tensor:
        """The one x (1, 2) with F(x) = y."""
        return self.straighten(y[None])


class Ripples(nn.Module):
    """(B, 2) -> (B, 2): y_i = x_i + h sin(k x_i). The loss is a bowl with spikes and, where h k > 1, local minima."""

    def __init__(self, height: float = 0.3, waves: float = 5.0, reach: float = 3.0) -> None:
        super().__init__()
        self.height, self.waves, self.reach = height, waves, reach

    def forward(self, x: Tensor) -> Tensor:
        return x + self.height * torch.sin(self.waves * x)

    def minimisers(self, y: Tensor) -> Tensor:
        """All pairs of the coordinates' own solutions, each found by bisection between two turning points of F."""
        first, second = (self._solutions(float(value)) for value in y)
        return torch.cartesian_prod(first, second).to(y)

    def _solutions(self, value: float) -> Tensor:
        """Every t in [-reach, reach] with t + h sin(k t) = value."""
        ends = self._turning_points()
        low, high = ends[:-1].clone(), ends[1:].clone()
        brackets = (self(low) - value) * (self(high) - value) <= 0
        low, high = low[brackets], high[brackets]
        for _ in range(60):
            middle = (low + high) / 2
            same = (self(middle) - value) * (self(low) - value) > 0
            low, high = torch.where(same, middle, low), torch.where(same, high, middle)
        return (low + high) / 2

    def _turning_points(self) -> Tensor:
        """Where F' = 1 + h k cos(k t) changes its sign, between the two ends: F is monotone from each to the next."""
        steepness = self.height * self.waves
        ends = torch.tensor([-self.reach, self.reach], dtype=torch.float64)
        if steepness <= 1.0:
            return ends
        angle = math.acos(-1.0 / steepness)
        turns = torch.arange(-math.ceil(self.reach * self.waves), math.ceil(self.reach * self.waves) + 1, dtype=torch.float64)
        points = torch.cat([(2 * math.pi * turns + angle), (2 * math.pi * turns - angle)]) / self.waves
        return torch.cat([ends, points[points.abs() < self.reach]]).sort().values


class SmallNetwork(nn.Module):
    """(B, 2) -> (B, 3): two tanh layers of random weights. Its outputs fill a curved sheet, so most y have no solution."""

    def __init__(self, seed: int = 0, hidden: int = 12, gain: float = 1.5) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(seed)
        for name, n_in, n_out in (("a", 2, hidden), ("b", hidden, hidden), ("c", hidden, NETWORK_OUTPUTS)):
            scale = gain / math.sqrt(n_in)
            self.register_buffer(name, scale * torch.randn(n_in, n_out, generator=random))

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.tanh(x @ self.get_buffer("a"))
        return torch.tanh(hidden @ self.get_buffer("b")) @ self.get_buffer("c")


def _direction(angle: Tensor) -> Tensor:
    """The unit vector (B, 2) at an angle (B,)."""
    return torch.stack([angle.cos(), angle.sin()], dim=1)
