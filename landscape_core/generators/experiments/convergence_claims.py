"""What Figure 3a claims: each statement's figure, interval and aim, all from paired comparisons of the same targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from landscape_core.experiments.curves import Curves
from landscape_core.experiments.paired import Comparison, compare, geometric_mean, worst, worst_step
from landscape_core.experiments.results import Claim
from landscape_core.experiments.swept import reaching
from landscape_core.generators.experiments.picture_sets import SetKind

PAIRS = {"Adam": ("Z Adam", "X Adam"), "L-BFGS": ("Z L-BFGS", "X L-BFGS"), "guess": ("Z from the guess", "X from the guess")}
# By set and step: the paper's change of the loss, Z against X.
PAPER = {"real": {20: -0.31, 200: -0.236, 2000: -0.15}, "outside": {20: -0.07, 200: -0.244, 2000: -0.10}}
PASSES_ENCODER = {"real": 11, "outside": 3}
AIMS: Mapping[str, Mapping[str, Mapping[int, float]]] = {
    "Adam": {"real": {20: -0.40, 200: -0.30, 2000: 0.0}, "outside": {20: -0.20, 200: -0.30, 2000: 0.0}},
    "L-BFGS": {"real": {20: -0.25, 200: 0.0, 2000: 0.0}, "outside": {20: -0.15, 200: 0.0, 2000: 0.0}},
}
GUESS_AIM = {5: -0.15, 20: -0.15}


@dataclass(frozen=True)
class Found:
    """What was measured on one set: curves by row and budget, the encoder's losses (n,), and where judges looked."""

    label: str
    kind: SetKind
    curves: Mapping[str, Mapping[int, Curves]]
    encoder: Tensor | None
    budgets: Sequence[int]
    marks: Sequence[int]

    def curve(self, row: str, step: int) -> Tensor:
        """A row's losses (steps + 1, n) with the rate chosen for the smallest budget that reaches `step`."""
        return reaching(self.curves[row], step).loss

    def at(self, row: str, step: int) -> Tensor:
        """A row's losses (n,) within `step` steps, with the rate chosen for such a budget."""
        return self.curve(row, step)[step]


Comparisons = dict[str, dict[str, Any]]


def claims(found: Found, comparisons: Comparisons, *, converged: bool) -> list[Claim]:
    """Every claim that the steps that were run allow; the comparisons behind them are added to `comparisons`."""
    made: list[Claim] = []
    last = max(found.budgets)
    for column in ("Adam", "L-BFGS"):
        if not converged:
            made += [*_early(found, column, comparisons), *_passing(found, column)]
        for step, aim in AIMS[column].get(found.kind, {}).items():
            if step == last if converged else step <= last:
                paper = PAPER[found.kind][step]
                made.append(_change(found, PAIRS[column], step, aim, paper, comparisons))
    made.append(_no_regret(found, comparisons))
    if "Z from the guess" in found.curves and not converged and found.kind == "real":
        made += [
            _change(found, PAIRS["guess"], step, aim, None, comparisons) for step, aim in GUESS_AIM.items() if step <= last
        ]
    return made + (_judged(found, comparisons) if found.kind == "real" else [])


def _noted(comparisons: Comparisons, name: str, comparison: Comparison) -> Comparison:
    comparisons[name] = comparison.to_json()
    return comparison


def _change(found: Found, pair: tuple[str, str], step: int, aim: float, paper: float | None, comparisons: Comparisons) -> Claim:
    name = f"{found.label}: loss after {step} steps, {pair[0]} against {pair[1]}"
    here = _noted(comparisons, name, compare(*(found.at(row, step) for row in pair)))
    return Claim(name, paper, here.change, aim, "lower", here.change_interval)


def _early(found: Found, column: str, comparisons: Comparisons) -> list[Claim]:
    """Two steps in Z against twenty in X."""
    z, x = PAIRS[column]
    if found.kind != "real" or max(found.budgets) < 20:
        return []
    name = f"{found.label}: {z} after 2 steps against {x} after 20"
    here = _noted(comparisons, name, compare(found.at(z, 2), found.at(x, 20)))
    return [Claim(name, "on par", here.change, 0.0, "lower", here.change_interval)]


def _passing(found: Found, column: str) -> list[Claim]:
    """Steps until the geometric mean of the losses is below the encoder's."""
    if found.encoder is None or found.kind not in PASSES_ENCODER or not found.encoder.isfinite().all():
        return []
    steps = {row: _steps_to_pass(found, row) for row in PAIRS[column]}
    z, x = PAIRS[column]
    name = f"{found.label}: steps to pass the encoder, {z} ({x}: {steps[x]}; more than {max(found.budgets)} is never)"
    return [Claim(name, PASSES_ENCODER[found.kind], steps[z], steps[x] - 1, "lower")]


def _steps_to_pass(found: Found, row: str) -> int:
    """The first step where the geometric mean of the losses is below the encoder's; one more than there are if none is."""
    assert found.encoder is not None
    goal, last = geometric_mean(found.encoder), max(found.budgets)
    passed = (step for step in range(last + 1) if geometric_mean(found.at(row, step)) < goal)
    return next(passed, last + 1)


def _no_regret(found: Found, comparisons: Comparisons) -> Claim:
    """The highest upper end of the interval over all steps, with the rates chosen for all steps."""
    z, x = (found.curves[row][max(found.budgets)].loss for row in PAIRS["L-BFGS"])
    step, here = worst_step(z, x)
    name = f"{found.label}: no regret, the interval's upper end at the worst step ({step}), Z against X by L-BFGS"
    _noted(comparisons, name, here)
    return Claim(name, None, here.interval[1], 1.0, "lower")


def _judged(found: Found, comparisons: Comparisons) -> list[Claim]:
    """That Z is no worse than X by judges that were not optimised."""
    made = []
    z, x = (found.curves[row][max(found.budgets)].judged for row in PAIRS["L-BFGS"])
    for judge in z:
        by_step = {step: compare(a, b, floor=0.0) for step, a, b in zip(found.marks, z[judge], x[judge], strict=True)}
        step, here = worst(by_step)
        name = f"{found.label}: {judge} as a judge, upper end at the worst step ({step}), Z against X by L-BFGS"
        _noted(comparisons, name, here)
        made.append(Claim(name, None, here.interval[1], 1.0, "lower"))
    return made
