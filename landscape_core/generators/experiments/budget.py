"""Everything people use to invert F, given the same number of its evaluations: the equal-budget table."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.experiments.paired import compare, geometric_mean
from landscape_core.experiments.results import Claim, Result
from landscape_core.generators.experiments.searchers import SEARCHERS, Guess, Searcher
from landscape_core.progress import Tick
from landscape_core.search.task import Task, X
from landscape_core.storage.cache import Kept
from landscape_core.storage.fingerprint import fingerprint

OURS = ("Z, L-BFGS", "Z, encoder, then L-BFGS")


@dataclass(frozen=True)
class BudgetSettings:
    """`tune_targets` training pictures choose every searcher's rate, for each budget apart; with `teach` evaluations of F
    searchers that learn were taught, on others."""

    targets: int = 50
    evaluations: tuple[int, ...] = (21, 201)
    tune_targets: int = 8
    seed: int = 0
    teach: int = 0


def made_of(task: Task) -> tuple[object, ...]:
    """All of a task that a search depends on."""
    return task.hashes, task.forward, task.objective, task.prior, task.mappings, task.advised, task.tuned


def searchers_for(task: Task) -> dict[str, Searcher]:
    """Those that a task has what they need for: an encoder, and the Θ that the table's Z is."""

    def able(searcher: Searcher) -> bool:
        guided = isinstance(searcher, Guess) or getattr(searcher, "start", "mean") == "encoder"
        space = getattr(searcher, "space", X)
        return (task.encode is not None or not guided) and (space == X or space in task.mappings)

    return {name: searcher for name, searcher in SEARCHERS.items() if able(searcher)}


@dataclass(frozen=True)
class Searches:
    """Searches on one task, kept where `kept` has a folder."""

    task: Task
    seed: int
    kept: Kept

    def __call__(self, searcher: Searcher, pictures: Tensor, evaluations: int, rate: float) -> tuple[Tensor, float]:
        """The losses (n,) that it finds on pictures (n, 3, H, W), and the processor seconds that it takes."""

        def made() -> Tensor:
            began = time.process_time()
            losses = searcher(self.task, pictures, evaluations, rate, self.seed).cpu().double()
            return torch.cat([losses, losses.new_tensor([time.process_time() - began])])

        found = self.kept.get(fingerprint(searcher, pictures, evaluations, rate), made)
        return found[:-1], float(found[-1])

    def tune(self, searcher: Searcher, pictures: Tensor, evaluations: int) -> dict[float, float]:
        """The geometric mean loss of every rate on pictures (n, 3, H, W); nothing is run where there is only one."""
        if len(searcher.rates) == 1:
            return {searcher.rates[0]: float("nan")}
        return {rate: geometric_mean(self(searcher, pictures, evaluations, rate)[0]) for rate in searcher.rates}


def run_budget(
    task: Task, train: Tensor, sets: Mapping[str, Tensor], settings: BudgetSettings, command: str, tick: Tick,
    searchers: Mapping[str, Searcher] = SEARCHERS, work: Path | None = None,
) -> Result:  # fmt: skip
    """`train` (n, 3, H, W) chooses rates; every searcher is measured on all of `sets`, in-distribution first.

    What is done is kept below `work`, where the same command goes on from it.
    """
    searched = Searches(task, settings.seed, Kept(work, fingerprint(made_of(task), settings.seed)))
    losses: dict[tuple[str, int], dict[str, Tensor]] = {}
    chosen: dict[str, dict[str, float]] = {name: {} for name in searchers}
    sweeps: dict[str, dict[str, dict[str, float]]] = {name: {} for name in searchers}
    seconds: dict[str, dict[str, float]] = {name: {} for name in searchers}
    total, done = len(searchers) * len(settings.evaluations), 0
    for evaluations in settings.evaluations:
        for name, searcher in searchers.items():
            sweep = searched.tune(searcher, train[: settings.tune_targets], evaluations)
            rate = min(sweep, key=lambda each: sweep[each])
            chosen[name][str(evaluations)] = rate
            sweeps[name][str(evaluations)] = {f"{lr:g}": loss for lr, loss in sweep.items()}
            spent = 0.0
            for label, pictures in sets.items():
                found, took = searched(searcher, pictures, evaluations, rate)
                losses.setdefault((label, evaluations), {})[name] = found
                spent += took
            seconds[name][str(evaluations)] = spent / sum(map(len, sets.values()))
            done += 1
            tick("searchers", done, total)
    name = "budget" if task.name == "faces" else f"budget-{task.name}"
    result = Result(
        name, command, settings.seed, task.hashes, {label: len(pictures) for label, pictures in sets.items()},
        {**asdict(settings), "rows": list(searchers), "rate": chosen, "sweep_on_train": sweeps,
         "processor_seconds_per_picture": seconds},
    )  # fmt: skip
    for label in sets:
        for evaluations in settings.evaluations:
            row = losses[label, evaluations]
            result.series[f"{evaluations} evaluations | {label}"] = [float(row[name].mean()) for name in searchers]
            result.claims += _claims(row, f"{label}, {evaluations} evaluations")
    return result


def _claims(losses: Mapping[str, Tensor], place: str) -> list[Claim]:
    """Our two searches against the best of the others from the same kind of start."""
    claims = []
    for ours, guided in zip(OURS, (False, True), strict=True):
        others = [name for name in losses if name not in OURS and ("encoder" in name) == guided]
        if ours in losses and others:
            best = min(others, key=lambda name: geometric_mean(losses[name]))
            found = compare(losses[ours], losses[best])
            name = f"{place}: {ours} against the best other ({best})"
            claims.append(Claim(name, None, found.change, 0.0, "lower", found.change_interval))
    return claims


def markdown(result: Result) -> str:
    """A line per searcher, a column per budget and set."""
    columns = [key.replace(" | ", ", ") for key in result.series]
    lines = [f"| mean loss (Eq. 5) | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for index, name in enumerate(result.settings["rows"]):
        lines.append(f"| {name} | {' | '.join(f'{values[index]:.4f}' for values in result.series.values())} |")
    return "\n".join(lines)


def plot(result: Result, path: Path) -> None:
    """One panel per budget and set: a bar per searcher."""
    from matplotlib.figure import Figure

    rows = result.settings["rows"]
    figure = Figure(figsize=(3.6 * len(result.series), 0.4 * len(rows) + 1.2), layout="constrained")
    panels = figure.subplots(1, len(result.series), sharey=True, squeeze=False)[0]
    for axes, (title, values) in zip(panels, result.series.items(), strict=True):
        axes.barh(
            rows, values, color=["#0369a1" if row in OURS else "#6b7280" if row == "encoder" else "#c2410c" for row in rows]
        )
        axes.set(title=title.replace(" | ", ", "), xlabel="mean loss (Eq. 5)")
    panels[0].invert_yaxis()
    figure.savefig(path, dpi=150)
