"""The Gaussian of an encoder's codes: where in W real pictures lie, and where pictures are drawn from while training."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from landscape_core import processes
from landscape_core.generators.training.quality import Draw
from landscape_core.search.spaces import Prior


class CodeStatistics(nn.Module):
    """Mean, principal axes and spread (floored) of the encoder's codes on real pictures."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("axes", torch.eye(dim))
        self.register_buffer("std", torch.ones(dim))

    def refresh(self, codes: Tensor) -> None:
        """Measure on codes (n, dim). Spreads below 1/20 of the largest count as that much. Of several processes all take what
        the main one measured: an axis points either way."""
        variance, axes = torch.linalg.eigh(torch.cov(codes.T.double()))
        std = variance.clamp_min(0.0).sqrt()
        self.get_buffer("mean").copy_(codes.mean(dim=0))
        self.get_buffer("axes").copy_(axes)
        self.get_buffer("std").copy_(torch.maximum(std, std.max() / 20))
        for buffer in self.buffers():
            buffer.copy_(processes.same(buffer))

    def color(self, noise: Tensor) -> Tensor:
        """Standard normal (n, dim) -> the Gaussian of the codes."""
        return self.get_buffer("mean") + (noise * self.get_buffer("std")) @ self.get_buffer("axes").T

    def prior(self) -> Prior:
        """This Gaussian, longest axis first."""
        factor = self.get_buffer("axes") * self.get_buffer("std")
        return Prior(self.get_buffer("mean").cpu(), factor.flip(1).cpu())

    def drawing(self, picture: Callable[[Tensor], Tensor], seed: int) -> Draw:
        """Samples of `picture(w)` from a random stream of their own, k at a time.

        The noise is along the axes of W, not the principal ones, which turn: so the same noise stays the same picture.
        """
        mean = self.get_buffer("mean")
        random = torch.Generator().manual_seed(seed)

        @torch.no_grad()
        def draw(n: int) -> Tensor:
            noise = torch.randn(n, len(mean), generator=random).to(mean.device)
            return picture(self.color(noise @ self.get_buffer("axes"))).float().cpu()

        return draw
