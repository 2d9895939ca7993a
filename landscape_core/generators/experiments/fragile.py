"""How fragile both spaces are: what a rate costs that is not the best, how often a random start fails, and whether the input
that a picture was drawn from is found again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.experiments.curves import Searches, Watch
from landscape_core.experiments.paired import FAILED, FLOOR, compare, geometric_mean
from landscape_core.experiments.results import Claim, Result, mean_series, share_difference
from landscape_core.progress import Tick
from landscape_core.search.judges import input_judge
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.task import Task, X

# Each twice the one before, from far too small to far too large.
SWEEPS: Mapping[str, tuple[float, ...]] = {
    "Adam": (0.0125, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6), "L-BFGS": (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0),
}  # fmt: skip
DOUBLINGS = 2  # "too large" is the best rate doubled so often


@dataclass(frozen=True)
class FragileSettings:
    """Rates are swept on the targets themselves, since the whole curve is the result and none is chosen."""

    targets: int = 20
    steps: tuple[int, ...] = (20, 200)
    restarts: int = 10
    space: str = "residual"
    seed: int = 0

    @property
    def spaces(self) -> dict[str, str]:
        return {"X": X, "Z": self.space}


def run_fragile(
    task: Task, pictures: Tensor, settings: FragileSettings, command: str, tick: Tick, work: Path | None = None
) -> Result:
    """`pictures` (n, 3, H, W) are real ones; as many are drawn by F to see whether their inputs are found."""
    result = Result(
        "fragile", command, settings.seed, task.hashes, {f"{task.name} targets": len(pictures)},
        {**asdict(settings), "rates": SWEEPS},
    )  # fmt: skip
    for by in SWEEPS:
        _rates(result, task, Target(pictures), settings, by, tick, work)
    _restarts(result, task, Target(pictures), settings, tick, work)
    _inputs(result, task, settings, tick, work)
    return result


def _setting(task: Task, space: str, by: str, rate: float) -> OptimizerSettings:
    return task.advice(space, "adam", lr=rate) if by == "Adam" else task.advice(space, "lbfgs", first_move=rate)


def _rates(
    result: Result, task: Task, target: Target, settings: FragileSettings, by: str, tick: Tick, work: Path | None
) -> None:
    """Loss by rate, and what the best rate costs when it is doubled twice: in Z against in X."""
    most = max(settings.steps)
    lanes = {
        f"{name} {rate:g}": (space, _setting(task, space, by, rate).build(most))
        for name, space in settings.spaces.items() for rate in SWEEPS[by]
    }  # fmt: skip
    curves = Searches(task, tick, seed=settings.seed, work=work).curves(target, lanes, most, f"rates of {by}")
    for at in settings.steps:
        costs = {}
        for name in settings.spaces:
            losses = [curves[f"{name} {rate:g}"].loss[at] for rate in SWEEPS[by]]
            result.series[f"{name} {by} by rate after {at} steps"] = means = [geometric_mean(each) for each in losses]
            costs[name] = too_large(losses, means)
        name = f"what a rate four times the best costs, {by} after {at} steps, Z against X"
        found = compare(costs["Z"], costs["X"], floor=0.0)
        result.comparisons[name] = found.to_json()
        result.claims.append(Claim(name, "stable in Z", found.change, 0.0, "lower", found.change_interval))


def too_large(losses: list[Tensor], means: list[float]) -> Tensor:
    """The loss (n,) at the best rate doubled `DOUBLINGS` times, or at the largest there is, over that at the best."""
    best = means.index(min(means))
    large = losses[min(best + DOUBLINGS, len(losses) - 1)]
    return large.clamp_min(FLOOR) / losses[best].clamp_min(FLOOR)


def _restarts(result: Result, task: Task, target: Target, settings: FragileSettings, tick: Tick, work: Path | None) -> None:
    """The share of random starts that end far above what starts of the same target usually reach; starts of one target are
    alike, so that the interval is over targets."""
    steps = max(settings.steps)
    lanes = {name: (space, task.advice(space, "lbfgs").build(steps)) for name, space in settings.spaces.items()}
    ends: dict[str, list[Tensor]] = {name: [] for name in lanes}
    for restart in range(settings.restarts):
        searches = Searches(task, tick, "random", settings.seed + 1000 * restart, work=work)
        curves = searches.curves(target, lanes, steps, f"random start {restart + 1} of {settings.restarts}")
        for name in lanes:
            ends[name].append(curves[name].loss[-1])
    failed = failures({name: torch.stack(each) for name, each in ends.items()})
    for name, each in failed.items():
        result.series[f"{name}: share of random starts that fail, by target"] = each.double().mean(dim=0).tolist()
    z, x = (failed[name].double().mean(dim=0) for name in ("Z", "X"))
    difference, interval = share_difference(z, x)
    name = f"share of random starts that fail after {steps} steps by L-BFGS, Z minus X"
    result.claims.append(Claim(name, None, difference, 0.0, "lower", interval))


def failures(ends: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Which starts (restarts, n) ended above `FAILED` times the median of all lanes' starts of the same target."""
    usual = torch.cat(list(ends.values())).nanmedian(dim=0).values.clamp_min(FLOOR)
    return {name: ~(each <= FAILED * usual) for name, each in ends.items()}


def _inputs(result: Result, task: Task, settings: FragileSettings, tick: Tick, work: Path | None) -> None:
    """How far x̂ is from the x* that a picture was drawn from, by L-BFGS."""
    true = task.prior.sample(settings.targets, torch.Generator().manual_seed(settings.seed))
    with torch.no_grad():
        target = Target(torch.cat([task.forward(part).cpu() for part in true.split(8)]))
    steps = max(settings.steps)
    judge = input_judge(true)
    lanes = {name: (space, task.advice(space, "lbfgs").build(steps)) for name, space in settings.spaces.items()}
    searches = Searches(task, tick, seed=settings.seed, batch=settings.targets, work=work)
    found = searches.curves(target, lanes, steps, "drawn pictures", Watch([judge], settings.steps))
    from_mean = (true - task.prior.mean).norm(dim=1).cpu()
    for index, at in enumerate(settings.steps):
        away = {name: found[name].judged[judge.name][index] for name in lanes}
        for name in lanes:
            result.series[f"{name}: ‖x̂ − x*‖ over ‖x̄ − x*‖ after {at} steps"] = [float((away[name] / from_mean).mean())]
        name = f"‖x̂ − x*‖ of drawn pictures after {at} steps by L-BFGS, Z against X"
        comparison = compare(away["Z"], away["X"], floor=0.0)
        result.comparisons[name] = comparison.to_json()
        result.claims.append(Claim(name, None, comparison.change, 0.0, "lower", comparison.change_interval))
    for name in lanes:
        result.series[f"{name}: loss on drawn pictures"] = mean_series(found[name].loss[list(settings.steps)])


def plot(result: Result, path: Path) -> None:
    """Loss over rate: a panel per optimiser, a line per space and number of steps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.8), layout="constrained")
    panels = figure.subplots(1, len(SWEEPS), sharey=True)
    for axes, (by, rates) in zip(panels, SWEEPS.items(), strict=True):
        for at, style in zip(result.settings["steps"], ("--", "-", ":"), strict=False):
            for name, colour in (("X", "#c2410c"), ("Z", "#0369a1")):
                values = result.series[f"{name} {by} by rate after {at} steps"]
                axes.plot(rates, values, style, color=colour, marker=".", label=f"{name}, {at} steps")
        axes.set(title=by, xscale="log", yscale="log", xlabel="learning rate" if by == "Adam" else "first move")
        axes.legend(fontsize=8)
    panels[0].set_ylabel("geometric mean of the loss")
    figure.savefig(path, dpi=150)
