"""What a learned space is worth for networks that have nothing to do with pictures: steps and time to a tolerance, X and Z."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from landscape_core.experiments.comparing import learned
from landscape_core.experiments.curves import ADAM_SWEEP, Searches
from landscape_core.experiments.paired import choose_rates, compare
from landscape_core.experiments.results import Claim, Result
from landscape_core.plugins.training.theta import plugin_mapping_trainer
from landscape_core.progress import Tick
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.race import LaneSettings, RunSettings, prepare
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import run

FIRST_MOVES = (0.1, 0.3, 1.0, 3.0)
Z = "residual"
OPTIMISERS = ("Adam", "L-BFGS")


@dataclass(frozen=True)
class ToleranceSettings:
    """A target is found where the loss is `tolerance` of that at the prior's mean. `tune_targets` others choose every lane's
    rate. All targets are drawn from the model, which a Θ is trained on, by other seeds."""

    targets: int = 32
    tune_targets: int = 16
    steps: int = 100
    tolerance: float = 1e-3
    buffers: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Lane:
    """One search: how many steps every target took (n,), one more than there are where it was not found, and what one costs."""

    steps: Tensor
    seconds: float
    chosen: OptimizerSettings


def run_plugins(tasks: Sequence[Task], settings: ToleranceSettings, work: Path, command: str, tick: Tick) -> Result:
    """Learn a Θ for every task and measure it; see `ToleranceSettings`."""
    result = Result(
        "plugins",
        command,
        settings.seed,
        {},
        {task.name: settings.targets for task in tasks},
        {**asdict(settings), "tasks": {}},
    )
    for task in tasks:
        started = time.perf_counter()
        with_theta, buffers = _learned(task, settings, work, tick)
        trained = time.perf_counter() - started
        lanes = measured(with_theta, settings, tick)
        result.settings["tasks"][task.name] = {
            "models": dict(task.hashes), "seconds of training": round(trained, 1), "buffers": buffers,
            "lanes": {name: _described(lane, settings.steps) for name, lane in lanes.items()},
        }  # fmt: skip
        result.series |= {f"steps, {name} | {task.name}": lane.steps.tolist() for name, lane in lanes.items()}
        result.claims += [_claim(task.name, lanes, by, settings) for by in OPTIMISERS]
    return result


def _learned(task: Task, settings: ToleranceSettings, work: Path, tick: Tick) -> tuple[Task, int]:
    """The task with a Θ, and how many buffers that was learned in."""
    trainer, _ = plugin_mapping_trainer(task, Z, None, work, buffers=settings.buffers, seed=settings.seed)
    theta = learned(trainer, tick, f"{task.name}: learning Θ")
    return replace(task, mappings={Z: theta}), trainer.progress.buffer


def measured(task: Task, settings: ToleranceSettings, tick: Tick) -> dict[str, Lane]:
    """X and Z by each optimiser, each at the rate that is best on other targets: {"X Adam": ...}."""
    tuned, judged = (
        task.sampled(n, torch.Generator().manual_seed(settings.seed + shift))
        for n, shift in ((settings.tune_targets, 1), (settings.targets, 2))
    )
    rows = {f"{row} {by}": (space, by) for by in OPTIMISERS for row, space in (("X", X), ("Z", Z))}
    candidates = {name: _candidates(task, *row) for name, row in rows.items()}
    lanes = {
        f"{name} {each}": (rows[name][0], setting.build(settings.steps))
        for name, settings_of in candidates.items()
        for each, setting in settings_of.items()
    }
    searches = Searches(task, tick)
    curves = searches.curves(tuned, lanes, settings.steps, f"{task.name}: choosing rates")
    floor = settings.tolerance * float(next(iter(curves.values())).loss[0].mean())
    chosen = {}
    for name, settings_of in candidates.items():
        losses = {each: curves[f"{name} {each}"].loss for each in settings_of}
        found = choose_rates({each: each for each in settings_of}, losses.__getitem__, [settings.steps], floor)
        chosen[name] = settings_of[found[settings.steps].name]
    built = {name: (rows[name][0], chosen[name].build(settings.steps)) for name in rows}
    last = searches.curves(judged, built, settings.steps, f"{task.name}: measuring")
    seconds = _seconds(task, judged, [LaneSettings(space=rows[name][0], optimizer=chosen[name]) for name in rows], settings)
    start = last["X Adam"].loss[0]
    return {
        name: Lane(steps_to(last[name].loss, settings.tolerance * start), seconds[i], chosen[name])
        for i, name in enumerate(rows)
    }


def steps_to(best: Tensor, goal: Tensor) -> Tensor:
    """The first step (n,) at which best losses so far (steps + 1, n) are no higher than a goal (n,); one more than there are
    steps where none is."""
    return (best > goal).sum(dim=0)


def _candidates(task: Task, space: str, by: str) -> dict[str, OptimizerSettings]:
    if by == "Adam":
        return {f"{lr:g}": task.advice(space, "adam", lr=lr) for lr in ADAM_SWEEP}
    return {f"{move:g}": task.advice(space, "lbfgs", first_move=move) for move in FIRST_MOVES}


def _seconds(task: Task, target: Target, lanes: Sequence[LaneSettings], settings: ToleranceSettings) -> list[float]:
    """What a step of one target costs in every lane, measured side by side."""
    race = RunSettings(task=task.name, lanes=tuple(lanes), steps=min(settings.steps, 20))
    done = run(*prepare(task, race, target.select(slice(0, 1))))
    return [lane.seconds[-1] / race.steps for lane in done.lanes]


def _described(lane: Lane, most: int) -> dict[str, object]:
    median, found = float(lane.steps.double().median()), float((lane.steps <= most).double().mean())
    return {
        "median steps": median, "found": found, "milliseconds a step": 1000 * lane.seconds,
        "median seconds": median * lane.seconds, "optimizer": lane.chosen.model_dump(),
    }  # fmt: skip


def _claim(task: str, lanes: dict[str, Lane], by: str, settings: ToleranceSettings) -> Claim:
    """That Z needs fewer steps than X by the same optimiser."""
    found = compare(lanes[f"Z {by}"].steps.double(), lanes[f"X {by}"].steps.double(), floor=1.0)
    what = f"{task}: steps to {settings.tolerance:g} of the start's loss, Z against X by {by}"
    return Claim(what, None, found.change, 0.0, "lower", found.change_interval)


def plot(result: Result, path: Path) -> None:
    """A panel a task: how many of its targets are found within each number of steps."""
    from matplotlib.figure import Figure

    colours = {"X Adam": "#c2410c", "Z Adam": "#0369a1", "X L-BFGS": "#a16207", "Z L-BFGS": "#0f766e"}
    figure = Figure(figsize=(4.2 * len(result.n), 3.4), layout="constrained")
    panels = figure.subplots(1, len(result.n), sharey=True, squeeze=False)[0]
    steps = np.arange(result.settings["steps"] + 1)
    for axes, task in zip(panels, result.n, strict=True):
        for name, colour in colours.items():
            taken = np.array(result.series[f"steps, {name} | {task}"])
            axes.plot(steps, [(taken <= step).mean() for step in steps], color=colour, label=name)
        axes.set(title=task, xlabel="step", ylim=(-0.02, 1.02))
    panels[0].set_ylabel("share of targets found")
    panels[0].legend(fontsize=8)
    figure.savefig(path, dpi=130)
