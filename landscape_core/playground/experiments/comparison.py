"""The playground's table: every forward model and optimiser, X against Z, each at its own best rate, on unseen targets."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.experiments.results import Claim, Result, share_difference
from landscape_core.playground.arrivals import Arrivals, arrivals, median_ratio
from landscape_core.playground.descent import DESCENTS, descent, steps_to_tolerance, sweep, tuning_targets, unseen_targets
from landscape_core.playground.landscapes import condition_number, landscape, with_space, z_grid
from landscape_core.playground.settings import DescentName, ModelName, PlaySettings, defaults
from landscape_core.playground.task import EXACT, Playground, load_playground
from landscape_core.playground.training import LiveTraining
from landscape_core.progress import Tick
from landscape_core.search.solver import Lane
from landscape_core.search.spaces import SearchSpace, XSpace
from landscape_core.surfaces.measures import measure

MODELS: tuple[ModelName, ...] = ("arm", "valley", "ripples", "network", "own")
_STARTS = 2**31 + 2**29  # a stream of random numbers of their own


@dataclass(frozen=True)
class ComparisonSettings:
    """`targets` unseen ones are searched with Θs of every seed; `tune_targets` others choose the rates. `starts` random
    inputs are where searches begin, each with a target of its own, for the share of starts that arrive."""

    targets: int = 200
    tune_targets: int = 100
    starts: int = 200
    seeds: int = 3
    seed: int = 0


@dataclass
class _Row:
    """One optimiser's steps to tolerance in X and Z, seed after seed: from the usual start, and from random ones."""

    steps: dict[str, list[Tensor]]
    from_starts: dict[str, list[Tensor]]
    rates: dict[str, list[float]]

    @staticmethod
    def empty() -> _Row:
        return _Row({"X": [], "Z": []}, {"X": [], "Z": []}, {"X": [], "Z": []})


def run_comparison(
    settings: ComparisonSettings, command: str, tick: Tick, models: Sequence[ModelName] = MODELS,
    optimizers: Sequence[DescentName] = DESCENTS, changes: Mapping[str, object] | None = None,
) -> Result:  # fmt: skip
    """Train a Θ of every forward model for every seed and measure it; `changes` are put over each model's defaults."""
    chosen = {model: PlaySettings(**{**defaults(model).model_dump(), **(changes or {})}) for model in models}
    result = Result("playground", command, settings.seed, {}, {}, {})
    tables, seconds, done = {}, {}, 0
    for model in models:
        rows, costs = {name: _Row.empty() for name in optimizers}, []
        for seed in range(settings.seed, settings.seed + settings.seeds):
            playground = load_playground(chosen[model].model_copy(update={"seed": seed}))
            space, cost = _trained(playground)
            costs.append(cost)
            for name, row in rows.items():
                _measure(playground, space, name, row, settings)
            done += 1
            tick("Θs", done, len(models) * settings.seeds)
        tables[model], seconds[model] = rows, costs
    result.n = {"unseen targets": settings.targets * settings.seeds, "starts": settings.starts * settings.seeds}
    result.settings = {
        **asdict(settings),
        "models": {
            model: each.model_dump(exclude={"first", "second"} if model != "own" else None) for model, each in chosen.items()
        },
        "optimizers": [*optimizers],
        "rates": {model: {name: row.rates for name, row in rows.items()} for model, rows in tables.items()},
    }
    for model, rows in tables.items():
        _record(result, model, rows, chosen[model].limit)
        result.series[f"{model} | seconds of training"] = seconds[model]
        result.claims += _claims(model, rows["gd"], chosen[model].limit, max(seconds[model]))
    if "valley" in models:
        result.claims += exact_claims(load_playground(chosen["valley"]))
    return result


def _trained(playground: Playground) -> tuple[SearchSpace, float]:
    """The space of a trained Θ, and the processor's seconds it took."""
    began = time.process_time()
    training = LiveTraining(playground)
    training.run()
    return training.space(), time.process_time() - began


def _measure(playground: Playground, space: SearchSpace, name: DescentName, row: _Row, settings: ComparisonSettings) -> None:
    tuning, unseen = tuning_targets(playground, settings.tune_targets), unseen_targets(playground, settings.targets)
    random = torch.Generator().manual_seed(playground.settings.seed + _STARTS)
    begin, targets = playground.inputs(settings.starts, random), playground.task.sampled(settings.starts, random)
    for label, each in (("X", XSpace(playground.task.prior)), ("Z", space)):
        best = sweep(playground, each, name, tuning).best
        lane = [Lane(label, each, descent(name, best))]
        row.rates[label].append(best)
        row.steps[label].append(steps_to_tolerance(playground, lane, unseen)[0])
        row.from_starts[label].append(steps_to_tolerance(playground, lane, targets, [each.at(begin)])[0])


def _record(result: Result, model: str, rows: Mapping[DescentName, _Row], limit: int) -> None:
    for name, row in rows.items():
        for label in ("X", "Z"):
            every = arrivals(torch.cat(row.steps[label]), limit)
            result.series[f"{model}, {name}, {label} | median, low, high, share, low, high"] = _numbers(every)
            starts = arrivals(torch.cat(row.from_starts[label]), limit)
            result.series[f"{model}, {name}, {label}, random starts | median, low, high, share, low, high"] = _numbers(starts)


def _numbers(each: Arrivals) -> list[float]:
    return [each.median, *each.median_interval, each.share, *each.share_interval]


def _claims(model: str, row: _Row, limit: int, seconds: float) -> list[Claim]:
    """What was aimed at, by gradient descent in both spaces."""
    x, z = (torch.cat(row.steps[label]) for label in ("X", "Z"))
    claims = []
    if model == "arm":
        ratio, interval = median_ratio(z, x)
        claims.append(Claim("arm: Z's median steps to tolerance as a share of X's", None, ratio, 0.5, "lower", interval))
    if model == "valley":
        each = arrivals(z, limit)
        claims.append(Claim("valley: share of targets Z reaches", None, each.share, 0.9, "higher", each.share_interval))
    if model == "ripples":
        targets = share_difference(z <= limit, x <= limit)
        from_z, from_x = (torch.cat(row.from_starts[label]) <= limit for label in ("Z", "X"))
        starts = share_difference(from_z, from_x)
        claims.append(Claim("ripples: share of targets reached, Z minus X", None, targets[0], 0.0, "higher", targets[1]))
        claims.append(
            Claim("ripples: share of random starts that arrive, Z minus X", None, starts[0], 0.0, "higher", starts[1])
        )
    claims.append(Claim(f"{model}: processor seconds of training, the longest of all seeds", None, seconds, 20.0, "lower"))
    return claims


def exact_claims(valley: Playground) -> list[Claim]:
    """That the valley's exact Θ makes its loss a round bowl: convex at every point, condition number 1 within 1 %."""
    space, task = valley.task.mappings[EXACT], valley.task
    y = unseen_targets(valley, 1).value[0]
    solution = space.at(valley.minimisers(y))[0]
    grid = z_grid(EXACT, 2, space.at(valley.inputs(64, torch.Generator().manual_seed(0))), solution)
    shape = measure(landscape(with_space(valley, space), grid, y).losses)
    number = condition_number(space, task, y, solution)
    return [
        Claim("valley: share of the exact Θ's landscape that is convex", None, shape.convex_share, 1.0, "higher"),
        Claim("valley: condition number of the exact Θ's landscape", None, number, 1.01, "lower"),
    ]


def markdown(result: Result) -> str:
    """A line per forward model and optimiser: median steps and share reached, X and Z."""
    lines = ["| | X median | X reached | Z median | Z reached |", "|---|---|---|---|---|"]
    for model in result.settings["models"]:
        for name in result.settings["optimizers"]:
            x, z = (result.series[f"{model}, {name}, {label} | median, low, high, share, low, high"] for label in ("X", "Z"))
            lines.append(f"| {model}, {name} | {x[0]:.0f} | {100 * x[3]:.0f} % | {z[0]:.0f} | {100 * z[3]:.0f} % |")
    return "\n".join(lines)


def plot(result: Result, path: Path) -> None:
    """Share reached and median steps, a pair of bars per forward model and optimiser."""
    from matplotlib.figure import Figure

    names = [(model, name) for model in result.settings["models"] for name in result.settings["optimizers"]]
    figure = Figure(figsize=(12, 0.32 * len(names) + 1.2), layout="constrained")
    for axes, index, title in zip(figure.subplots(1, 2, sharey=True), (3, 0), ("share reached", "median steps"), strict=True):
        for offset, label, colour in ((-0.2, "X", "#c2410c"), (0.2, "Z", "#0369a1")):
            rows = [result.series[f"{model}, {name}, {label} | median, low, high, share, low, high"] for model, name in names]
            places = [number + offset for number in range(len(rows))]
            errors = [[row[index] - row[index + 1] for row in rows], [row[index + 2] - row[index] for row in rows]]
            axes.barh(places, [row[index] for row in rows], 0.36, xerr=errors, color=colour, label=label)
        axes.set(yticks=range(len(names)), yticklabels=[f"{model}, {name}" for model, name in names], title=title)
        axes.legend()
    axes.invert_yaxis()
    figure.savefig(path, dpi=150)
