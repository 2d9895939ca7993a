"""What Figure 3b claims: each statement's figure, interval and aim, all from paired comparisons of the same poses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from landscape_core.experiments.curves import Curves
from landscape_core.experiments.paired import Comparison, compare, worst_step
from landscape_core.experiments.results import Claim
from landscape_core.experiments.swept import reaching

# The paper's change of the loss at the end, Z against the best X by Adam; known and unknown actions.
PAPER = (-0.19, -0.11)
AIMS = {"Adam": (-0.25, -0.15), "L-BFGS": (0.0, 0.0), "Levenberg-Marquardt": (0.0, 0.0)}
AIM_EARLY = (-0.25, -0.15)
NEAR = 0.05  # above the lowest loss found: as good as there


@dataclass(frozen=True)
class Found:
    """What was measured on one set: curves by row and budget, the lowest losses found (n,), and the floor of losses."""

    label: str
    curves: Mapping[str, Mapping[int, Curves]]
    lowest: Tensor
    floor: float
    in_distribution: bool

    @property
    def steps(self) -> int:
        """How many were taken."""
        return max(next(iter(self.curves.values())))

    def at(self, row: str, step: int) -> Tensor:
        """A row's losses (n,) within `step` steps, with the rate chosen for such a budget."""
        return reaching(self.curves[row], step).loss[step]

    def of(self, pair: tuple[float, float]) -> float:
        """The first for known actions, the second for unknown ones."""
        return pair[0] if self.in_distribution else pair[1]


Comparisons = dict[str, dict[str, Any]]


def claims(found: Found, comparisons: Comparisons) -> list[Claim]:
    """Every claim that the steps that were run allow; the comparisons behind them are added to `comparisons`."""
    made: list[Claim] = []
    columns = [column for column in AIMS if f"Z {column}" in found.curves]
    for column in columns:
        z, x = f"Z {column}", f"X {column}"
        if found.steps >= 20:
            early = compare(found.at(z, 2), found.at(x, 20), floor=found.floor)
            made.append(_claim(comparisons, f"{found.label}: {z} after 2 steps against {x} after 20", early, 0.0, "on par"))
        if found.steps > 20:
            made.append(_loss(found, comparisons, z, x, 20, found.of(AIM_EARLY)))
        made.append(_loss(found, comparisons, z, x, found.steps, found.of(AIMS[column]), paper=column == "Adam"))
        made += [_error(found, comparisons, z, x), _no_regret(found, comparisons, z, x)]
    if "Z paper" in found.curves:
        made.append(_loss(found, comparisons, "Z paper", "X Adam", found.steps, 0.0, paper=True))
    return [*made, _room(found, comparisons, f"Z {columns[-1]}")]


def _claim(comparisons: Comparisons, name: str, here: Comparison, aim: float, paper: float | str | None = None) -> Claim:
    comparisons[name] = here.to_json()
    return Claim(name, paper, here.change, aim, "lower", here.change_interval)


def _loss(found: Found, comparisons: Comparisons, z: str, x: str, step: int, aim: float, *, paper: bool = False) -> Claim:
    here = compare(found.at(z, step), found.at(x, step), floor=found.floor)
    name = f"{found.label}: loss after {step} steps, {z} against {x}"
    return _claim(comparisons, name, here, aim, found.of(PAPER) if paper else None)


def _error(found: Found, comparisons: Comparisons, z: str, x: str) -> Claim:
    """Of the joints' distances in cm, which the loss of rotations does not know; a millimetre counts as none."""
    ours, theirs = (found.curves[row][found.steps].judged["cm"][-1] for row in (z, x))
    name = f"{found.label}: joint error after {found.steps} steps, {z} against {x}"
    return _claim(comparisons, name, compare(ours, theirs, floor=0.1), 0.0)


def _no_regret(found: Found, comparisons: Comparisons, z: str, x: str) -> Claim:
    """The highest upper end of the interval over all steps, with the rates chosen for all steps."""
    ours, theirs = (found.curves[row][found.steps].loss for row in (z, x))
    step, here = worst_step(ours, theirs, floor=found.floor)
    name = f"{found.label}: no regret, the interval's upper end at the worst step ({step}), {z} against {x}"
    comparisons[name] = here.to_json()
    return Claim(name, None, here.interval[1], 1.0, "lower")


def _room(found: Found, comparisons: Comparisons, z: str) -> Claim:
    """How far above the lowest loss found Z ends; the claim says what X could have gained by starting again."""
    room = -compare(found.lowest, found.at("X Adam", found.steps), floor=found.floor).change
    name = f"{found.label}: loss after {found.steps} steps, {z} against the lowest found by any lane or more starts, itself "
    here = compare(found.at(z, found.steps), found.lowest, floor=found.floor)
    return _claim(comparisons, f"{name}{room:.0%} below X Adam", here, NEAR)
