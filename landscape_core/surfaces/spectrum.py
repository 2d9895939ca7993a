"""The whole spectrum of a Hessian, not only its ends: stochastic Lanczos quadrature (Golub & Meurant 1994).

k products H v from one random v give k Ritz values and weights whose density stands for that of all eigenvalues. Of few
dimensions the eigenvalues themselves are taken. What is said of a spectrum does not depend on the unit of the variable.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from landscape_core.surfaces.hessian import Product

_NOUGHT = 1e-4  # a value smaller than this share of the largest has no sign


@dataclass(frozen=True)
class Spectrum:
    """Values (n, k) of n Hessians, ascending, and the share (n, k) of all eigenvalues that each stands for."""

    values: Tensor
    weights: Tensor

    def largest(self) -> Tensor:
        """The largest eigenvalue in size (n,)."""
        return self.values.abs().amax(dim=1)

    def negative_share(self) -> Tensor:
        """The share (n,) of directions in which the loss curves down."""
        below = self.values < -_NOUGHT * self.largest()[:, None]
        return (self.weights * below).sum(dim=1)

    def condition(self) -> Tensor:
        """The largest eigenvalue over the median one, both in size (n,); 1 is a round bowl. Over the smallest, as the condition
        number is defined, it would only say that some direction is flat."""
        sizes, order = self.values.abs().sort(dim=1)
        reached = self.weights.gather(1, order).cumsum(dim=1)
        middle = (reached < 0.5 * reached[:, -1:]).sum(dim=1, keepdim=True)
        return self.largest() / sizes.gather(1, middle).squeeze(1).clamp_min(1e-30)

    def roundness(self) -> Tensor:
        """(mean λ)² / mean λ² (n,): 1 where all eigenvalues are one, 1/d where there is but one in d directions."""
        mean, square = ((self.weights * each).sum(dim=1) for each in (self.values, self.values.square()))
        return mean.square() / square.clamp_min(1e-30)


def spectrum(product: Product, like: Tensor, *, products: int, seed: int = 0) -> Spectrum:
    """Of the Hessians behind `product`, for variables shaped like (n, d), by so many products; exactly, where d is no more."""
    if like.shape[1] <= products:
        return _exact(product, like)
    start = torch.randn(like.shape, generator=torch.Generator().manual_seed(seed)).to(like)
    return _lanczos(product, start, products)


def _exact(product: Product, like: Tensor) -> Spectrum:
    rows = [product(direction.expand_as(like)) for direction in torch.eye(like.shape[1]).to(like)]
    matrix = torch.stack(rows, dim=1).cpu().double()  # some devices have no float64
    values = torch.linalg.eigvalsh((matrix + matrix.mT) / 2)
    return Spectrum(values, torch.full_like(values, 1.0 / values.shape[1]))


def _lanczos(product: Product, start: Tensor, steps: int) -> Spectrum:
    """Lanczos' method from n vectors (n, d) at once, every new direction made orthogonal to all earlier ones twice."""
    basis = [start / start.norm(dim=1, keepdim=True)]
    diagonal, beside = [], []
    for step in range(steps):
        image = product(basis[-1])
        diagonal.append((image * basis[-1]).sum(dim=1))
        known = torch.stack(basis, dim=1)  # (n, k, d)
        for _ in range(2):
            image = image - torch.einsum("nkd,nk->nd", known, torch.einsum("nkd,nd->nk", known, image))
        if step + 1 < steps:
            beside.append(image.norm(dim=1))
            basis.append(image / beside[-1][:, None].clamp_min(1e-30))
    a, b = torch.stack(diagonal, dim=1).cpu().double(), torch.stack(beside, dim=1).cpu().double()
    values, vectors = torch.linalg.eigh(torch.diag_embed(a) + torch.diag_embed(b, 1) + torch.diag_embed(b, -1))
    return Spectrum(values, vectors[:, 0].square())
