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
        """Every x (k, 2) with the lowest |F(x) - y|² for one y (m,), angles in [-π, π)."""
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

    def __init__(self, along: float = 0.3, across: float = 3.0) -> None:
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
    """(B, 2) -> (B, 4): y = (x1, x2, h sin(k x1), h sin(k x2)). The loss is a bowl with spikes and, where h k is well above
    1, local minima between them."""

    def __init__(self, height: float = 0.4, waves: float = 5.0) -> None:
        super().__init__()
        self.height, self.waves = height, waves

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.height * torch.sin(self.waves * x)], dim=1)

    def minimisers(self, y: Tensor) -> Tensor:
        """The one x (1, 2) with F(x) = y, for a y that F can make."""
        return y[None, :2]


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
