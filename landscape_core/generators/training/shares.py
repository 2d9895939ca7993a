"""How several processes share a batch: part by part, so that its first half is shared, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from landscape_core import processes


@dataclass(frozen=True)
class Shares:
    """A batch that consists of parts of so many rows, of each of which every process has its share. `group` neighbours stay
    together: a process has all of them or none."""

    parts: tuple[int, ...]
    group: int = 1

    @property
    def n(self) -> int:
        """Rows of the whole batch."""
        return sum(self.parts)

    def of(self, whole: Tensor) -> Tensor:
        """This process's rows of a whole batch (n, ...)."""
        if processes.count() == 1:
            return whole
        groups = (part.unflatten(0, (-1, self.group)) for part in whole.split(self.parts))
        return torch.cat([processes.share(each).flatten(0, 1) for each in groups])

    def mean(self, own: Tensor) -> Tensor:
        """What this process's rows (m, ...) add to the mean over the batch; over all processes these parts sum up to it."""
        return own.mean() * (len(own) / self.n)


def totals(parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Figures () of which each process has a part."""
    return dict(zip(parts, processes.total(torch.stack([*parts.values()])), strict=True))
