"""Numbers for the shape of a surface, so that pictures need not be believed: convexity, minima, barriers, roughness, steepness.

All of them take losses f (n, n) on a grid and count lengths in half-widths of it, so that the grid is [-1, 1]² with
spacing h = 2 / (n - 1). They are computed in double precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

_ROUNDING = 8 * 1.2e-7  # a second difference of float32 losses is uncertain by this share of their size


@dataclass(frozen=True)
class Measures:
    """Every measure of one surface; `depth` is its range, max f - min f."""

    convex_share: float
    minima: int
    peaks: int
    barrier: float
    roughness: float
    steepness: float
    depth: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def measure(losses: Tensor) -> Measures:
    """All measures of a surface (n, n).

    Raises:
        ValueError: fewer than 5 points a side, not square, or a value that is not finite.
    """
    if losses.dim() != 2 or losses.shape[0] != losses.shape[1] or losses.shape[0] < 5:
        raise ValueError(f"a surface has shape (n, n) with n >= 5, not {tuple(losses.shape)}")
    if not bool(torch.isfinite(losses).all()):
        raise ValueError("the surface has points that are unknown or not finite")
    f = losses.double()
    depth = float(f.max() - f.min())
    return Measures(convex_share(f), local_minima(f), local_minima(-f), barrier(f), roughness(f), steepness(f), depth)


def convex_share(f: Tensor) -> float:
    """Share of inner points whose discrete Hessian is positive semidefinite.

    With central differences of spacing h: f_uu = (f(+,0) - 2 f + f(-,0)) / h², f_vv likewise,
    f_uv = (f(+,+) - f(+,-) - f(-,+) + f(-,-)) / 4h²; the smaller eigenvalue must not be below zero by more than
    float32 rounding of f. Convexity does not depend on the scale of either axis.
    """
    f = f.double()
    h = 2.0 / (len(f) - 1)
    mid = f[1:-1, 1:-1]
    uu = (f[2:, 1:-1] - 2 * mid + f[:-2, 1:-1]) / h**2
    vv = (f[1:-1, 2:] - 2 * mid + f[1:-1, :-2]) / h**2
    uv = (f[2:, 2:] - f[2:, :-2] - f[:-2, 2:] + f[:-2, :-2]) / (4 * h**2)
    smaller = (uu + vv) / 2 - torch.sqrt(((uu - vv) / 2).square() + uv.square())
    return float((smaller >= -_ROUNDING * f.abs().max() / h**2).double().mean())


def local_minima(f: Tensor) -> int:
    """Inner points lower than all eight neighbours. A point of the edge is none: what lies beyond is unknown."""
    f = f.double()
    neighbours = F.unfold(f[None, None], 3)[0]  # (9, (n - 2)²), the point itself in the middle row
    others = torch.cat([neighbours[:4], neighbours[5:]])
    return int((neighbours[4] < others.min(dim=0).values).sum())


def barrier(f: Tensor) -> float:
    """How high a descent would have to climb out of a valley into a deeper one: the mean over all valleys but the deepest, as a
    share of the surface's depth; 0 where there is one valley.

    A valley ends where it meets a deeper one as the level rises, over all eight neighbours: where branches of the merge tree
    join. The mean is Landscaper's saddle-minimum average distance. A valley cut by the edge counts as it is seen.
    """
    from skimage.morphology import max_tree

    f = f.double()
    depth = float(f.max() - f.min())
    parents, order = (each.ravel() for each in max_tree(-f.numpy(), connectivity=2))
    level = -f.flatten().numpy()
    top, heights = level.copy(), []  # of -f, whose peaks are f's valleys; `top` is each node's highest peak so far
    for node in order[:0:-1]:  # from the peaks to the root, which is left out
        below = parents[node]
        heights.append(min(top[node], top[below]) - level[below])
        top[below] = max(top[node], top[below])
    found = [height for height in heights if height > _ROUNDING * float(f.abs().max())]
    return float(np.mean(found)) / depth if found else 0.0


def roughness(f: Tensor) -> float:
    """1 - R² of the best quadratic: the share of the surface's variance that no a + b·u + uᵀCu explains, in [0, 1]."""
    f = f.double()
    tick = torch.linspace(-1.0, 1.0, len(f), dtype=torch.float64)
    u, v = (axis.flatten() for axis in torch.meshgrid(tick, tick, indexing="ij"))
    terms = torch.stack([torch.ones_like(u), u, v, u * u, u * v, v * v], dim=1)  # (n², 6)
    flat = f.flatten()
    residual = flat - terms @ torch.linalg.lstsq(terms, flat).solution
    variance = (flat - flat.mean()).square().sum()
    return float(residual.square().sum() / variance) if float(variance) > 0 else 0.0


def steepness(f: Tensor) -> float:
    """Mean length of the gradient over inner points, by central differences: loss per half-width of the grid."""
    f = f.double()
    h = 2.0 / (len(f) - 1)
    du = (f[2:, 1:-1] - f[:-2, 1:-1]) / (2 * h)
    dv = (f[1:-1, 2:] - f[1:-1, :-2]) / (2 * h)
    return float(torch.sqrt(du.square() + dv.square()).mean())


@dataclass(frozen=True)
class Spread:
    """A figure over n examples: mean, standard deviation, and the 95 % t interval of the mean."""

    n: int
    mean: float
    deviation: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Mean, spread and 95 % t interval of at least two values."""
    if len(values) < 2:
        raise ValueError("a spread needs at least two values")
    from scipy import stats

    array: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    mean, deviation = float(array.mean()), float(array.std(ddof=1))
    half = float(stats.t.ppf(0.975, len(array) - 1)) * deviation / len(array) ** 0.5
    return Spread(len(array), mean, deviation, mean - half, mean + half)
