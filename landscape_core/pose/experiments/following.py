"""Motions followed frame by frame: joint error and frames a second, cold against warm, X against Z by every optimiser."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.experiments.paired import Choice, compare, geometric_mean
from landscape_core.experiments.results import Claim, Result
from landscape_core.experiments.swept import Row, described
from landscape_core.pose.experiments.inversion import FLOORS, paired_rows
from landscape_core.pose.task import Body
from landscape_core.progress import Tick
from landscape_core.search.follow import Following, Order, Track, follow, joined
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.race import LaneSettings, RunSettings
from landscape_core.search.task import Task

ORDERS: tuple[Order, ...] = ("cold", "warm")
MOVES = (0.03, 0.1, 0.3, 1.0, 3.0)  # the first of a warm frame may be short
MILLIMETRE = 0.1  # cm; errors below it count as equal
CM, RATE = "cm", "frames a second"


@dataclass(frozen=True)
class FollowSettings:
    """`clips` of `frames` frames a set, followed with each of `steps` steps a frame; `tune_clips` of train choose the rate of
    every row, order and number of steps."""

    clips: int = 10
    frames: int = 30
    steps: tuple[int, ...] = (5, 20)
    tune_clips: int = 4
    space: str = "residual"
    seed: int = 0


Way = tuple[str, Order, int]  # a row, an order, and how many steps a frame
Chosen = dict[Way, Choice[OptimizerSettings]]


@dataclass(frozen=True)
class Paths:
    """How every clip of a set was followed one way: mean joint error in cm (clips,), and frames a second in all."""

    cm: Tensor
    rate: float


def run_following(
    task: Task, body: Body, tuning: Tensor, sets: Mapping[str, Tensor], settings: FollowSettings, command: str, tick: Tick
) -> Result:
    """`tuning` and each of `sets` are clips (n, frames, J, 3): the first choose rates, the others are followed."""
    rows = {row.name: row for row in paired_rows(task, settings.space, MOVES)}
    ways: list[Way] = [(row, order, steps) for steps in settings.steps for order in ORDERS for row in rows]
    chosen: Chosen = {}
    for done, way in enumerate(ways):
        chosen[way] = _best(task, body, rows[way[0]], way, tuning[: settings.tune_clips], FLOORS[body.observation])
        tick("choosing rates", done + 1, len(ways))
    details = {
        **vars(settings), "observation": body.observation, "seconds": "of one core's own time",
        "chosen": {" ".join(map(str, way)): described({way[2]: choice}) for way, choice in chosen.items()},
    }  # fmt: skip
    name = "follow" if body.observation == "rotations" else f"follow-{body.observation}"
    sizes = {label: len(clips) for label, clips in sets.items()}
    result = Result(name, command, settings.seed, task.hashes, sizes, details)
    for label, clips in sets.items():
        found: dict[Way, Paths] = {}
        for done, way in enumerate(ways):
            found[way] = _paths(task, body, rows[way[0]].space, way, chosen[way].setting, clips)
            tick(label, done + 1, len(ways))
        _report(result, label, [*rows], settings.steps, found)
    return result


def _best(
    task: Task, body: Body, row: Row, way: Way, clips: Tensor, floor: float
) -> Choice[OptimizerSettings]:  # fmt: skip
    """Of a row's candidates the one whose losses over all frames have the lowest geometric mean."""
    sweep = {}
    for name, optimizer in row.candidates.items():
        tracks = [_track(task, body, row.space, way, optimizer, clip) for clip in clips]
        sweep[name] = geometric_mean(torch.cat([track.loss for track in tracks]), floor)
    best = min(sweep, key=lambda name: sweep[name])
    return Choice(best, row.candidates[best], sweep)


def _paths(task: Task, body: Body, space: str, way: Way, optimizer: OptimizerSettings, clips: Tensor) -> Paths:
    tracks = [_track(task, body, space, way, optimizer, clip) for clip in clips]
    targets = [body.target(clip).value for clip in clips]
    errors = [body.joint_error(track.output, value).mean() for track, value in zip(tracks, targets, strict=True)]
    return Paths(torch.stack(errors), sum(map(len, tracks)) / sum(track.seconds for track in tracks))


def _track(task: Task, body: Body, space: str, way: Way, optimizer: OptimizerSettings, clip: Tensor) -> Track:
    """One clip (frames, J, 3), by one lane alone, on the clock of this process."""
    _, order, steps = way
    lanes = (LaneSettings(space=space, optimizer=optimizer),)
    settings, how = RunSettings(task=task.name, lanes=lanes, steps=steps), Following(order=order)
    (track,) = joined([*follow(task, settings, body.target(clip), how, clock=time.process_time)])
    return track


def _report(result: Result, label: str, rows: Sequence[str], budgets: Sequence[int], found: Mapping[Way, Paths]) -> None:
    """A set's series, a figure for each number of steps, and its claims; `rows` are X and Z by one optimiser after another."""
    for order in ORDERS:
        for row in rows:
            each = [found[row, order, steps] for steps in budgets]
            result.series[f"{row} {order} {CM} | {label}"] = [float(paths.cm.mean()) for paths in each]
            result.series[f"{row} {order} {RATE} | {label}"] = [paths.rate for paths in each]
    for steps in budgets:
        pairs: list[tuple[str, Way, Way]] = [
            *((f"{order}, {z} against {x}", (z, order, steps), (x, order, steps)) for order in ORDERS for x, z in _pairs(rows)),
            *((f"{row}, warm against cold", (row, "warm", steps), (row, "cold", steps)) for row in rows),
        ]
        for words, ours, theirs in pairs:
            comparison = compare(found[ours].cm, found[theirs].cm, floor=MILLIMETRE)
            name = f"{label}: joint error by {steps} steps a frame, {words}"
            result.comparisons[name] = comparison.to_json()
            result.claims.append(Claim(name, None, comparison.change, 0.0, "lower", comparison.change_interval))


def _pairs(rows: Sequence[str]) -> list[tuple[str, str]]:
    """X and Z by the same optimiser."""
    return [*zip(rows[::2], rows[1::2], strict=True)]


def plot(result: Result, path: Path) -> None:
    """Joint error over frames a second, a point for every number of steps a frame; a row of panels for every optimiser."""
    from matplotlib.figure import Figure

    ending = f" {ORDERS[0]} {CM} | {next(iter(result.n))}"
    pairs = _pairs([name.removesuffix(ending) for name in result.series if name.endswith(ending)])
    figure = Figure(figsize=(4.6 * len(result.n), 3.4 * len(pairs)), layout="constrained")
    panels = figure.subplots(len(pairs), len(result.n), sharex=True, sharey=True, squeeze=False)
    for across, pair in zip(panels, pairs, strict=True):
        for axes, label in zip(across, result.n, strict=True):
            for row, colour in zip(pair, ("#c2410c", "#0369a1"), strict=True):
                for order, dash in zip(ORDERS, ("--", "-"), strict=True):
                    rate, cm = (result.series[f"{row} {order} {what} | {label}"] for what in (RATE, CM))
                    axes.plot(rate, cm, color=colour, linestyle=dash, marker="o", markersize=4, label=f"{row}, {order}")
            axes.set(title=label if across is panels[0] else "", xscale="log", yscale="log")
            axes.legend(fontsize=7)
        across[0].set_ylabel("mean joint error (cm)")
    for axes in panels[-1]:
        axes.set_xlabel(f"{RATE}, one core")
    figure.savefig(path, dpi=150)
