"""What `reproduce restore` claims, draws and prints: Z against X by the same optimiser, observation by observation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from landscape_core.experiments.curves import Curves
from landscape_core.experiments.paired import Comparison, compare
from landscape_core.experiments.results import Claim, Result
from landscape_core.search.judges import PSNR
from landscape_core.search.optimizers import OPTIMISER_NAMES, OptimizerName

COLUMNS: tuple[OptimizerName, ...] = ("adam", "lbfgs")
REFERENCE = 20  # steps at which claims are made, or the most that were taken


def reference(steps: Sequence[int]) -> int:
    """The budget that claims are about."""
    return REFERENCE if REFERENCE in steps else max(steps)


def claims(
    result: Result, name: str, curves: Mapping[str, Mapping[int, Curves]], steps: Sequence[int], marks: Sequence[int]
) -> list[Claim]:
    """Z's fit against X's by the same optimiser at the `reference`, and PSNR to the truth where Z first fits as well."""
    made, budget = [], reference(steps)
    for by in COLUMNS:
        words = OPTIMISER_NAMES[by]
        x, z = (curves[f"{row} {words}"][budget] for row in "XZ")
        fit = compare(z.loss[budget], x.loss[budget])
        result.comparisons[f"{name}, {words}: fit at {budget} steps"] = fit.to_json()
        label = f"{name}: data fit, Z against X by {words} at {budget} steps"
        made.append(Claim(label, None, fit.change, -0.15, "lower", fit.change_interval))
        even, reached = at_equal_fit(x, z, marks, budget)
        if even is not None:
            result.comparisons[f"{name}, {words}: squared error to the truth at equal fit"] = even.to_json()
            gained, interval = decibels_gained(even)
            label = f"{name}: PSNR to the truth at X's fit, Z against X by {words}, dB ({reached} of {len(x.loss[0])} pictures)"
            made.append(Claim(label, None, gained, 0.0, "higher", interval))
    return made


def at_equal_fit(x: Curves, z: Curves, marks: Sequence[int], budget: int) -> tuple[Comparison | None, int]:
    """Squared errors to the truth: Z's at the first mark where it fits as well as X after `budget` steps, over X's there.
    And on how many pictures Z does; None where these are fewer than two."""
    end = marks.index(budget)
    ours, theirs = [], []
    for i in range(x.loss.shape[1]):
        goal = float(x.loss[budget, i])
        first = next((k for k, mark in enumerate(marks) if mark <= budget and float(z.loss[mark, i]) <= goal), None)
        if first is not None:
            ours.append(z.judged[PSNR.name][first, i])
            theirs.append(x.judged[PSNR.name][end, i])
    return (None if len(ours) < 2 else compare(torch.stack(ours), torch.stack(theirs), floor=0.0)), len(ours)


def decibels_gained(errors: Comparison) -> tuple[float, tuple[float, float]]:
    """A ratio of squared errors with its interval as a gain in dB."""
    low, high = (-10.0 * math.log10(end) for end in errors.interval)
    return -10.0 * math.log10(errors.ratio), (high, low)


COLOURS = {"X Adam": "#c2410c", "Z Adam": "#0369a1", "X L-BFGS": "#a16207", "Z L-BFGS": "#0f766e"}


def plot(result: Result, path: Path) -> None:
    """Fit and PSNR to the truth at the `reference`, a group of bars for every observation."""
    from matplotlib.figure import Figure

    names = result.settings["observations"]
    at = reference(result.settings["steps"])
    figure = Figure(figsize=(11, 7), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    for axes, what in zip(panels, ("fit", PSNR.name), strict=True):
        for place, (row, colour) in enumerate(COLOURS.items()):
            values = result.series[f"{what}, {at} steps | {row}"]
            axes.bar([i + 0.2 * (place - 1.5) for i in range(len(names))], values, 0.2, color=colour, label=row)
    panels[0].set(ylabel=f"loss of what is seen after {at} steps", yscale="log")
    panels[1].set(ylabel="PSNR to the whole picture, dB")
    panels[1].scatter(
        range(len(names)), result.series[f"{PSNR.name} | observation"], color="black", marker="_", label="observation"
    )
    panels[1].scatter(range(len(names)), result.series[f"{PSNR.name} | encoder"], color="#6b7280", marker="x", label="encoder")
    panels[1].set_xticks(range(len(names)), names, rotation=25, ha="right", fontsize=8)
    for axes in panels:
        axes.legend(fontsize=8, ncols=3)
    figure.savefig(path, dpi=150)


def markdown(result: Result, rows: Sequence[str] = tuple(COLOURS)) -> str:
    """A line for every observation: fit and PSNR at the `reference` in these rows."""
    at = reference(result.settings["steps"])
    lines = [f"| {at} steps: fit / PSNR | {' | '.join(rows)} |", f"|---|{'---|' * len(rows)}"]
    for i, name in enumerate(result.settings["observations"]):
        cells = [
            f"{result.series[f'fit, {at} steps | {row}'][i]:.4f} / {result.series[f'{PSNR.name}, {at} steps | {row}'][i]:.1f}"
            for row in rows
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)
