"""Appendix A over many examples: the shape of the loss around where descent in X and in Z ends, in numbers (Fig. 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from landscape_core.experiments.results import Claim, Result, relative_change
from landscape_core.progress import Tick
from landscape_core.search.objectives import Target
from landscape_core.search.race import prepare
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import Trajectory, run
from landscape_core.surfaces.averages import Example, LandscapeSettings, examine, series
from landscape_core.surfaces.measures import spread
from landscape_core.surfaces.planes import Plane, principal_plane
from landscape_core.surfaces.views import spreads

SHOWN = 4  # examples drawn, as many as in Fig. 8: the first ones, not chosen


def run_landscapes(
    task: Task, targets: Target, settings: LandscapeSettings, command: str, tick: Tick, *, name: str = "landscapes"
) -> tuple[Result, dict[str, list[Example]], dict[str, Plane]]:
    """Race on every target (n, ...), take the principal directions of the recovered latents in X and in Z, and
    measure the surface of every target on the plane of its own last step.

    Returns the result, every example by lane, and the recovered planes by space.
    """
    races = _races(task, targets, settings, tick)
    examples: dict[str, list[Example]] = {}
    planes: dict[str, Plane] = {}
    for index, (lane, space) in enumerate((("X", X), ("Z", settings.space))):
        points = torch.cat([_whole(race.lanes[index].variables, settings.steps) for race in races], dim=1)  # (T, n, dim)
        losses = torch.cat([_whole(race.lanes[index].losses, settings.steps) for race in races], dim=1)  # (T, n)
        planes[space] = principal_plane(points[-1], space)
        examples[lane] = []
        for i in range(len(targets)):
            target = targets.select(slice(i, i + 1))
            found = examine(task, target, planes[space], points[:, i], losses[:, i], settings)
            assert found is not None  # nobody stops it
            examples[lane].append(found)
            tick(f"surfaces in {lane}", i + 1, len(targets))
    return _result(task, settings, command, examples, planes, name), examples, planes


def _races(task: Task, targets: Target, settings: LandscapeSettings, tick: Tick, *, batch: int = 25) -> list[Trajectory]:
    races = []
    for first in range(0, len(targets), batch):
        races.append(run(*prepare(task, settings.race(task), targets.select(slice(first, first + batch)))))
        tick("races", min(first + batch, len(targets)), len(targets))
    return races


def _whole(values: Sequence[Tensor], steps: int) -> Tensor:
    """One lane's (steps + 1, B, ...): a race in which every sample was given up has ended early, and stays where it was."""
    return torch.stack([*values, *[values[-1]] * (steps + 1 - len(values))])


def _result(
    task: Task, settings: LandscapeSettings, command: str, examples: dict[str, list[Example]], planes: dict[str, Plane],
    name: str,
) -> Result:  # fmt: skip
    x, z = settings.optimizers(task)
    described = {
        **asdict(settings), "x_optimizer": x.name, "x_lr": x.lr, "z_optimizer": z.name, "z_lr": z.lr,
        "explained_variance": {space: plane.explained for space, plane in planes.items()},
        "half_widths": {space: spreads(plane) for space, plane in planes.items()},
    }  # fmt: skip
    n = {"examples": len(examples["X"])}
    name = name if settings.x_optimizer is None else f"{name}-x-{settings.x_optimizer}"
    result = Result(name, command, settings.seed, task.hashes, n, described, series(examples))
    result.claims = _claims(result)
    return result


COMPARED = {
    "convex_share": ("share of convex points", "highly non-convex in X", "higher"),
    "minima": ("local minima", "highly non-convex in X", "lower"),
    "peaks": ("peaks (local maxima)", "spikes removed in Z", "lower"),
    "barrier": ("barriers between valleys (share of the depth)", "smoother in Z", "lower"),
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
