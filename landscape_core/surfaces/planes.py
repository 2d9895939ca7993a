"""Planes through a search space, for looking at a loss in two of its hundreds of dimensions (appendix A)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from landscape_core.errors import UserError

_PARALLEL = 1e-4  # below this share of the longest direction, two directions span a line, not a plane


class StoppedError(Exception):
    """Somebody asked to stop before there was a plane; the text says before what."""


@dataclass(frozen=True)
class Plane:
    """The points origin + u · axes, u in R²: origin (d,), axes (2, d) orthonormal, in the variables of `space`.

    `explained` is the share of the variance of the points the axes were fitted to, per axis; None for a plane
    that was not fitted. `spread` (2,) is those points' standard deviation along each axis. `curvature` is the loss's second
    derivative along each axis at the origin, for a plane that was chosen by it.
    """

    origin: Tensor
    axes: Tensor
    space: str
    explained: tuple[float, float] | None = None
    spread: Tensor | None = None
    curvature: tuple[float, float] | None = None

    def at(self, coordinates: Tensor) -> Tensor:
        """Points (n, d) of coordinates (n, 2)."""
        return self.origin + coordinates @ self.axes

    def project(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Coordinates (n, 2) of the nearest points on the plane to points (n, d), and the distances (n,) to them."""
        offset = points - self.origin
        coordinates = offset @ self.axes.T
        return coordinates, (offset - coordinates @ self.axes).norm(dim=1)

    def through(self, origin: Tensor) -> Plane:
        """The parallel plane through another point (d,)."""
        return replace(self, origin=origin)


def principal_plane(points: Tensor, space: str, origin: Tensor | None = None) -> Plane:
    """The plane of the two principal directions of points (n, d): appendix A with the recovered latents, or PCA
    of one run with its path. It goes through `origin` (d,), by default the last point.

    Raises:
        UserError: fewer than three points, or all the same or on one line.
    """
    if len(points) < 3:
        raise UserError("A plane of principal directions needs at least three points: take two steps or more.")
    from sklearn.decomposition import PCA

    if bool((points == points[0]).all()):
        raise UserError("These points are all the same, so that they define no plane; take more steps.")
    pca = PCA(2, svd_solver="full").fit(points.cpu().double().numpy())
    variance, ratio = pca.explained_variance_, pca.explained_variance_ratio_
    if variance[1] <= (_PARALLEL**2) * variance[0]:
        raise UserError("These points lie on one line, so that they define no plane; take more steps.")
    return Plane(
        origin=points[-1] if origin is None else origin,
        axes=torch.from_numpy(pca.components_).to(points),
        space=space,
        explained=(float(ratio[0]), float(ratio[1])),
        spread=torch.from_numpy(variance).sqrt().to(points),
    )


def plane_through(a: Tensor, b: Tensor, c: Tensor, space: str) -> Plane:
    """The plane through three points (d,): origin a, first axis towards b, second towards c's side.

    Raises:
        UserError: the points lie on one line.
    """
    first, second = (b - a).cpu().double(), (c - a).cpu().double()  # some devices have no float64
    longest = max(float(first.norm()), float(second.norm()))
    across = second - first * (second @ first) / first.square().sum().clamp_min(1e-300)
    if float(first.norm()) <= _PARALLEL * longest or float(across.norm()) <= _PARALLEL * longest:
        raise UserError("The start and the two ends lie on one line, so that they define no plane; take more steps.")
    axes = torch.stack([first / first.norm(), across / across.norm()]).to(a)
    return Plane(a, axes, space)


def random_plane(origin: Tensor, space: str, generator: torch.Generator) -> Plane:
    """Two orthonormal directions drawn uniformly, through `origin` (d,): what a plane shows that nobody chose."""
    directions = torch.randn(2, len(origin), generator=generator, dtype=torch.float64)
    axes, _ = torch.linalg.qr(directions.T)
    return Plane(origin, axes.T.to(origin), space)


@dataclass(frozen=True)
class Grid:
    """size x size points of a plane: centre + half · [-1, 1]², in plane coordinates. `size` is odd, so that the
    centre is a point of the grid."""

    plane: Plane
    half: tuple[float, float]
    centre: tuple[float, float] = (0.0, 0.0)
    size: int = 41

    def __post_init__(self) -> None:
        if self.size < 3 or self.size % 2 == 0:
            raise ValueError(f"a grid has an odd number of points along each side, at least 3, not {self.size}")
        if not all(half > 0 for half in self.half):
            raise ValueError(f"a grid has a positive extent along both axes, not {self.half}")

    def ticks(self) -> tuple[Tensor, Tensor]:
        """Coordinates (size,) along the first axis and along the second; the centre is exact."""
        unit = torch.arange(-(self.size // 2), self.size // 2 + 1) / (self.size // 2)
        return self.centre[0] + self.half[0] * unit, self.centre[1] + self.half[1] * unit

    def coordinates(self) -> Tensor:
        """(size, size, 2): entry [i, j] is (first axis tick i, second axis tick j)."""
        return torch.stack(torch.meshgrid(*self.ticks(), indexing="ij"), dim=2)


def extent(coordinates: Tensor, *, at_least: tuple[float, float] = (0.0, 0.0), margin: float = 1.2) -> tuple[float, float]:
    """Half-widths of a grid around the origin that holds coordinates (n, 2) with a margin.

    A direction along which nothing moves gets a tenth of the other's width, so that the grid stays a surface.
    """
    reach = margin * coordinates.abs().max(dim=0).values
    u, v = max(float(reach[0]), at_least[0]), max(float(reach[1]), at_least[1])
    longest = max(u, v)
    if longest <= 0:
        raise UserError("The run has not moved, so there is nothing to lay a grid over; take at least one step.")
    return max(u, 0.1 * longest), max(v, 0.1 * longest)


def grid_over(plane: Plane, coordinates: Tensor, *, size: int = 41, margin: float = 1.2) -> Grid:
    """The grid centred on the middle of coordinates (n, 2) that holds them with a margin."""
    low, high = coordinates.min(dim=0).values, coordinates.max(dim=0).values
    middle = (low + high) / 2
    return Grid(plane, extent(coordinates - middle, margin=margin), (float(middle[0]), float(middle[1])), size)
