"""What of F's output was observed: y = M(F(x)) + noise, and how an error in y counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

Operator = Callable[[Tensor], Tensor]
Penalty = Literal["squared", "absolute", "huber"]
KNEE = 0.1  # where Huber's penalty turns from a square into a line, of values in [-1, 1]


@dataclass(frozen=True)
class Observation:
    """M as a chain of differentiable operators, the first one first; each treats every sample of a batch alike.

    `penalty` says how an entry's error counts: squares for Gaussian noise, absolute values where single entries are wrong
    altogether, Huber's for both. `pictorial` says whether y can be compared as a picture, by its features.
    """

    operators: tuple[Operator, ...] = ()
    penalty: Penalty = "squared"
    pictorial: bool = True

    def __call__(self, output: Tensor) -> Tensor:
        """M(ŷ): outputs of F (B, ...) as they would be observed."""
        for operator in self.operators:
            output = operator(output)
        return output

    def error(self, difference: Tensor) -> Tensor:
        """What every entry of a difference costs, of the same shape."""
        if self.penalty == "absolute":
            return difference.abs()
        if self.penalty == "huber":
            return F.huber_loss(difference, difference.new_zeros(()).expand_as(difference), reduction="none", delta=KNEE)
        return difference.square()


WHOLE = Observation()
