"""Fig. 6 and 9 over many faces: how diverse completions from random starts are, and what that costs in fidelity."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from landscape_core import processes
from landscape_core.experiments.results import Claim, Result, relative_change
from landscape_core.generators.completion import (
    border_effect,
    completion_settings,
    completions,
    diversity,
    hidden_influence,
    perceptual_distance,
)
from landscape_core.generators.masks import PRESETS, preset
from landscape_core.progress import Tick
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerName
from landscape_core.search.race import RunSettings
from landscape_core.search.task import Task
from landscape_core.storage.cache import Kept
from landscape_core.storage.fingerprint import fingerprint

LANES = ("X", "Z")


@dataclass(frozen=True)
class CompletionStudy:
    """K completions per face and space; the masks take turns. Both numbers are taken at `marks` and at the last step.

    X is searched by the optimiser advised for Z, so that only the space differs, unless `x_optimizer` names another.
    """

    k: int = 8
    steps: int = 50
    marks: tuple[int, ...] = (0, 1, 2, 3, 5, 10, 20, 50, 100, 200)
    space: str = "residual"
    x_optimizer: OptimizerName | None = None
    masks: tuple[str, ...] = tuple(PRESETS)
    seed: int = 0


@dataclass
class Curves:
    """One lane of one face, at every mark: mean visible loss and diversity in the hidden region."""

    fidelity: list[float] = field(default_factory=list)
    diversity: list[float] = field(default_factory=list)

    def diversity_at(self, loss: float) -> float | None:
        """Diversity at the first mark whose visible loss is at or below `loss`; None where there is none."""
        found = (d for f, d in zip(self.fidelity, self.diversity, strict=True) if f <= loss)
        return next(found, None)


def run_completions(
    task: Task, pictures: Tensor, study: CompletionStudy, command: str, tick: Tick, work: Path | None = None
) -> Result:
    """Complete every picture (n, 3, H, W) under its mask from the same number of random starts in X and in Z; what is done is
    kept below `work`."""
    size = pictures.shape[-1]

    def completed(i: int) -> tuple[list[Curves], float]:
        target = Target(pictures[i : i + 1], preset(study.masks[i % len(study.masks)], size))
        settings = _run_settings(task, study, study.seed + i)
        kept = Kept(work, fingerprint(task.hashes, task.objective, settings.model_dump(), study.k, _marks(study), target))
        row = kept.get("curves and influence", partial(_one, task, target, study, settings))
        tick("completing", i + 1, len(pictures))
        measures = row[:-1].view(len(LANES), 2, -1).tolist()
        return [Curves(fidelity, variety) for fidelity, variety in measures], float(row[-1])

    done = [*processes.in_turns(completed, range(len(pictures)))]
    found = {lane: [curves[place] for curves, _ in done] for place, lane in enumerate(LANES)}
    influence = max((influence for _, influence in done), default=0.0)
    name = "completions" if study.x_optimizer is None else f"completions-x-{study.x_optimizer}"
    result = Result(name, command, study.seed, task.hashes, {"faces": len(pictures)}, _settings(task, study))
    for lane, each_curve in found.items():
        result.series[f"fidelity | {lane}"] = [c.fidelity[-1] for c in each_curve]
        result.series[f"diversity | {lane}"] = [c.diversity[-1] for c in each_curve]
        result.series[f"mean fidelity per mark | {lane}"] = _means([c.fidelity for c in each_curve])
        result.series[f"mean diversity per mark | {lane}"] = _means([c.diversity for c in each_curve])
    result.series["step of each mark"] = [float(step) for step in _marks(study)]
    result.series["leak at the border, share, by mask"] = _leaks(task, pictures, study)
    result.claims = _claims(result, found, influence)
    return result


def _one(task: Task, target: Target, study: CompletionStudy, settings: RunSettings) -> Tensor:
    """Both lanes' curves on one face (lanes, measures, marks), flat, and the influence of what is hidden on X's last losses."""
    distance, mask = perceptual_distance(task.objective), target.mask
    assert mask is not None
    curves, marks = [Curves() for _ in LANES], _marks(study)
    for state in completions(task, target, study.k, settings):
        for each, lane in zip(curves, state.lanes, strict=True):
            if state.step in marks:
                each.fidelity.append(float(lane.loss.mean()))
                each.diversity.append(diversity(distance, lane.output, mask))
    outputs = state.lanes[0].output
    influence = hidden_influence(task.objective, target.repeat(len(outputs)), outputs)
    measures = [value for each in curves for value in (*each.fidelity, *each.diversity)]
    return torch.tensor([*measures, influence], dtype=torch.float64)


def _run_settings(task: Task, study: CompletionStudy, seed: int) -> RunSettings:
    return completion_settings(task, space=study.space, steps=study.steps, seed=seed, x_optimizer=study.x_optimizer)


def _marks(study: CompletionStudy) -> list[int]:
    return sorted({*(mark for mark in study.marks if mark < study.steps), study.steps})


def _settings(task: Task, study: CompletionStudy) -> dict[str, object]:
    chosen = _run_settings(task, study, study.seed)
    x, z = (lane.optimizer.model_dump() for lane in chosen.lanes)
    return {**asdict(study), "x_optimizer": x, "z_optimizer": z}


def _means(rows: list[list[float]]) -> list[float]:
    return torch.tensor(rows).mean(dim=0).tolist()


def _leaks(task: Task, pictures: Tensor, study: CompletionStudy) -> list[float]:
    """Per mask: what greying does to visible features, as a share of what tells two faces apart there."""
    distance = perceptual_distance(task.objective)
    some = pictures[:16].to(task.device)
    return [border_effect(distance, some, preset(name, pictures.shape[-1])).share for name in study.masks]


def _claims(result: Result, found: dict[str, list[Curves]], influence: float) -> list[Claim]:
    """Fidelity and diversity at the end, diversity at equal fidelity, and that hidden pixels have no say."""
    series = {name: torch.tensor(values) for name, values in result.series.items()}
    fidelity, bounds = relative_change(series["fidelity | Z"], series["fidelity | X"])
    variety, interval = relative_change(series["diversity | Z"], series["diversity | X"])
    who = f"Z ({result.settings['z_optimizer']['name']}) against X ({result.settings['x_optimizer']['name']})"
    claims = [
        Claim(f"visible loss of completions, {who}", None, fidelity, 0.0, "lower", bounds),
        Claim(f"diversity in the hidden region, {who}", "diverse", variety, 0.0, "higher", interval),
    ]
    pairs = [(z.diversity_at(x.fidelity[-1]), x.diversity[-1]) for z, x in zip(found["Z"], found["X"], strict=True)]
    equal = [(z, x) for z, x in pairs if z is not None]
    result.series["faces on which Z reaches X's visible loss"] = [float(len(equal))]
    if len(equal) > 1:
        z, x = torch.tensor(equal).T
        change, bounds = relative_change(z, x)
        label = f"diversity where Z's visible loss first is at or below X's last ({len(equal)} of {len(pairs)} faces), {who}"
        claims.append(Claim(label, None, change, 0.0, "higher", bounds))
    claims.append(Claim("largest change of the loss when hidden pixels change", "gradient zero", influence, 0.0, "lower"))
    return claims


def plot(result: Result, path: Path) -> None:
    """Diversity over fidelity, from the start (right) to the last step: up and to the left is better."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for lane, colour in (("X", "#c2410c"), ("Z", "#0369a1")):
        axes.scatter(result.series[f"fidelity | {lane}"], result.series[f"diversity | {lane}"], s=9, color=colour, alpha=0.4)
        fidelity, variety = (result.series[f"mean {name} per mark | {lane}"] for name in ("fidelity", "diversity"))
        axes.plot(fidelity, variety, color=colour, marker="o", markersize=4, label=f"{lane}, mean per step")
        for step, f, d in zip(result.series["step of each mark"], fidelity, variety, strict=True):
            axes.annotate(f"{step:.0f}", (f, d), fontsize=7, xytext=(3, 3), textcoords="offset points")
    axes.set(xlabel="loss in the visible part (lower is closer)", ylabel="diversity in the hidden part", xscale="log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.legend()
    figure.savefig(path, dpi=150)
