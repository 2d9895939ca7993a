"""What an optimiser is: a value that takes a state and a point and returns the next variable and state.

Every tensor of a state has the batch first and every sample is its own problem, so a sample's path does not
depend on the others. One update uses one evaluation of F, also where a trial point is taken back.

A trial point where the loss is not finite is handed to the next update as a loss of infinity. An optimiser that takes
back such a step says so by `retries`; with the others the sample is at its end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from torch import Tensor

OptimizerState = dict[str, Tensor]
RETRIES = 30  # halvings; a step 2**-30 of the first is within float32's rounding


@dataclass(frozen=True)
class Point:
    """Where a lane stands: variable (B, d), loss (B,) and gradient (B, d).

    `hessian` gives the Gauss-Newton matrix (B, d, d) of the samples where its argument (B,) is True, and zeros for the
    others. Only an optimiser with `needs_jacobian` may ask, and it pays for each time it does.
    """

    variable: Tensor
    loss: Tensor
    gradient: Tensor
    hessian: Callable[[Tensor], Tensor] | None = None


class Optimizer(Protocol):
    """How a variable moves, given the loss and gradient where it stands.

    `retries` is how many non-finite trial points in a row it takes back before the sample is given up; `needs_jacobian`
    says whether it asks its points for their Gauss-Newton matrix.
    """

    retries: ClassVar[int]
    needs_jacobian: ClassVar[bool]

    def init(self, variable: Tensor) -> OptimizerState: ...

    def update(self, state: OptimizerState, at: Point, step: int) -> tuple[Tensor, OptimizerState]:
        """The point after `step` updates -> the next variables (B, d) and state."""
        ...
