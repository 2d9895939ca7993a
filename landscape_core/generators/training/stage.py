"""What the stages of an image model's training share: budget and checkpoint, data and random numbers, precision, averages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from landscape_core import processes
from landscape_core.errors import UserError
from landscape_core.generators.training.shares import Shares
from landscape_core.images.pixels import to_unit
from landscape_core.training.checkpoint import Checkpoint


class StageConfig(Protocol):
    """The settings that every stage has. It ends after `images` pictures or `seconds`, whichever comes first."""

    @property
    def images(self) -> int | None: ...
    @property
    def seconds(self) -> float | None: ...
    @property
    def batch(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def bf16(self) -> bool: ...


class Stage:
    """A stage that subclasses give networks and a `step`; a `Trainer` for `loop.train` once `resume` was called.

    Random numbers come from a generator on the device, and so do pictures once `pictures` was called: an update on an
    accelerator waits for nothing from the processor.

    Of several processes each takes its share of every batch: of the `whole`, whose first `half` is also rebuilt (the `rest` is
    not), and of all that is `drawn`, a batch and what is rebuilt. What is random is drawn for all by the one seed, so that the
    networks do not depend on how many there are.

    Raises:
        UserError: there are more processes than a batch can be shared by.
    """

    config: StageConfig
    GROUP: ClassVar[int] = 1  # rows of a batch that are seen together

    def __init__(self, config: StageConfig, device: torch.device | str) -> None:
        self.check_shares(config)
        half, rest = config.batch // 2, config.batch - config.batch // 2
        self.half, self.rest = Shares((half,), self.GROUP), Shares((rest,), self.GROUP)
        self.whole, self.drawn = Shares((half, rest), self.GROUP), Shares((half, rest, half), self.GROUP)
        torch.manual_seed(config.seed)
        self.config, self.device = config, torch.device(device)
        self.random = torch.Generator(self.device).manual_seed(config.seed)
        self.seen, self.seconds = 0, 0.0

    @classmethod
    def check_shares(cls, config: StageConfig) -> None:
        """Make sure that every process has something to do in every part of an update.

        Raises:
            UserError: there are more processes than a batch can be shared by.
        """
        n, parts = processes.count(), 2 * cls.GROUP
        if n == 1:
            return
        if config.batch % parts:
            raise UserError(f"Several processes share batches of a multiple of {parts}, not of {config.batch}.")
        if n > config.batch // parts:
            raise UserError(
                f"This training takes {config.batch} at a time, which {n} processes cannot share; start at most "
                f"{config.batch // parts}."
            )

    def resume(
        self, out: Path, identity: Mapping[str, Any], modules: Iterable[str], optimizers: Mapping[str, Optimizer]
    ) -> None:
        """Name what a checkpoint holds, attributes by `modules`, and go on from the one in `out` where there is one.

        Raises:
            UserError: that one belongs to another training; see `Checkpoint`.
        """
        self.checkpoint = Checkpoint(
            out,
            identity={**identity, "settings": self.config},
            modules={name: getattr(self, name) for name in modules},
            optimizers=optimizers,
            generators={"random": self.random},
        )
        meta = self.checkpoint.load()
        if meta is not None:
            self.seen, self.seconds = meta["seen"], meta["seconds"]

    def save(self) -> None:
        """Write the checkpoint."""
        self.checkpoint.save({"seen": self.seen, "seconds": self.seconds})

    @property
    def fraction(self) -> float:
        """How much of the budget is spent, in [0, 1]."""
        spent = [0.0]
        if self.config.images is not None:
            spent.append(self.seen / self.config.images if self.config.images else 1.0)
        if self.config.seconds is not None:
            spent.append(self.seconds / self.config.seconds if self.config.seconds else 1.0)
        return min(max(spent), 1.0)

    @property
    def total(self) -> int:
        """Pictures when the budget is spent, by what is known so far."""
        if self.config.images is not None:
            return self.config.images
        return max(round(self.seen / self.fraction), self.seen) if self.fraction else self.config.batch

    @property
    def update(self) -> int:
        """Updates so far."""
        return self.seen // self.config.batch

    def autocast(self) -> torch.autocast:
        """The precision the networks run in. A graph that is replayed must not hold on to casts of earlier weights."""
        on = self.config.bf16
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=on, cache_enabled=self.device.type == "cpu")

    def reals(self, images: Tensor, n: int) -> Tensor:
        """n of the uint8 pictures (N, 3, R, R) on the device, in [-1, 1], each mirrored with probability 1/2."""
        picked = to_unit(images[self.index(len(images), n)])
        mirrored = self.uniform(n, 1, 1, 1) < 0.5
        return torch.where(mirrored, picked.flip(3), picked).contiguous(memory_format=torch.channels_last)

    def index(self, length: int, n: int) -> Tensor:
        """n random positions below `length`."""
        return torch.randint(length, (n,), generator=self.random, device=self.device)

    def uniform(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.random, device=self.device)

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.random, device=self.device)


def set_rates(optimizer: Optimizer, rates: Iterable[float]) -> None:
    """The learning rate of each parameter group, in place where it is a tensor: a captured update reads it there."""
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def falling(fraction: float, anneal_from: float) -> float:
    """The share of its rate that an optimiser takes: all, then linearly to nearly nothing from `anneal_from` on."""
    return min(1.0, max(0.02, (1.0 - fraction) / (1.0 - anneal_from)))


@torch.no_grad()
def average(averaged: nn.Module, live: nn.Module, decay: float) -> None:
    """Move the averaged weights on: decay · averaged + (1 - decay) · live."""
    torch._foreach_lerp_(list(averaged.parameters()), list(live.parameters()), 1.0 - decay)
