"""The Gauss-Newton matrix of a small least-squares problem: what Levenberg-Marquardt asks for where it stands."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import jvp, vmap

from landscape_core.errors import UserError
from landscape_core.search.objectives import LeastSquares, Objective, Target
from landscape_core.search.spaces import SearchSpace

MAX_DIM = 128  # a Jacobian is that many passes of F, and a step solves that many equations
ROWS = 4096  # of F's inputs pushed forward at once, for the memory's sake


def can_linearise(objective: Objective, space: SearchSpace) -> bool:
    """Whether a search of that space may ask for Jacobians."""
    return isinstance(objective, LeastSquares) and space.dim <= MAX_DIM


def check_least_squares(objective: Objective, space: SearchSpace) -> LeastSquares:
    """The objective, if its Jacobian can be had.

    Raises:
        UserError: the objective is no sum of squares, or the space has more than `MAX_DIM` numbers.
    """
    if not isinstance(objective, LeastSquares):
        raise UserError("Levenberg-Marquardt needs a loss that is a sum of squares, which this is not; choose L-BFGS or Adam.")
    if space.dim > MAX_DIM:
        raise UserError(
            f"Levenberg-Marquardt searches at most {MAX_DIM} numbers, and here are {space.dim}; choose L-BFGS or Adam."
        )
    return objective


def gauss_newton(
    forward: nn.Module, objective: Objective, target: Target, space: SearchSpace, variable: Tensor, which: Tensor
) -> Tensor:
    """2 JᵀJ (B, d, d) with J = ∂r/∂v at variables v (B, d), r the residuals of L(F(x(v)), y) = Σ r².

    Only samples where `which` (B,) is True are computed; the others' matrices are zero. J comes by forward mode, all d
    columns in one batched pass: there are more residuals than variables in what this is for.
    """
    found = variable.new_zeros(*variable.shape, variable.shape[1])
    index = which.nonzero()[:, 0]
    if not len(index):
        return found
    residuals = check_least_squares(objective, space).residuals(target.select(index))

    def at(v: Tensor) -> Tensor:
        return residuals(forward(space.to_x(v)))

    v = variable[index].detach()

    def column(direction: Tensor) -> Tensor:
        change: Tensor = jvp(at, (v,), (direction.expand_as(v),))[1]
        return change  # (n, m)

    identity = torch.eye(space.dim, dtype=v.dtype, device=v.device)
    jacobian = vmap(column, out_dims=2, chunk_size=max(ROWS // len(v), 1))(identity)  # (n, m, d)
    found[index] = 2.0 * jacobian.mT @ jacobian
    return found
