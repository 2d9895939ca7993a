"""Appendix A over many examples: the shape of the loss around where descent in X and in Z ends, in numbers (Fig. 8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from landscape_core.objectives import Target
from landscape_core.optimizers import DEFAULT_RATES, OptimizerName, OptimizerSettings
from landscape_core.planes import Grid, Plane, principal_plane
from landscape_core.reproduce.results import Claim, Result, relative_change
from landscape_core.runs import RunSettings, prepare
from landscape_core.surface import PathOnPlane, Surface, evaluate, path_on_plane
from landscape_core.surface_measures import Measures, measure, spread
from landscape_core.surface_views import spreads
from landscape_core.tasks.base import Task, X
from landscape_core.trajectory import Trajectory, run

Tick = Callable[[str, int, int], None]
SHOWN = 4  # examples drawn, as many as in Fig. 8: the first ones, not chosen


@dataclass(frozen=True)
class LandscapeSettings:
    """`size` points a side; the grid reaches two standard deviations of the recovered latents along each axis.

    `x_optimizer` replaces the one advised for X, at its default rate: with Z's, only the space differs.
    """

    steps: int = 20
    size: int = 21
    batch: int = 32
    space: str = "residual"
    x_optimizer: OptimizerName | None = None
    seed: int = 0


@dataclass(frozen=True)
class Example:
    """One target's surface in one space."""

    surface: Surface
    path: PathOnPlane
    measures: Measures


def run_landscapes(
    task: Task, pictures: Tensor, settings: LandscapeSettings, command: str, tick: Tick
) -> tuple[Result, dict[str, list[Example]], dict[str, Plane]]:
    """Race on every picture (n, 3, 64, 64), take the principal directions of the recovered latents in X and in Z, and
    measure the surface of every picture on the plane of its own last step.

    Returns the result, every example by lane, and the recovered planes by space.
    """
    races = _races(task, pictures, settings, tick)
    examples: dict[str, list[Example]] = {}
    planes: dict[str, Plane] = {}
    for index, (lane, space) in enumerate((("X", X), ("Z", settings.space))):
        points = torch.cat([torch.stack(race.lanes[index].variables) for race in races], dim=1)  # (T, n, dim)
        losses = torch.cat([race.lanes[index].loss_table() for race in races], dim=1)  # (T, n)
        planes[space] = principal_plane(points[-1], space)
        examples[lane] = []
        for i in range(len(pictures)):
            target = Target(pictures[i : i + 1])
            examples[lane].append(_example(task, target, planes[space], points[:, i], losses[:, i], settings))
            tick(f"surfaces in {lane}", i + 1, len(pictures))
    return _result(task, settings, command, examples, planes), examples, planes


def _races(task: Task, pictures: Tensor, settings: LandscapeSettings, tick: Tick, *, batch: int = 25) -> list[Trajectory]:
    x, z = _optimizers(task, settings)
    chosen = RunSettings(task=task.name, space=settings.space, steps=settings.steps, seed=settings.seed, x=x, z=z)
    races = []
    for part in pictures.split(batch):
        races.append(run(*prepare(task, chosen, Target(part))))
        tick("races", min(len(races) * batch, len(pictures)), len(pictures))
    return races


def _optimizers(task: Task, settings: LandscapeSettings) -> tuple[OptimizerSettings, OptimizerSettings]:
    """Of X and of Z."""
    name = settings.x_optimizer
    x = task.advice(X) if name is None else OptimizerSettings(name=name, lr=DEFAULT_RATES[name])
    return x, task.advice(settings.space)


def _example(task: Task, target: Target, plane: Plane, points: Tensor, losses: Tensor, settings: LandscapeSettings) -> Example:
    """The grid centred on the last of points (T, dim)."""
    grid = Grid(plane.through(points[-1]), spreads(plane), size=settings.size)
    *_, surface = evaluate(task, target, grid, batch=settings.batch)
    return Example(surface, path_on_plane(task, target, grid.plane, points, losses), measure(surface.losses))


def _result(
    task: Task, settings: LandscapeSettings, command: str, examples: dict[str, list[Example]], planes: dict[str, Plane]
) -> Result:
    x, z = _optimizers(task, settings)
    described = {
        **asdict(settings), "x_optimizer": x.name, "x_lr": x.lr, "z_optimizer": z.name, "z_lr": z.lr,
        "explained_variance": {space: plane.explained for space, plane in planes.items()},
        "half_widths": {space: spreads(plane) for space, plane in planes.items()},
    }  # fmt: skip
    n = {"examples": len(examples["X"])}
    name = "landscapes" if settings.x_optimizer is None else f"landscapes-x-{settings.x_optimizer}"
    result = Result(name, command, settings.seed, task.hashes, n, described)
    for lane, found in examples.items():
        for name in found[0].measures.as_dict():
            result.series[f"{name} | {lane}"] = [example.measures.as_dict()[name] for example in found]
        middle = settings.size // 2
        result.series |= {
            f"last loss | {lane}": [float(e.path.true_loss[-1]) for e in found],
            f"centre minus last loss | {lane}": [float(e.surface.losses[middle, middle] - e.path.true_loss[-1]) for e in found],
            f"start's distance from plane | {lane}": [float(e.path.distance[0]) for e in found],
            f"start's distance along plane | {lane}": [float(e.path.coordinates[0].norm()) for e in found],
            f"largest true minus plane loss | {lane}": [
                float((e.path.true_loss - e.path.plane_loss).abs().max()) for e in found
            ],
        }
    result.claims = _claims(result)
    return result


COMPARED = {
    "convex_share": ("share of convex points", "highly non-convex in X", "higher"),
    "minima": ("local minima", "highly non-convex in X", "lower"),
    "peaks": ("peaks (local maxima)", "spikes removed in Z", "lower"),
    "roughness": ("roughness (variance no quadratic explains)", "smoother in Z", "lower"),
    "steepness": ("steepness (loss per half-width)", "tends to be steeper in Z", "higher"),
}


def _claims(result: Result) -> list[Claim]:
    """Differences Z - X, paired by example, with their 95 % t intervals."""
    claims = []
    # The optimiser decides where a surface is centred and how wide it is, so no claim is about the space alone.
    difference_of = "Z ({z_optimizer}) minus X ({x_optimizer})".format(**result.settings)
    for name, (label, paper, better) in COMPARED.items():
        pairs = zip(result.series[f"{name} | Z"], result.series[f"{name} | X"], strict=True)
        difference = spread([z - x for z, x in pairs])
        interval = (difference.low, difference.high)
        claims.append(Claim(f"{label}, {difference_of}, mean over examples", paper, difference.mean, 0.0, better, interval))  # type: ignore[arg-type]
    z, x = (torch.tensor(result.series[f"last loss | {lane}"]) for lane in ("Z", "X"))
    change, bounds = relative_change(z, x)
    label = "loss after {steps} steps, Z ({z_optimizer}) against X ({x_optimizer})".format(**result.settings)
    claims.append(Claim(label, "lower in Z", change, 0.0, "lower", bounds))
    return claims


def plot(result: Result, examples: Mapping[str, Sequence[Example]], path: Path) -> None:
    """Above Fig. 8: the first four examples in Z and in X, all on one scale. Below every measure of every example."""
    from matplotlib.figure import Figure

    shown = [*examples["Z"][:SHOWN], *examples["X"][:SHOWN]]
    low = min(float(example.surface.losses.min()) for example in shown)
    high = max(float(example.surface.losses.max()) for example in shown)
    figure = Figure(figsize=(13, 11), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=[2, 1])
    upper, lower = parts
    columns = len(shown) // 2
    for index, example in enumerate(shown):
        axes = upper.add_subplot(2, columns, index + 1, projection="3d")
        u, v = example.surface.grid.ticks()
        across, along = np.meshgrid(u, v)
        axes.plot_surface(across, along, example.surface.losses.T.numpy(), cmap="viridis", vmin=low, vmax=high)
        axes.set(zlim=(low, high), title=f"{'Z' if index < columns else 'X'}, example {index % columns + 1}")
    strips = np.atleast_1d(lower.subplots(1, len(COMPARED)))
    for axes, name in zip(strips, COMPARED, strict=True):
        values = [result.series[f"{name} | {lane}"] for lane in ("X", "Z")]
        axes.plot([0, 1], values, color="#9ca3af", linewidth=0.5)
        axes.plot([0, 1], np.mean(values, axis=1), color="#111827", marker="o")
        axes.set(xticks=[0, 1], xticklabels=["X", "Z"], title=COMPARED[name][0].split(" (")[0])
    figure.savefig(path, dpi=110)
