"""The plane along which the loss curves most at a point: leading eigenvectors of its Hessian, by Lanczos' method.

H v is a product of the second derivative with one direction, which costs about as much as two gradients; some twenty to
sixty of them give the leading eigenvectors, where the whole matrix would take as many as there are dimensions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.search.objectives import Target
from landscape_core.search.task import Task
from landscape_core.surfaces.planes import Plane, StoppedError

Product = Callable[[Tensor], Tensor]
_STEP = 1e-2  # of finite differences, in units of the variable
_TOLERANCE = 1e-2  # relative, of an eigenvalue


def hessian_product(task: Task, target: Target, space: str, points: Tensor) -> Product:
    """v -> H v, both (n, d), of the losses of n targets at points (n, d) of a space, each at its own.

    By differentiating the gradient again; where F or L cannot be differentiated twice, by central differences of gradients.
    """
    to_x, loss = task.space(space).to_x, task.objective.bind(target.to(task.device))

    @torch.enable_grad()
    def gradient(at: Tensor, *, twice: bool = False) -> Tensor:
        x = to_x(at)
        (found,) = torch.autograd.grad((loss(task.forward(x)) + task.input_term(x)).sum(), at, create_graph=twice)
        return found

    def by_differences(v: Tensor) -> Tensor:
        ahead, behind = ((points + sign * _STEP * v).detach().requires_grad_() for sign in (1.0, -1.0))
        return (gradient(ahead) - gradient(behind)) / (2 * _STEP)

    at = points.detach().clone().requires_grad_()
    slope = gradient(at, twice=True)

    def by_autograd(v: Tensor) -> Tensor:
        (found,) = torch.autograd.grad(slope, at, v, retain_graph=True)
        return found

    return by_autograd if _twice(slope, at) else by_differences


def _twice(slope: Tensor, at: Tensor) -> bool:
    """Whether a gradient can be differentiated again: PyTorch raises, or finds no way back to the point."""
    if not slope.requires_grad:
        return False
    try:
        (found,) = torch.autograd.grad(slope, at, torch.zeros_like(slope), retain_graph=True, allow_unused=True)
    except RuntimeError:  # NotImplementedError is one
        return False
    return found is not None


def hessian_plane(
    task: Task, target: Target, space: str, point: Tensor, *, seed: int = 0, stop: Callable[[], bool] = lambda: False
) -> Plane:
    """The plane through a point (d,) along the two eigenvectors whose eigenvalues are largest in size; `curvature` are those
    eigenvalues, with their signs, in loss per squared unit of the variable.

    Raises:
        UserError: fewer than three dimensions, or the loss does not curve there.
        StoppedError: `stop`, asked before each product, said so.
    """
    from scipy.sparse.linalg import LinearOperator, eigsh

    n = len(point)
    if n < 3:
        raise UserError("A space of fewer than three dimensions is a plane already; choose another plane.")
    product = hessian_product(task, target, space, point[None])

    def times(v: NDArray[np.float64]) -> NDArray[np.float64]:
        if stop():
            raise StoppedError("the Hessian's directions were found")
        direction = torch.from_numpy(np.ravel(v)).to(point)
        return product(direction[None])[0].cpu().double().numpy()

    start = np.random.default_rng(seed).standard_normal(n)
    if not np.any(times(start)):
        raise UserError("The loss does not curve at that step, so its Hessian has no leading direction; choose another plane.")
    values, vectors = eigsh(LinearOperator((n, n), matvec=times, dtype=np.float64), k=2, v0=start, tol=_TOLERANCE)
    order = np.argsort(-np.abs(values))
    axes = torch.from_numpy(vectors[:, order].T.copy()).to(point)
    first, second = (float(values[i]) for i in order)
    return Plane(point, axes, space, curvature=(first, second))
