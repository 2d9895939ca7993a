"""The shape of the loss around where descent in X and in Z ends, over many examples: four pictures prove nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from landscape_core.errors import UserError, reading
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OPTIMISER_NAMES, OptimizerName, OptimizerSettings
from landscape_core.search.race import RunSettings, prepare
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import run
from landscape_core.surfaces.measures import Measures, Spread, measure, spread
from landscape_core.surfaces.planes import Grid, Plane
from landscape_core.surfaces.recovered import same_models
from landscape_core.surfaces.surface import PathOnPlane, Surface, evaluate, path_on_plane
from landscape_core.surfaces.views import spreads

AVERAGED = ("convex_share", "minima", "barrier", "roughness", "steepness", "last loss")


@dataclass(frozen=True)
class LandscapeSettings:
    """`size` points a side; the grid reaches two standard deviations of the recovered latents along each axis.

    X is searched by the optimiser advised for Z, so that only the space differs, unless `x_optimizer` names another.
    """

    steps: int = 20
    size: int = 21
    batch: int = 32
    space: str = "residual"
    x_optimizer: OptimizerName | None = None
    seed: int = 0

    def optimizers(self, task: Task) -> tuple[OptimizerSettings, OptimizerSettings]:
        """Of X and of Z."""
        z = task.advice(self.space)
        return task.advice(X, self.x_optimizer or z.name), z

    def words(self, task: Task) -> dict[str, str]:
        """By lane: {"X": "Adam 0.1", "Z": "L-BFGS 1"}, each with its learning rate."""
        return {lane: _named(each.name, each.lr) for lane, each in zip("XZ", self.optimizers(task), strict=True)}

    def race(self, task: Task) -> RunSettings:
        """What every example is raced with."""
        x, z = self.optimizers(task)
        return RunSettings.pair(self.space, x, z, task=task.name, steps=self.steps, seed=self.seed)


@dataclass(frozen=True)
class Example:
    """One target's surface in one space."""

    surface: Surface
    path: PathOnPlane
    measures: Measures


def examine(
    task: Task, target: Target, plane: Plane, points: Tensor, losses: Tensor, settings: LandscapeSettings,
    *, stop: Callable[[], bool] = lambda: False,
) -> Example | None:  # fmt: skip
    """The surface of a target (1, ...) on a grid centred on the last of a path's points (T, dim), with losses (T,).

    None where it was stopped before its end.
    """
    grid = Grid(plane.through(points[-1]), spreads(plane), size=settings.size)
    *_, surface = evaluate(task, target, grid, batch=settings.batch, stop=stop)
    if surface.level < settings.size:
        return None
    return Example(surface, path_on_plane(task, target, grid.plane, points, losses), measure(surface.losses))


def examined(
    task: Task, targets: Target, planes: Mapping[str, Plane], settings: LandscapeSettings, *,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[dict[str, Example]]:  # fmt: skip
    """Race on each target (n, ...) in turn and measure the surfaces around both ends, by lane, on planes known before."""
    for i in range(len(targets)):
        target = targets.select(slice(i, i + 1))
        raced = settings.race(task)
        trajectory = run(*prepare(task, raced, target), stop=stop).pair(*raced.names())
        found: dict[str, Example] = {}
        for lane, space in (("X", X), ("Z", settings.space)):
            record = trajectory.lane(lane)
            points = torch.cat(record.variables)  # (T, dim)
            losses = record.loss_table()[:, 0]
            whole = None if stop() else examine(task, target, planes[space], points, losses, settings, stop=stop)
            if whole is None:
                return
            found[lane] = whole
        yield found


def series(examples: Mapping[str, Sequence[Example]]) -> dict[str, list[float]]:
    """Every figure of every example by "figure | lane"."""
    columns: dict[str, list[float]] = {}
    for lane, found in examples.items():
        for name in found[0].measures.as_dict():
            columns[f"{name} | {lane}"] = [each.measures.as_dict()[name] for each in found]
        middle = found[0].surface.grid.size // 2
        columns |= {
            f"last loss | {lane}": [float(e.path.true_loss[-1]) for e in found],
            f"centre minus last loss | {lane}": [float(e.surface.losses[middle, middle] - e.path.true_loss[-1]) for e in found],
            f"start's distance from plane | {lane}": [float(e.path.distance[0]) for e in found],
            f"start's distance along plane | {lane}": [float(e.path.coordinates[0].norm()) for e in found],
            f"largest true minus plane loss | {lane}": [
                float((e.path.true_loss - e.path.plane_loss).abs().max()) for e in found
            ],
        }
    return columns


@dataclass(frozen=True)
class Averages:
    """Spreads over n examples, by figure and lane, each measured where a run of `steps` ended; `source` is the command that
    found them, or what was done."""

    source: str
    n: int
    steps: int
    optimizers: Mapping[str, str]
    spreads: Mapping[str, Mapping[str, Spread]]


def averages(source: str, columns: Mapping[str, Sequence[float]], optimizers: Mapping[str, str], *, steps: int) -> Averages:
    """From the figures of at least two examples, as `series` gives them, after runs of so many steps."""
    found = {name: {lane: spread(columns[f"{name} | {lane}"]) for lane in ("X", "Z")} for name in AVERAGED}
    return Averages(source, len(columns["last loss | X"]), steps, optimizers, found)


LABELS = {"convex_share": "convex share of points", "minima": "local minima", "last loss": "loss at the end"}


def sentence(found: Averages) -> str:
    """Who was measured, how often, and every figure in X and in Z."""
    by = ", ".join(f"{lane} by {name}" for lane, name in found.optimizers.items())
    figures = "; ".join(
        f"{LABELS.get(name, name)} " + " and ".join(f"{lanes[lane].mean:.3g} ± {lanes[lane].deviation:.2g}" for lane in "XZ")
        for name, lanes in found.spreads.items()
    )
    who = f"{found.n} examples after {found.steps} steps ({found.source}; {by})"
    return f"{who}, mean ± standard deviation in X and in Z: {figures}."


def committed(folder: Path, task: Task, space: str) -> list[Averages]:
    """What `reproduce landscapes` wrote into a folder for exactly these models and this space, by name of the file."""
    found = []
    for path in sorted(folder.glob("landscapes*.json")):
        with suppress(UserError), reading(str(path)):  # the page of results says which file is bad
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["settings"]["space"] == space and same_models(content["models"], task.hashes, space):
                steps, optimizers = content["settings"]["steps"], _optimizers(content["settings"])
                found.append(averages(content["command"], content["series"], optimizers, steps=steps))
    return found


def _optimizers(settings: Mapping[str, Any]) -> dict[str, str]:
    return {lane: _named(settings[f"{lane.lower()}_optimizer"], settings[f"{lane.lower()}_lr"]) for lane in "XZ"}


def _named(optimizer: OptimizerName, lr: float) -> str:
    return f"{OPTIMISER_NAMES[optimizer]} {lr:g}"
