"""Figure 6 for poses: hypotheses of a half-hidden body from random starts, how well they fit and how much they differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.experiments.curves import COLOURS, Lanes
from landscape_core.experiments.results import Claim, Result, relative_change
from landscape_core.pose.experiments.inversion import PoseSettings, best_rate, pose_lanes, tune
from landscape_core.pose.hypotheses import Hypotheses, measure
from landscape_core.pose.task import Body, lower_body, upper_body
from landscape_core.progress import Tick
from landscape_core.search.optimizers import LBFGS, Adam
from landscape_core.search.solver import Solver
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import states

BASELINES = ("X Adam", "X L-BFGS")


@dataclass(frozen=True)
class HypothesesSettings:
    """`k` hypotheses a pose from random starts; `report_at` are the steps that are measured, the last one the run's."""

    targets: int = 50
    k: int = 8
    report_at: tuple[int, ...] = (0, 5, 20, 100)
    tune_targets: int = 16
    batch: int = 25
    space: str = "residual"
    seed: int = 0


def hypotheses(
    task: Task,
    body: Body,
    poses: Tensor,
    visible: list[str],
    lanes: Lanes,
    settings: HypothesesSettings,
    tick: Tick,
    label: str,
) -> dict[str, dict[int, Hypotheses]]:
    """Every lane at every step of `report_at`, on poses (n, J, 3) with K starts each, drawn from the prior.

    All lanes start from the same inputs of F, so that neither gets its variety from a wider start.
    """
    found: dict[str, dict[int, list[Hypotheses]]] = {name: {step: [] for step in settings.report_at} for name in lanes}
    random = torch.Generator().manual_seed(settings.seed)
    steps = settings.report_at[-1]
    for first in range(0, len(poses), settings.batch):
        part = poses[first : first + settings.batch]
        truth = body.positions(body.target(part).value)
        target = body.target(part.repeat_interleave(settings.k, dim=0), visible)
        built = pose_lanes(task, lanes)
        drawn = task.prior.sample(len(target), random)
        starts = [lane.space.at(drawn) for lane in built]
        solver = Solver(task.forward, task.objective, target, built, max_steps=steps)
        for state in states(solver, solver.init(starts)):
            tick(label, first * steps + len(part) * state.step, len(poses) * steps)
            if state.step in settings.report_at:
                for lane, now in zip(built, state.lanes, strict=True):
                    x = lane.space.to_x(now.best_variable)
                    with torch.no_grad():
                        found[lane.name][state.step].append(measure(body, task.forward(x), truth, visible))
    return {name: {step: _joined(parts) for step, parts in by_step.items()} for name, by_step in found.items()}


def _joined(parts: list[Hypotheses]) -> Hypotheses:
    return Hypotheses(torch.cat([part.visible for part in parts]), torch.cat([part.diversity for part in parts]))


def run_hypotheses(
    task: Task, body: Body, tuning: Tensor, poses: Mapping[str, Tensor], settings: HypothesesSettings, command: str, tick: Tick
) -> Result:
    """Upper body visible and lower body visible, X (Adam, L-BFGS, tuned on `tuning`) against Z; poses: {label: (n, J, 3)}."""
    run = PoseSettings(steps=settings.report_at[-1], seed=settings.seed)
    sweep = tune(task, body, tuning[: settings.tune_targets], run, tick)
    z = task.advice(settings.space)
    lanes: Lanes = {
        "X Adam": (X, Adam(best_rate(sweep["Adam"]))),
        "X L-BFGS": (X, LBFGS(best_rate(sweep["L-BFGS"]))),
        "Z": (settings.space, z.build(settings.report_at[-1])),
    }
    details = {**asdict(settings), "observation": body.observation, "x_sweep": sweep, "z_optimizer": z.name, "z_lr": z.lr}
    sizes = {label: len(each) for label, each in poses.items()}
    result = Result(f"{task.name}-completions", command, settings.seed, task.hashes, sizes, details)
    everything = torch.cat(list(poses.values()))
    for label, visible in (("upper body", upper_body(body.skeleton)), ("lower body", lower_body(body.skeleton))):
        found = hypotheses(task, body, everything, visible, lanes, settings, tick, label)
        for name, by_step in found.items():
            result.series[f"{name} visible cm | {label}"] = [float(each.visible.mean()) for each in by_step.values()]
            result.series[f"{name} diversity cm | {label}"] = [float(each.diversity.mean()) for each in by_step.values()]
        result.claims += _claims(label, found)
    return result


def _claims(label: str, found: Mapping[str, Mapping[int, Hypotheses]]) -> list[Claim]:
    """The paper shows pictures only: the aims are ours, a better fit at every step and no loss of variety at the last."""
    claims = []
    steps = [step for step in found["Z"] if step > 0]
    for baseline in BASELINES:
        for step in steps:
            change, interval = relative_change(found["Z"][step].visible, found[baseline][step].visible)
            name = f"{label} visible: error of visible joints after {step} steps, Z against {baseline}"
            claims.append(Claim(name, None, change, 0.0, "lower", interval))
        change, interval = relative_change(found["Z"][steps[-1]].diversity, found[baseline][steps[-1]].diversity)
        name = f"{label} visible: diversity of hidden joints after {steps[-1]} steps, Z against {baseline}"
        claims.append(Claim(name, None, change, 0.0, "higher", interval))
    return claims


def plot(result: Result, path: Path) -> None:
    """Visible-joint error and diversity (cm) at every measured step: a row each; a column for each visible half."""
    from matplotlib.figure import Figure

    labels = sorted({key.split(" | ")[1] for key in result.series}, reverse=True)
    steps = [str(step) for step in result.settings["report_at"]]
    figure = Figure(figsize=(4.6 * len(labels), 6.5), layout="constrained")
    panels = figure.subplots(2, len(labels), sharex=True, sharey="row", squeeze=False)
    titles = {"visible": "error of visible joints (cm)", "diversity": "distance between hypotheses,\nhidden joints (cm)"}
    for row, (infix, title) in enumerate(titles.items()):
        for axes, label in zip(panels[row], labels, strict=True):
            for name in (*BASELINES, "Z"):
                axes.plot(steps, result.series[f"{name} {infix} cm | {label}"], "o-", color=COLOURS[name], label=name)
            axes.set(title=f"{label} visible" if row == 0 else "", xlabel="step" if row else "", ylim=(0, None))
            axes.legend(fontsize=8)
        panels[row][0].set_ylabel(title)
    figure.savefig(path, dpi=150)
