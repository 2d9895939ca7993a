"""Batch normalisation of a batch that several processes share."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from landscape_core import processes


class SharedNorm(nn.BatchNorm2d):
    """`BatchNorm2d` whose mean and variance in training are those of the maps (B, C, H, W) of all processes together, in at
    least float32.

    What torch has for this, `SyncBatchNorm`, runs on GPUs alone.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or processes.count() == 1:
            return super().forward(x)
        exact = x.to(torch.promote_types(x.dtype, torch.float32))
        n = processes.total(torch.tensor(float(x.numel() // x.shape[1]), dtype=exact.dtype, device=x.device))
        mean = processes.summed(exact.sum(dim=(0, 2, 3))) / n
        centred = exact - mean[:, None, None]
        variance = processes.summed(centred.square().sum(dim=(0, 2, 3))) / n
        self._remember(mean.detach(), variance.detach() * n / (n - 1.0))
        scaled = centred * torch.rsqrt(variance + self.eps)[:, None, None]
        if self.affine:
            scaled = scaled * self.weight[:, None, None] + self.bias[:, None, None]
        return scaled.to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics on, as `BatchNorm2d` does: without a momentum they are means over all batches."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        step = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean), step)
        self.running_var.lerp_(variance.to(self.running_var), step)
