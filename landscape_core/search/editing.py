"""Going on from what was found: moves of F's inputs along directions, nearer to the prior's mean, and between two results."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.search.spaces import Prior

PRINCIPAL = 20
FARTHEST = 5.0  # an amount along a direction, in its own lengths
MOST_TRUNCATION = 1.5


@dataclass(frozen=True)
class Edit:
    """x -> mean + truncation (x - mean) + Σ amounts[i] directions[i]. As it stands it changes nothing."""

    amounts: tuple[float, ...] = ()
    truncation: float = 1.0

    def __post_init__(self) -> None:
        """Raises UserError for an amount or a truncation out of range."""
        if not all(abs(amount) <= FARTHEST for amount in self.amounts):
            raise UserError(f"A move along a direction is a number from {-FARTHEST:g} to {FARTHEST:g}.")
        if not 0.0 <= self.truncation <= MOST_TRUNCATION:
            raise UserError(f"Truncation is a number from 0 to {MOST_TRUNCATION:g}.")


@torch.no_grad()
def edited(prior: Prior, x: Tensor, directions: Tensor, edit: Edit) -> Tensor:
    """Inputs x (n, d) after an edit along the first of `directions` (m, d).

    Raises:
        UserError: it moves along more directions than there are.
    """
    if len(edit.amounts) > len(directions):
        raise UserError(f"There are {len(directions)} directions, not {len(edit.amounts)}.")
    amounts = torch.tensor(edit.amounts).to(x)
    kept = x if edit.truncation == 1.0 else prior.mean + edit.truncation * (x - prior.mean)
    return kept + amounts @ directions[: len(amounts)] if len(amounts) else kept


def principal(prior: Prior, n: int = PRINCIPAL) -> Tensor:
    """The prior's first n principal directions (n, d), each a standard deviation long, the longest first; of the two signs the
    one whose largest entry is positive."""
    axes, lengths, _ = torch.linalg.svd(prior.factor.cpu().double(), full_matrices=False)
    found = (axes * lengths).T[:n]
    largest = found.gather(1, found.abs().argmax(dim=1, keepdim=True))
    return (found * largest.sign()).to(prior.mean)


def towards(there: Tensor, here: Tensor) -> Tensor:
    """The direction (d,) from one set of inputs (n, d) to another (m, d): the difference of their means, all of it being an
    amount of 1.

    Raises:
        UserError: a set is empty, or both have the same mean.
    """
    if not len(there) or not len(here):
        raise UserError("A direction is made from two sets of pictures with at least one in each.")
    found = there.mean(dim=0) - here.mean(dim=0)
    if not bool(found.abs().max() > 1e-6):
        raise UserError("Both sets have the same mean, so there is no direction from one to the other.")
    return found


def between(a: Tensor, b: Tensor, share: float) -> Tensor:
    """Inputs that `share` of the straight way from a (n, d) to b (n, d).

    Raises:
        UserError: a share outside 0 to 1.
    """
    if not 0.0 <= share <= 1.0:
        raise UserError("Between two results there is a share from 0 to 1.")
    return torch.lerp(a, b, share)
