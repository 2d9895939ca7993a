"""The mean curvature of a loss over F's inputs, and the change of variables that takes it out.

Near a minimum L(F(x + δ), F(x)) ≈ ½ δᵀ H(x) δ, so the gradient at x + ε e_i against the target F(x) itself is ε H e_i: one
batched pass of F gives all of H(x) (finite differences of gradients, no second derivatives). With H averaged over
inputs and A = (H + λ h̄ I)^(-1/2), h̄ the mean eigenvalue, the loss as a function of z in x = mean + A z has curvature
near the identity: gradient descent there takes Newton's step on the average problem. L-BFGS learns the rest of the
curvature as it goes, and so prefers a softer root and the prior's shape in the damping.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from landscape_core.search.objectives import Objective, Target


def curvature_at(forward: nn.Module, objective: Objective, x: Tensor, *, epsilon: float = 0.05, batch: int = 64) -> Tensor:
    """H(x) (d, d) of one input x (d,), symmetrised. `epsilon` is in units of x."""
    with torch.no_grad():
        observed = forward(x[None])
    rows = []
    for directions in torch.eye(len(x), device=x.device).split(batch):
        loss = objective.bind(Target(observed.expand(len(directions), *observed.shape[1:])))
        moved = (x + epsilon * directions).requires_grad_()
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(loss(forward(moved)).sum(), moved)
        rows.append(gradient / epsilon)
    matrix = torch.cat(rows)
    return (matrix + matrix.T) / 2


def mean_curvature(
    forward: nn.Module,
    objective: Objective,
    inputs: Tensor,
    *,
    epsilon: float = 0.05,
    tick: Callable[[int, int], None] = lambda *_: None,
) -> Tensor:
    """H averaged over inputs (n, d): (d, d)."""
    total = torch.zeros(inputs.shape[1], inputs.shape[1], device=inputs.device)
    for index, x in enumerate(inputs):
        total += curvature_at(forward, objective, x, epsilon=epsilon)
        tick(index + 1, len(inputs))
    return total / len(inputs)


def whitener(
    curvature: Tensor, *, damping: float = 0.1, power: float = 0.5, precision: Tensor | None = None, gain: float | None = None
) -> Tensor:
    """A = (H + λ h̄ P)^-power, symmetric (d, d), with λ the `damping`, h̄ the mean eigenvalue of H and P the `precision`, I
    where there is none; negative eigenvalues of H count as zero.

    P the inverse covariance of the inputs (`Prior.precision`) keeps a search near them; a power below ½ is softer. A is scaled
    to a root mean square of its factors, what a step of length 1, the first of L-BFGS, moves x by: `gain`, else that of
    (H + λ h̄ I)^-½, which has the units of x.
    """
    values, vectors = torch.linalg.eigh(curvature.cpu().double())  # some devices have no float64
    values = values.clamp_min(0.0)
    level = damping * values.mean()
    if gain is None:
        gain = float((values + level).reciprocal().mean().sqrt())
    if precision is not None:
        values, vectors = torch.linalg.eigh((vectors * values) @ vectors.T + level * precision.cpu().double())
        values, level = values.clamp_min(1e-6 * values.max()), torch.zeros_like(level)
    scaled = (values + level) ** -power
    scaled = scaled * gain / scaled.square().mean().sqrt()
    return ((vectors * scaled) @ vectors.T).to(curvature)


def steepness(curvature: Tensor, whitener: Tensor) -> Tensor:
    """B = (A H A)^½ scaled to norm 1, symmetric (d, d): of a step in the whitened space A z, how much the loss feels."""
    whitened = (whitener @ curvature @ whitener).cpu().double()
    values, vectors = torch.linalg.eigh((whitened + whitened.T) / 2)
    values = (values / values[-1]).clamp_min(0.0)
    return ((vectors * values.sqrt()) @ vectors.T).to(curvature)
