"""Is it worth it to learn Θ on a mixture of observations? Such a Θ beside its twin that saw whole pictures, at one budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from landscape_core.experiments.curves import Curves
from landscape_core.experiments.paired import FLOOR, Comparison, compare
from landscape_core.experiments.results import Claim, Result
from landscape_core.generators.experiments.restoring_claims import COLUMNS, reference
from landscape_core.generators.experiments.restoring_claims import markdown as table
from landscape_core.generators.experiments.restoring_searches import (
    LPIPS,
    RestoreSettings,
    Searching,
    begun,
    described,
    judges_of,
    record,
    rows_of,
)
from landscape_core.generators.observing import Instrument
from landscape_core.progress import Tick
from landscape_core.search.objectives import FeatureDistance
from landscape_core.search.optimizers import OPTIMISER_NAMES, OptimizerName
from landscape_core.search.spaces import SearchSpace
from landscape_core.search.task import Task

OBSERVED, WHOLE = "Z observed", "Z whole"  # learned on the mixture of observations, and on whole pictures
FIT = "fit"
NAME = "restore-observed"

Found = Mapping[str, Mapping[str, Mapping[int, Curves]]]  # observation -> row -> steps -> curves


def run_taught(
    task: Task, train: Tensor, pictures: Tensor, spaces: Mapping[str, SearchSpace], settings: RestoreSettings,
    lpips: FeatureDistance, command: str, tick: Tick, work: Path | None, details: Mapping[str, Any],
) -> Result:  # fmt: skip
    """`spaces` are the two by their rows; `train` (n, 3, H, W) chooses every row's rate anew for every observation, `pictures`
    (n, 3, H, W) are what is to be found again. What is done is kept below `work`."""
    task = replace(task, mappings={**task.mappings, **spaces})
    judges, rows = judges_of(task, lpips), rows_of(task, settings.space, others={row: row for row in spaces})
    result = begun(NAME, task, settings, len(pictures), command)
    result.settings.update({**details, "rows": [row.name for row in rows]})  # type: ignore[attr-defined]
    found: dict[str, Mapping[str, Mapping[int, Curves]]] = {}
    for name in settings.observations:
        instrument, searching = Instrument.of(name), Searching(task, rows, settings, name, tick, work)
        chosen = searching.chosen(instrument.observe(train[: settings.tune_targets]))
        result.settings["chosen"][name] = described(chosen)  # type: ignore[index]
        found[name] = searching.measured(instrument.observe(pictures), chosen, judges)
        record(result, found[name], settings)
    _compare(result, found, settings)
    return result


def _compare(result: Result, found: Found, settings: RestoreSettings) -> None:
    """The two at the `reference`, for every observation and over all of them."""
    at = reference(settings.steps)
    for by in COLUMNS:
        rows = [f"{each} {OPTIMISER_NAMES[by]}" for each in (OBSERVED, WHOLE)]
        for what in (FIT, LPIPS):
            mark = settings.marks.index(at)
            ours, theirs = ({name: _values(each[row][at], what, mark, at) for name, each in found.items()} for row in rows)
            for name in found:
                result.comparisons[_label(name, by, what, at)] = compare(ours[name], theirs[name]).to_json()
            over = compare(*(_over_observations(each) for each in (ours, theirs)))
            result.claims.append(_claim(over, by, what, at))


def _values(curves: Curves, what: str, mark: int, at: int) -> Tensor:
    return curves.loss[at] if what == FIT else curves.judged[what][mark]


def _label(name: str, by: OptimizerName, what: str, at: int) -> str:
    return f"{name}, {OPTIMISER_NAMES[by]}: {what} at {at} steps"


def _over_observations(values: Mapping[str, Tensor]) -> Tensor:
    """Geometric mean over observations of each picture: one picture is one piece of evidence, however often it was seen."""
    return torch.stack([*values.values()]).clamp_min(FLOOR).log().mean(dim=0).exp()


def _claim(over: Comparison, by: OptimizerName, what: str, at: int) -> Claim:
    words = "data fit" if what == FIT else f"{what} to the truth"
    label = f"{words}, Θ learned on the mixture against its twin by {OPTIMISER_NAMES[by]} at {at} steps, over all observations"
    return Claim(label, None, over.change, 0.0, "lower", over.change_interval)


def plot(result: Result, path: Path) -> None:
    """Ratios of the two at the `reference`, with their intervals, for every observation."""
    from matplotlib.figure import Figure

    names, at = result.settings["observations"], reference(result.settings["steps"])
    figure = Figure(figsize=(11, 6), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    for axes, what in zip(panels, (FIT, LPIPS), strict=True):
        for side, (by, colour) in enumerate(zip(COLUMNS, ("#c2410c", "#0f766e"), strict=True)):
            each = [result.comparisons[_label(name, by, what, at)] for name in names]
            ratios = [one["ratio"] for one in each]
            reach = [[abs(one["interval"][end] - one["ratio"]) for one in each] for end in (0, 1)]
            places = [i + 0.16 * (side - 0.5) for i in range(len(names))]
            axes.errorbar(places, ratios, yerr=reach, fmt="o", capsize=3, color=colour, label=OPTIMISER_NAMES[by])
        axes.axhline(1.0, color="#6b7280", linewidth=1)
        axes.set_ylabel(f"{what} after {at} steps,\nmixture / whole")
        axes.legend(fontsize=8)
    panels[1].set_xticks(range(len(names)), names, rotation=25, ha="right", fontsize=8)
    figure.savefig(path, dpi=150)


def markdown(result: Result) -> str:
    """A line for every observation: fit and PSNR by L-BFGS at the `reference` in every space."""
    return table(result, [row for row in result.settings["rows"] if row.endswith(OPTIMISER_NAMES["lbfgs"])])
