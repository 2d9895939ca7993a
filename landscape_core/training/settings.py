"""Settings of Algorithm 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from landscape_core.search.momentum import Momentum
from landscape_core.search.optimizers import LBFGS, Adam, GradientDescent
from landscape_core.search.updates import Optimizer


@dataclass(frozen=True)
class MappingTraining:
    """Settings of Algorithm 1. Defaults are the paper's (section 7.1): T·N draws per buffer, one at a time.

    `batch` draws are averaged in one update, and a buffer still takes T·N draws. With mode "online" θ is
    updated along the rollout on the z just reached, without a buffer ("without AO and buffer" in Table 2).
    `keep_start` also puts z_0 into the buffer: without it nothing holds Θ(0), and it drifts to where no
    descent should begin. `start` is the standard deviation of z_0: 0 starts at the origin, as Algorithm 1 prints; section
    7.3 starts at random. With `weighting` ε each draw weighs 1 / (L + ε), which is the gradient of log(L + ε): the last, small
    losses then count as much as the first, large ones.
    """

    buffers: int = 500
    targets: int = 256
    steps: int = 20
    batch: int = 1
    z_lr: float = 0.1
    z_optimizer: Literal["adam", "gd", "momentum", "lbfgs"] = "adam"
    lr: float = 1e-4
    weight_decay: float = 0.1
    rollout_chunk: int = 64
    keep_start: bool = False
    start: float = 0.0
    mode: Literal["alternating", "online"] = "alternating"
    decay_from: float = 1.0
    bf16: bool = False
    weighting: float | None = None
    seed: int = 0

    def descent(self) -> Optimizer:
        """The optimiser that collects trajectories."""
        kinds = {"adam": Adam, "gd": GradientDescent, "momentum": Momentum, "lbfgs": LBFGS}
        return kinds[self.z_optimizer](self.z_lr)

    def autocast(self, device: torch.device) -> torch.autocast:
        """The precision of passes through Θ and F."""
        return torch.autocast(device.type, dtype=torch.bfloat16, enabled=self.bf16)
