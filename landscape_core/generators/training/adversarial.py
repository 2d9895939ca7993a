"""What the two adversarial stages share: progress and checkpoint, precision, noise, annealing, averaged networks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from landscape_core.training.checkpoint import Checkpoint


class AdversarialConfig(Protocol):
    """The settings that both stages have; `images` counts pictures shown to the critics."""

    @property
    def images(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def ema_images(self) -> int: ...
    @property
    def anneal_from(self) -> float: ...
    @property
    def seed(self) -> int: ...
    @property
    def bf16(self) -> bool: ...


class AdversarialRun:
    """A run that subclasses give networks and a `step`; a `Trainer` for `loop.train` once `resume` was called."""

    config: AdversarialConfig

    def __init__(self, config: AdversarialConfig, device: torch.device | str) -> None:
        torch.manual_seed(config.seed)
        self.config, self.device = config, torch.device(device)
        self.random = torch.Generator().manual_seed(config.seed)
        self.seen, self.seconds = 0, 0.0

    def resume(self, out: Path, modules: Iterable[str], optimizers: Mapping[str, Optimizer]) -> None:
        """Name what a checkpoint holds, attributes by `modules`, and go on from the one in `out` where there is one."""
        self.checkpoint = Checkpoint(
            out / "checkpoint.safetensors",
            modules={name: getattr(self, name) for name in modules},
            optimizers=optimizers,
            generators={"random": self.random},
        )
        meta = self.checkpoint.load()
        if meta is not None:
            self.seen, self.seconds = meta["seen"], meta["seconds"]

    @property
    def total(self) -> int:
        return self.config.images

    @property
    def batch(self) -> int:
        return self.config.batch

    def save(self) -> None:
        """Write the checkpoint."""
        self.checkpoint.save({"seen": self.seen, "seconds": self.seconds, "config": vars(self.config)})

    def autocast(self) -> torch.autocast:
        """The precision the networks run in."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.config.bf16)

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.random).to(self.device)

    def _annealed(self) -> float:
        """The share of their learning rates that optimisers take now: all, then linearly to nearly nothing."""
        done = self.seen / self.config.images
        return min(1.0, max(0.02, (1.0 - done) / (1.0 - self.config.anneal_from)))

    @torch.no_grad()
    def _average(self, *pairs: tuple[nn.Module, nn.Module]) -> None:
        """Move every (averaged, live) pair's average on; its half-life is short at first."""
        images = min(self.config.ema_images, max(0.05 * self.seen, 1.0))
        decay = 0.5 ** (self.config.batch / images)
        for ema, live in pairs:
            torch._foreach_lerp_(list(ema.parameters()), list(live.parameters()), 1.0 - decay)
