"""One pass of F and L, forward and backward, at the inputs of all lanes of a solver; threads may share it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from landscape_core.search.objectives import LossFunction, Objective, Target
from landscape_core.threads import Threads

LEAST_ROWS = 3  # a matrix of one or two rows is multiplied by another kernel, whose last digits differ


@dataclass(frozen=True)
class _Part:
    """Rows of the batch, and their loss."""

    rows: slice
    loss: LossFunction


class Pass:
    """L(F(x), y) + input_term(x), its gradient, and F(x). On a CPU a batch that is large enough is divided among the threads:
    they share its cores better than the threads of torch's own kernels do."""

    def __init__(
        self, forward: nn.Module, objective: Objective, target: Target, input_term: Callable[[Tensor], Tensor],
        threads: Threads | None = None,
    ) -> None:  # fmt: skip
        self._forward, self._input_term = forward, input_term
        if threads is not None and target.value.device.type != "cpu":
            threads = None
        rows = _divided(len(target), 1 if threads is None else threads.n)
        self._parts = [_Part(each, objective.bind(target.select(each))) for each in rows]
        self._in_turns = map if threads is None or len(rows) == 1 else threads.in_turns

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gradient (N, d), loss (N,) and output (N, ...) at inputs (N, d), one for each entry of the target."""
        gradients, losses, outputs = zip(
            *self._in_turns(lambda part: self._of(x[part.rows], part.loss), self._parts), strict=True
        )
        return torch.cat(gradients), torch.cat(losses), torch.cat(outputs)

    def _of(self, x: Tensor, loss_of: LossFunction) -> tuple[Tensor, Tensor, Tensor]:
        x = x.requires_grad_()
        with torch.enable_grad():
            output = self._forward(x)
            loss = loss_of(output) + self._input_term(x)
            (gradient,) = torch.autograd.grad(loss.sum(), x)
        return gradient, loss.detach(), output.detach()


def _divided(n: int, most: int) -> list[slice]:
    """n rows in at most so many parts, about equal and none of them too small."""
    parts = max(1, min(most, n // LEAST_ROWS))
    return [slice(begin, end) for begin, end in pairwise(n * i // parts for i in range(parts + 1))]
