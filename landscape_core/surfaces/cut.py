"""The loss along the straight line in X between where X's run and Z's run ended: one basin or two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.search.objectives import Target
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import Trajectory
from landscape_core.surfaces.surface import loss_in
from landscape_core.surfaces.views import in_x

_SAME = 1e-6  # ends nearer than this share of their size are one place
_ROUNDING = 1e-5  # a rise by less than this share of the higher end is none


@dataclass(frozen=True)
class Cut:
    """Losses (n,) at `places` (n,), shares of the way from X's end (0) to Z's (1), both of them among the places; `length`
    is the way, in units of x. What is not evaluated yet is NaN."""

    places: Tensor
    losses: Tensor
    length: float

    def loss_at(self, place: float) -> float:
        """The loss at one of the places."""
        return float(self.losses[int((self.places - place).abs().argmin())])

    @property
    def whole(self) -> bool:
        """Whether every place was evaluated; a loss that is not finite counts as infinite."""
        return not bool(torch.isnan(self.losses).any())

    @property
    def ends(self) -> dict[str, float]:
        """The loss at either end by lane."""
        return {"X": self.loss_at(0.0), "Z": self.loss_at(1.0)}

    @property
    def rise(self) -> float:
        """How far the loss between the ends rises above the higher of them; 0 where it does not."""
        between = self.losses[(self.places >= 0.0) & (self.places <= 1.0)]
        return max(0.0, float(between.max()) - max(self.ends.values()))


def places(size: int) -> Tensor:
    """`size` places from -½ to 1½, so that the line goes on past both ends by half of the way between them; 0 and 1 are exact.
    `size` is 4 k + 1."""
    if size < 5 or size % 4 != 1:
        raise ValueError(f"a cut has 4 k + 1 points, at least 5, not {size}")
    quarter = (size - 1) // 4  # points to half the way
    return torch.arange(-quarter, 3 * quarter + 1) / (2 * quarter)


def cut_between(
    task: Task, target: Target, trajectory: Trajectory, space: str, *, sample: int = 0, size: int = 81, batch: int = 32,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Cut]:  # fmt: skip
    """The cut between the last steps of lanes "X" and "Z" (through Θ), after every batch, coarse places first.

    Raises:
        UserError: both ends are the same place.
    """
    x = trajectory.lane("X").variables[-1][sample]
    z = in_x(task, space, trajectory.lane("Z").variables[-1][sample][None])[0]
    length = float((z - x).norm())
    if length <= _SAME * float(x.norm().clamp_min(1.0)):
        raise UserError("Both searches ended in the same place of X, so there is no line between their ends.")
    at, losses = places(size), torch.full((size,), torch.nan)
    loss = loss_in(task, X, target)
    coarse = torch.arange(0, size, 2)
    for indices in torch.cat([coarse, torch.arange(1, size, 2)]).split(batch):
        if stop():
            return
        losses = losses.clone()
        losses[indices] = loss(x + at[indices, None].to(x) * (z - x))[0].cpu().nan_to_num(torch.inf)
        yield Cut(at, losses, length)


def cut_sentence(cut: Cut) -> str:
    """What the cut says about both ends, once it is whole."""
    ends = " and ".join(f"{value:.3g} at {lane}'s end" for lane, value in cut.ends.items())
    lowest = int(cut.losses.argmin())
    low, where = float(cut.losses[lowest]), float(cut.places[lowest])
    higher = max(cut.ends.values())
    if cut.rise > _ROUNDING * higher:
        found = f"between them it rises to {higher + cut.rise:.3g}: along this line a barrier parts the two ends"
    else:
        found = "between them it rises above neither: along this line the two ends share one basin"
    return (
        f"The loss is {ends}, {cut.length:.3g} apart in X; {found}. The line's lowest point, {low:.3g}, lies {_place(where)}."
    )


def _place(at: float) -> str:
    if at in (0.0, 1.0):
        return "at X's end" if at == 0.0 else "at Z's end"
    if 0.0 < at < 1.0:
        return f"{100 * at:.0f}\u00a0% of the way from X's end to Z's"
    return "beyond X's end" if at < 0.0 else "beyond Z's end"


def cut_figures(cut: Cut) -> dict[str, Any]:
    """Everything as plain numbers, for JSON and for tables."""
    return {
        "places": cut.places.tolist(), "losses": cut.losses.tolist(), "length": cut.length, "ends": cut.ends, "rise": cut.rise,
    }  # fmt: skip
