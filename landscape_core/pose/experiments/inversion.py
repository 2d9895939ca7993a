"""Figure 3b: pose loss and joint error per step in X (tuned) and in Z, on recordings unseen and on actions unseen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.experiments.curves import COLOURS, LBFGS_SWEEP, Lanes
from landscape_core.experiments.results import Claim, Result, mean_series, relative_change
from landscape_core.pose.task import Body
from landscape_core.progress import Tick
from landscape_core.search.optimizers import LBFGS, Adam
from landscape_core.search.solver import Lane, LaneState, Solver
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import states

ADAM_SWEEP = (0.5, 0.1, 0.05, 0.01, 0.001)
PAPER, AIM = (-0.19, -0.11), (-0.25, -0.15)
NEAR = 0.05  # above the lowest loss found: as good as there


@dataclass(frozen=True)
class PoseSettings:
    """`tune_targets` poses choose X's learning rates (the lowest mean loss after `steps`).

    `more_starts` random starts of X by L-BFGS on every pose look for the lowest loss there is to be found.
    """

    targets: int = 200
    steps: int = 200
    tune_targets: int = 48
    batch: int = 100
    more_starts: int = 4
    space: str = "residual"
    seed: int = 0


@dataclass(frozen=True)
class Curves:
    """One lane: best loss so far (steps + 1, n), its variable's joint error in cm (steps + 1, n), seconds a pose."""

    loss: Tensor
    error: Tensor
    seconds: float


class _Best:
    """Follows a lane's best loss so far, and the joint error there: L-BFGS tries points that it takes back."""

    def __init__(self, body: Body, target: Tensor) -> None:
        self.body, self.target = body, target
        self.loss: list[Tensor] = []
        self.error: list[Tensor] = []

    def record(self, lane: LaneState) -> None:
        with torch.no_grad():
            error = self.body.joint_error(lane.output, self.target).mean(dim=1)
        if self.loss:
            improved = lane.loss < self.loss[-1]
            error = torch.where(improved, error, self.error[-1])
        self.loss.append(lane.best_loss)
        self.error.append(error)


def pose_lanes(task: Task, lanes: Lanes) -> list[Lane]:
    """{name: (space, optimiser)} as the lanes of a solver."""
    return [Lane(name, task.space(space), optimizer) for name, (space, optimizer) in lanes.items()]


def pose_curves(
    task: Task, body: Body, poses: Tensor, lanes: Lanes, settings: PoseSettings, tick: Tick, label: str
) -> dict[str, Curves]:
    """Every lane, {name: (space, optimiser)}, on poses (n, J, 3) from the mean start."""
    parts: dict[str, list[Curves]] = {name: [] for name in lanes}
    for first in range(0, len(poses), settings.batch):
        target = body.target(poses[first : first + settings.batch])
        built = pose_lanes(task, lanes)
        solver = Solver(task.forward, task.objective, target, built, max_steps=settings.steps)
        followed = {name: _Best(body, target.value) for name in lanes}
        for state in states(solver, solver.init([lane.space.mean_start(len(target)) for lane in built])):
            for lane, now in zip(built, state.lanes, strict=True):
                followed[lane.name].record(now)
            tick(label, first * settings.steps + len(target) * state.step, len(poses) * settings.steps)
        for lane, now in zip(built, state.lanes, strict=True):
            best = followed[lane.name]
            parts[lane.name].append(Curves(torch.stack(best.loss), torch.stack(best.error), now.seconds))
    return {name: _joined(each, len(poses)) for name, each in parts.items()}


def _joined(parts: list[Curves], n: int) -> Curves:
    loss, error = torch.cat([part.loss for part in parts], dim=1), torch.cat([part.error for part in parts], dim=1)
    return Curves(loss, error, sum(part.seconds for part in parts) / n)


def tune(task: Task, body: Body, poses: Tensor, settings: PoseSettings, tick: Tick) -> dict[str, dict[str, float]]:
    """Mean best loss after all steps in X, by optimiser and learning rate; all of them in one batch."""
    optimizers = {f"Adam {lr}": Adam(lr) for lr in ADAM_SWEEP} | {f"L-BFGS {lr}": LBFGS(lr) for lr in LBFGS_SWEEP}
    lanes: Lanes = {name: (X, optimizer) for name, optimizer in optimizers.items()}
    curves = pose_curves(task, body, poses, lanes, settings, tick, "tuning X")
    found: dict[str, dict[str, float]] = {"Adam": {}, "L-BFGS": {}}
    for name, each in curves.items():
        kind, lr = name.split(" ")
        found[kind][lr] = float(each.loss[-1].mean())
    return found


def best_rate(sweep: Mapping[str, float]) -> float:
    """The learning rate with the lowest loss."""
    return float(min(sweep, key=lambda lr: sweep[lr]))


def lowest_found(
    task: Task, body: Body, poses: Tensor, curves: Mapping[str, Curves], rate: float, settings: PoseSettings, tick: Tick
) -> Tensor:
    """The lowest loss (n,) that any lane ended at, or X by L-BFGS from `more_starts` draws of the prior.

    F is the same in every space: what no start reaches, no space can gain.
    """
    random = torch.Generator().manual_seed(settings.seed)
    lowest = torch.stack([each.loss[-1] for each in curves.values()]).amin(dim=0)
    lane = Lane(X, task.space(X), LBFGS(rate))
    for done in range(settings.more_starts):
        for first in range(0, len(poses), settings.batch):
            target = body.target(poses[first : first + settings.batch])
            solver = Solver(task.forward, task.objective, target, [lane], max_steps=settings.steps)
            state = solver.init([lane.space.at(task.prior.sample(len(target), random))])
            while solver.done(state) is None:
                state = solver.step(state)
            part = slice(first, first + len(target))
            lowest[part] = torch.minimum(lowest[part], state.lanes[0].best_loss)
        tick("more starts", done + 1, settings.more_starts)
    return lowest


def run_pose(
    task: Task, body: Body, tuning: Tensor, sets: Mapping[str, Tensor], settings: PoseSettings, command: str, tick: Tick, *,
    known: str | None = "val",
) -> Result:  # fmt: skip
    """`tuning` (n, J, 3) tunes X; `sets` are the evaluated poses by label, `known` the one that is in-distribution.

    X runs with Adam (the paper's baseline) and with L-BFGS (the strongest we know); Z as its card recommends and,
    where it is there, the paper's Θ with the paper's Adam.
    """
    sweep = tune(task, body, tuning[: settings.tune_targets], settings, tick)
    z = task.advice(settings.space)
    lanes: dict[str, tuple[str, Adam | LBFGS]] = {
        "X Adam": (X, Adam(best_rate(sweep["Adam"]))), "X L-BFGS": (X, LBFGS(best_rate(sweep["L-BFGS"]))),
    }  # fmt: skip
    every: Lanes = {**lanes, "Z": (settings.space, z.build(settings.steps))}
    if "paper" in task.mappings and settings.space != "paper":
        every = {**every, "Z paper": ("paper", Adam(0.1))}
    details = {
        **asdict(settings), "observation": body.observation, "x_sweep": sweep, "z_optimizer": z.name, "z_lr": z.lr,
        "losses": "best so far", "x_lr": {kind: best_rate(rates) for kind, rates in sweep.items()},
    }  # fmt: skip
    result = Result(
        task.name, command, settings.seed, task.hashes, {label: len(poses) for label, poses in sets.items()}, details
    )
    for label, poses in sets.items():
        curves = pose_curves(task, body, poses, every, settings, tick, label)
        lowest = lowest_found(task, body, poses, curves, best_rate(sweep["L-BFGS"]), settings, tick)
        result.series |= _series(label, curves, task, body, poses)
        result.series[f"lowest found | {label}"] = [float(lowest.mean())]
        result.claims += _claims(label, curves, settings.steps, in_distribution=label == known)
        result.claims.append(_room(label, curves, lowest, settings))
    return result


def _series(label: str, curves: Mapping[str, Curves], task: Task, body: Body, poses: Tensor) -> dict[str, list[float]]:
    series: dict[str, list[float]] = {}
    for name, each in curves.items():
        series[f"{name} | {label}"] = mean_series(each.loss)
        series[f"{name} cm | {label}"] = mean_series(each.error)
        series[f"{name} seconds | {label}"] = [each.seconds]
    if task.encode is not None:
        target = body.target(poses)
        with torch.no_grad():
            guess = task.forward(task.encode(target.value))
            series[f"encoder | {label}"] = [float(task.objective.bind(target)(guess).mean())]
            series[f"encoder cm | {label}"] = [float(body.joint_error(guess, target.value).mean())]
    return series


def _claims(label: str, curves: Mapping[str, Curves], steps: int, *, in_distribution: bool) -> list[Claim]:
    """How early Z is even, and the change of loss after 20 steps and of loss and joint error after all, against both X."""
    z, side, claims = curves["Z"], 0 if in_distribution else 1, []
    for baseline in ("X Adam", "X L-BFGS"):
        x = curves[baseline]
        if steps >= 20:
            change, interval = relative_change(z.loss[2], x.loss[20])
            name = f"{label}: loss in Z after 2 steps against {baseline} after 20"
            claims.append(Claim(name, "on par", change, 0.0, "lower", interval))
            change, interval = relative_change(z.loss[20], x.loss[20])
            name = f"{label}: loss after 20 steps, Z against {baseline}"
            claims.append(Claim(name, None, change, AIM[side], "lower", interval))
        for what, ours, theirs in (("loss", z.loss, x.loss), ("joint error", z.error, x.error)):
            change, interval = relative_change(ours[-1], theirs[-1])
            paper = PAPER[side] if what == "loss" else None
            claims.append(
                Claim(f"{label}: {what} after {steps} steps, Z against {baseline}", paper, change, AIM[side], "lower", interval)
            )
    return claims


def _room(label: str, curves: Mapping[str, Curves], lowest: Tensor, settings: PoseSettings) -> Claim:
    """How far above the lowest loss found Z ends; the claim says what X could have gained by starting again."""
    change, interval = relative_change(curves["Z"].loss[-1], lowest)
    room, _ = relative_change(lowest, curves["X Adam"].loss[-1])
    name = f"{label}: loss after {settings.steps} steps, Z against the lowest found by any lane or {settings.more_starts} "
    return Claim(f"{name}more starts, itself {-room:.0%} below X Adam", None, change, NEAR, "lower", interval)


def plot(result: Result, path: Path) -> None:
    """Fig. 3b: loss above, mean joint error in cm below, over steps (log axes)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6 * len(result.n), 7.0), layout="constrained")
    panels = figure.subplots(2, len(result.n), sharex=True, sharey="row", squeeze=False)
    for row, (infix, title) in enumerate((("", "mean loss (Eq. 6 per entry)"), (" cm", "mean joint error (cm)"))):
        for axes, label in zip(panels[row], result.n, strict=True):
            for name, colour in {**COLOURS, "lowest found": "black"}.items():
                values = result.series.get(f"{name}{infix} | {label}", [])
                if len(values) == 1:
                    axes.axhline(values[0], color=colour, linestyle=":", label=name)
                elif values:
                    axes.plot(values, color=colour, label=name)
            axes.set(title=label if row == 0 else "", xlabel="step" if row else "", yscale="log")
            axes.legend(fontsize=8)
        panels[row][0].set_ylabel(title)
    figure.savefig(path, dpi=150)
