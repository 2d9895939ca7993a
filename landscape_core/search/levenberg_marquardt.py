"""Levenberg-Marquardt per sample (Madsen, Nielsen & Tingleff 2004, algorithm 3.16), for small F and sums of squares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from landscape_core.search.updates import RETRIES, OptimizerState, Point

NOISE = 10.0  # rounding of a loss, in units of its last digit: smaller rises are no reason to take a step back
LARGEST = 1e12  # damping: steps are within rounding long before
SMALLEST = 1e-6  # curvature, relative to the largest: directions that H says nothing of are damped like this one


@dataclass(frozen=True)
class LevenbergMarquardt:
    """v <- v - (H + μ D)⁻¹ ∇L with the Gauss-Newton matrix H = 2 JᵀJ and its diagonal D (Marquardt 1963).

    A trial is kept where the loss falls, and costs one Jacobian there; a trial that rises, or is not finite, is taken back
    and the next one, more strongly damped, goes from the last kept point. μ follows the gain ratio, the fall of the loss
    over the fall that H foretold (Nielsen 1999), and begins at `damping` ≥ 0.
    """

    damping: float = 1e-2
    retries: ClassVar[int] = RETRIES
    needs_jacobian: ClassVar[bool] = True

    def init(self, variable: Tensor) -> OptimizerState:
        batch, dim = variable.shape
        zeros = variable.new_zeros(batch)
        return {
            "base": variable,
            "base_loss": variable.new_full((batch,), math.inf),
            "base_gradient": torch.zeros_like(variable),
            "hessian": variable.new_zeros(batch, dim, dim),
            "damping": zeros,
            "growth": zeros + 2.0,
            "expected": zeros,
            "jacobians": torch.zeros(batch, dtype=torch.long, device=variable.device),
        }

    def update(self, state: OptimizerState, at: Point, step: int) -> tuple[Tensor, OptimizerState]:
        assert at.hessian is not None
        first = torch.isinf(state["base_loss"])
        noise = NOISE * torch.finfo(at.loss.dtype).eps * state["base_loss"]
        gain = (state["base_loss"] - at.loss + noise) / (state["expected"] + noise)
        kept = first | (gain > 0.0)  # a loss of infinity has a gain of minus infinity
        new = {
            "base": torch.where(kept[:, None], at.variable, state["base"]),
            "base_loss": torch.where(kept, at.loss, state["base_loss"]),
            "base_gradient": torch.where(kept[:, None], at.gradient, state["base_gradient"]),
            "hessian": torch.where(kept[:, None, None], at.hessian(kept), state["hessian"]),
            "jacobians": state["jacobians"] + kept,
        }
        relaxed = state["damping"] * (1.0 - (2.0 * gain - 1.0) ** 3).clamp_min(1.0 / 3.0)
        damping = torch.where(kept, relaxed, state["damping"] * state["growth"])
        new["damping"] = torch.where(first, self.damping, damping).clamp_max(LARGEST)
        new["growth"] = torch.where(kept, 2.0, (2.0 * state["growth"]).clamp_max(2.0**10))
        curvature = torch.diagonal(new["hessian"], dim1=1, dim2=2)
        added = new["damping"][:, None] * torch.maximum(curvature, SMALLEST * curvature.amax(dim=1, keepdim=True))
        move = _solved(new["hessian"], added, new["base_gradient"])
        new["expected"] = 0.5 * (move * (added * move - new["base_gradient"])).sum(dim=1)
        return new["base"] + move, new


def _solved(hessian: Tensor, added: Tensor, gradient: Tensor) -> Tensor:
    """-(H + diag(added))⁻¹ g (B, d), in double precision. Where the matrix is singular it is not finite, which the next update
    takes for a step too long."""
    matrix = hessian.cpu().double() + torch.diag_embed(added.cpu().double())  # some devices have no float64
    solution, failed = torch.linalg.solve_ex(matrix, -gradient.cpu().double())
    return torch.where(failed[:, None] == 0, solution, torch.nan).to(gradient)
