"""Why Z is faster: the loss's spectrum, the gradient's aim and the way to the end, in X, in Z and in what is between them.

A residual Θ is X with the loss's mean curvature taken out, then trained. Beside X and Θ stands that whitener alone, which no
training made: what it has of Θ's lead is preconditioning, what it lacks is what Algorithm 1 added. A random Θ and the paper's,
where one is embedded, are further rows. All are searched by one optimiser, each at its own best rate.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.experiments.paired import FLOOR, SMALLEST, best_so_far, compare
from landscape_core.experiments.results import Claim, Result, mean_series
from landscape_core.experiments.swept import Descent, Row, described, tuned
from landscape_core.progress import Tick
from landscape_core.search.mapping import ResidualMapping
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.spaces import SearchSpace
from landscape_core.search.task import Task, X
from landscape_core.search.thetas import RANDOM, untrained
from landscape_core.search.trajectory import states
from landscape_core.surfaces.hessian import hessian_product
from landscape_core.surfaces.measures import spread
from landscape_core.surfaces.spectrum import Spectrum, spectrum

WHITENED, LEARNED = "whitener alone", "Θ"
ROWS = {X: X, WHITENED: WHITENED, LEARNED: LEARNED, "random": "random Θ", "paper": "the paper's Θ"}
PLACES = ("start", "on the way", "end")
ON_THE_WAY = 5
ADAM_RATES = (0.02, 0.1, 0.5)
FIRST_MOVES = (0.3, 1.0, 4.0)
POINTS = 17  # of the straight line from the start to the end
MEASURES: Mapping[str, Callable[[Spectrum], Tensor]] = {
    "condition": Spectrum.condition, "negative share": Spectrum.negative_share, "roundness": Spectrum.roundness,
}  # fmt: skip


@dataclass(frozen=True)
class WhySettings:
    """`products` is how many H v a spectrum takes; `tune_targets` training targets choose every row's rate; losses below
    `floor` count as equal."""

    targets: int = 20
    steps: int = 100
    tune_targets: int = 8
    products: int = 40
    optimizer: Literal["lbfgs", "adam"] = "lbfgs"
    space: str = "residual"
    seed: int = 0
    floor: float = FLOOR

    def candidates(self, task: Task, row: str) -> dict[str, OptimizerSettings]:
        """What is swept: Adam's rate, or L-BFGS's first move."""
        if self.optimizer == "adam":
            return {f"{lr:g}": task.advice(row, "adam", lr=lr) for lr in ADAM_RATES}
        return {f"{move:g}": task.advice(row, "lbfgs", first_move=move) for move in FIRST_MOVES}


@dataclass(frozen=True)
class Way:
    """One row's searches of n targets: best losses so far (steps + 1, n), how well gradients aim (n,), spectra by place, and
    losses (POINTS, n) on the straight line from the start to the best point found."""

    loss: Tensor
    aim: Tensor
    spectra: Mapping[str, Spectrum]
    line: Tensor

    def climb(self) -> Tensor:
        """How far the straight line climbs (n,), in units of what it descends in all; 0 on the way down a bowl."""
        rises = self.line.diff(dim=0).clamp_min(0.0).sum(dim=0)
        return rises / (self.line[0] - self.line[-1]).clamp_min(SMALLEST)


def rows_of(task: Task, space: str) -> Task:
    """The task with the rows of the table as its spaces.

    Raises:
        UserError: there is no such space, or no curvature was taken out in it.
    """
    learned = task.learned(space)
    if not isinstance(getattr(learned, "mapping", None), ResidualMapping):
        raise UserError(f"{space} has no whitener to be told apart from what was learned; choose a residual Θ.")
    rows: dict[str, SearchSpace] = {WHITENED: untrained(task.prior, learned), LEARNED: learned}
    rows |= {name: task.mappings[name] for name in (RANDOM, "paper") if name in task.mappings and name != space}
    return replace(task, mappings=rows)


def run_why(task: Task, train: Target, target: Target, settings: WhySettings, command: str, tick: Tick,
            work: Path | None = None) -> Result:  # fmt: skip
    """`train` chooses every row's rate; `target` (n, ...) is measured. The name of the result says task and optimiser."""
    table = rows_of(task, settings.space)
    rows = [X, *table.mappings]
    swept = [Row(row, row, settings.candidates(table, row)) for row in rows]
    choices = tuned(
        table, swept, train, Descent(settings.steps, [settings.steps], settings.seed, settings.floor, work=work), tick
    )
    chosen = {row: choices[row][settings.steps].setting for row in rows}
    ways = _ways(table, chosen, target, settings, tick)
    words = ["why", *([task.name] if task.name != "faces" else []), *(["adam"] if settings.optimizer == "adam" else [])]
    result = Result(
        "-".join(words), command, settings.seed, task.hashes, {f"{task.name} targets": len(target)},
        {**asdict(settings), "rows": [ROWS[row] for row in rows], "places": PLACES,
         "chosen": {ROWS[row]: described(choices[row]) for row in rows}},
    )  # fmt: skip
    for row, way in ways.items():
        result.series |= _series(ROWS[row], way)
    result.claims = [*_shape_claims(ways), *_lead_claims(ways, settings.steps, settings.floor)]
    return result


def _ways(
    task: Task, chosen: Mapping[str, OptimizerSettings], target: Target, settings: WhySettings, tick: Tick
) -> dict[str, Way]:
    target = target.to(task.device)
    lanes = [Lane(row, task.space(row), each.build(settings.steps)) for row, each in chosen.items()]
    solver = Solver(task.forward, task.objective, target, lanes, max_steps=settings.steps, input_term=task.input_term)
    kept: dict[str, list[tuple[Tensor, Tensor, Tensor]]] = {row: [] for row in chosen}
    best = {}
    for state in states(solver, solver.init([lane.space.mean_start(len(target)) for lane in lanes])):
        for lane, now in zip(lanes, state.lanes, strict=True):
            kept[lane.name].append((now.variable, now.gradient, now.loss))
            best[lane.name] = now.best_variable
        tick("searching", state.step, settings.steps)
    made = {}
    for index, row in enumerate(chosen):
        variables, gradients, losses = (torch.stack(each) for each in zip(*kept[row], strict=True))
        places = dict(zip(PLACES, (variables[0], variables[min(ON_THE_WAY, settings.steps)], best[row]), strict=True))
        spectra = {
            place: spectrum(hessian_product(task, target, row, at), at, products=settings.products, seed=settings.seed)
            for place, at in places.items()
        }
        line = _line(task, row, target, variables[0], best[row])
        made[row] = Way(best_so_far(losses).cpu(), aim(variables, gradients, best[row]), spectra, line)
        tick("spectra", index + 1, len(chosen))
    return made


def aim(variables: Tensor, gradients: Tensor, end: Tensor) -> Tensor:
    """(n,): the cosine between -gradient and the direction to the end, on average over the steps (T, n, d) before it."""
    cosines = torch.cosine_similarity(-gradients, end - variables, dim=2)
    there = (end - variables).norm(dim=2) > 0
    return ((cosines * there).sum(dim=0) / there.sum(dim=0).clamp_min(1)).cpu()


@torch.no_grad()
def _line(task: Task, row: str, target: Target, start: Tensor, end: Tensor) -> Tensor:
    loss, to_x = task.objective.bind(target), task.space(row).to_x
    found = []
    for part in torch.linspace(0.0, 1.0, POINTS).tolist():
        x = to_x(torch.lerp(start, end, part))
        found.append(loss(task.forward(x)) + task.input_term(x))
    return torch.stack(found).cpu()


def _series(name: str, way: Way) -> dict[str, list[float]]:
    """Means over the targets, by place where there are places; medians of the condition, whose mean one target decides."""
    made = {f"{name}: best loss": mean_series(way.loss), f"{name}: line": mean_series(way.line)}
    for measure, of in MEASURES.items():
        values = torch.stack([of(way.spectra[place]) for place in PLACES]).double()
        made[f"{name}: {measure}"] = (values.median(dim=1).values if measure == "condition" else values.mean(dim=1)).tolist()
    made[f"{name}: aim"] = [float(way.aim.mean())]
    made[f"{name}: climb"] = [float(way.climb().mean())]
    end = way.spectra[PLACES[-1]]
    made[f"{name}: eigenvalues at the end"] = _density(end)
    return made


SHARES = np.linspace(0.0, 1.0, 41)


def _density(each: Spectrum) -> list[float]:
    """|λ| over its largest, of the first target, at evenly spaced shares of all directions."""
    sizes, order = each.values[0].abs().sort(descending=True)
    reached = each.weights[0][order].cumsum(0)
    return np.interp(SHARES, reached.numpy(), (sizes / sizes[0]).numpy()).tolist()


PAIRS = ((WHITENED, X), (LEARNED, X), (LEARNED, WHITENED))


def _shape_claims(ways: Mapping[str, Way]) -> list[Claim]:
    """Rounder, more convex, better aimed, without climbs: Θ against X, and each of its two parts."""
    made = []
    for ours, theirs in PAIRS:
        who = f"{ours} against {theirs}"
        for place in PLACES:
            a, b = (ways[row].spectra[place] for row in (ours, theirs))
            ratio = compare(a.condition(), b.condition(), floor=0.0)
            name = f"condition number at the {place}, {who}" if place != "on the way" else f"condition number {place}, {who}"
            made.append(Claim(name, "smoother", ratio.change, 0.0, "lower", ratio.change_interval))
            made.append(_difference(f"share of negative curvature, {place}, {ours} minus {theirs}", a.negative_share(),
                                    b.negative_share(), "more convex", "lower"))  # fmt: skip
        a_way, b_way = ways[ours], ways[theirs]
        title = f"gradient's cosine with the direction to the end, {ours} minus {theirs}"
        made.append(_difference(title, a_way.aim, b_way.aim, None, "higher"))
        title = f"climbs on the straight line to the end, {ours} minus {theirs}"
        made.append(_difference(title, a_way.climb(), b_way.climb(), "smoother", "lower"))
    return made


def _difference(name: str, a: Tensor, b: Tensor, paper: str | None, better: Literal["lower", "higher"]) -> Claim:
    found = spread((a - b).double().tolist())
    return Claim(name, paper, found.mean, 0.0, better, (found.low, found.high))


def _lead_claims(ways: Mapping[str, Way], steps: int, floor: float) -> list[Claim]:
    """Each part's change of the loss, and which share of Θ's lead the whitener has without any training."""
    made = []
    for at in sorted({min(5, steps), min(20, steps), steps}):
        for ours, theirs in (*PAIRS, *((row, X) for row in ways if row not in (X, WHITENED, LEARNED))):
            found = compare(ways[ours].loss[at], ways[theirs].loss[at], floor=floor)
            name = f"loss after {at} steps, {ROWS[ours]} against {ROWS[theirs]}"
            made.append(Claim(name, None, found.change, 0.0, "lower", found.change_interval))
        share, interval = lead_share(ways[X].loss[at], ways[WHITENED].loss[at], ways[LEARNED].loss[at], floor)
        name = f"share of the lead after {at} steps that the whitener has without training"
        if math.isfinite(share):  # where nobody leads, nobody has a share
            made.append(Claim(name, None, share, 1.0, "lower", interval))
    return made


def lead_share(x: Tensor, whitened: Tensor, learned: Tensor, floor: float = FLOOR) -> tuple[float, tuple[float, float]]:
    """Mean log(X / whitener) over mean log(X / Θ), of losses (n,) each, with its 95 % bootstrap interval; above 1, training
    cost something. Not a number where Θ has no lead at all."""
    logs = [each.double().clamp_min(floor).log() for each in (x, whitened, learned)]
    parts = ((logs[0] - logs[1]).numpy(), (logs[0] - logs[2]).numpy())

    def share(part: np.ndarray, whole: np.ndarray, axis: int = -1) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(part.mean(axis=axis) / whole.mean(axis=axis))

    value = float(share(*parts))
    if len(x) < 2 or not np.isfinite(value):
        return value, (float("nan"), float("nan"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # all resamples alike: the interval says so
        found = stats.bootstrap(
            parts, share, paired=True, n_resamples=2000, method="percentile", rng=np.random.default_rng(0)
        ).confidence_interval
    return value, (float(found.low), float(found.high))


COLOURS = ("#c2410c", "#a16207", "#0369a1", "#6b7280", "#7c3aed")


def plot(result: Result, path: Path) -> None:
    """The loss, the spectrum at the end, the condition number by place, and the straight line from the start to the end."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(17, 3.8), layout="constrained")
    loss, density, condition, line = figure.subplots(1, 4)
    rows = result.settings["rows"]
    for index, (name, colour) in enumerate(zip(rows, COLOURS, strict=False)):
        loss.plot(result.series[f"{name}: best loss"], color=colour, label=name)
        density.plot(100 * SHARES, result.series[f"{name}: eigenvalues at the end"], color=colour)
        places = np.arange(len(PLACES)) + 0.8 * (index / len(rows) - 0.5)
        condition.bar(places, result.series[f"{name}: condition"], width=0.8 / len(rows), color=colour, align="edge")
        line.plot(np.linspace(0, 1, POINTS), result.series[f"{name}: line"], color=colour)
    loss.set(title="mean of the best loss so far", xlabel="step", yscale="log")
    loss.legend(fontsize=8)
    density.set(title="|λ| over the largest, at the end", xlabel="% of all directions", yscale="log", ylim=(1e-6, 1.5))
    condition.set(title="largest over median |λ|", yscale="log", xticks=range(len(PLACES)), xticklabels=PLACES)
    line.set(title="mean loss on the straight line to the end", xlabel="share of the way", yscale="log")
    figure.savefig(path, dpi=130)
