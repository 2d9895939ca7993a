"""Figure 6 for poses: hypotheses of a half-hidden body from random starts, how well they fit and how much they differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from landscape_core import processes
from landscape_core.experiments.curves import Lanes
from landscape_core.experiments.paired import compare
from landscape_core.experiments.results import Claim, Result
from landscape_core.experiments.swept import Descent, described, tuned
from landscape_core.pose.experiments.inversion import FLOORS, LINES, paired_rows
from landscape_core.pose.hypotheses import Hypotheses, measure
from landscape_core.pose.task import Body, lower_body, upper_body
from landscape_core.progress import Tick
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.task import Task
from landscape_core.search.trajectory import states

MILLIMETRE = 0.1  # in cm; smaller errors count as equal


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
    random = torch.Generator().manual_seed(settings.seed)
    steps = settings.report_at[-1]
    built = [Lane(name, task.space(space), optimizer) for name, (space, optimizer) in lanes.items()]
    drawn = [task.prior.sample(settings.k * len(part), random) for part in poses.split(settings.batch)]

    def measured(index: int) -> dict[str, dict[int, Hypotheses]]:
        first = index * settings.batch
        part = poses[first : first + settings.batch]
        truth = body.positions(body.target(part).value)
        target = body.target(part.repeat_interleave(settings.k, dim=0), visible)
        starts = [lane.space.at(drawn[index]) for lane in built]
        solver = Solver(task.forward, task.objective, target, built, max_steps=steps)
        found: dict[str, dict[int, Hypotheses]] = {name: {} for name in lanes}
        for state in states(solver, solver.init(starts)):
            tick(label, first * steps + len(part) * state.step, len(poses) * steps)
            if state.step in settings.report_at:
                for lane, now in zip(built, state.lanes, strict=True):
                    x = lane.space.to_x(now.best_variable)
                    with torch.no_grad():
                        found[lane.name][state.step] = measure(body, task.forward(x), truth, visible)
        return found

    parts = [*processes.in_turns(measured, range(len(drawn)))]
    return {name: {step: _joined([part[name][step] for part in parts]) for step in settings.report_at} for name in lanes}


def _joined(parts: list[Hypotheses]) -> Hypotheses:
    return Hypotheses(torch.cat([part.visible for part in parts]), torch.cat([part.diversity for part in parts]))


def run_hypotheses(
    task: Task, body: Body, tuning: Tensor, poses: Mapping[str, Tensor], settings: HypothesesSettings, command: str, tick: Tick
) -> Result:
    """Upper body visible and lower body visible, Z against X by each optimiser, rates chosen on `tuning` with all joints
    visible; poses: {label: (n, J, 3)}."""
    steps = settings.report_at[-1]
    rows = paired_rows(task, settings.space)
    descent = Descent(steps, [steps], settings.seed, FLOORS[body.observation], len(tuning))
    choices = tuned(task, rows, body.target(tuning[: settings.tune_targets]), descent, tick)
    lanes: Lanes = {row.name: (row.space, choices[row.name][steps].setting.build(steps)) for row in rows}
    chosen = {name: described(by_budget) for name, by_budget in choices.items()}
    details = {**asdict(settings), "observation": body.observation, "chosen": chosen}
    sizes = {label: len(each) for label, each in poses.items()}
    result = Result(f"{task.name}-completions", command, settings.seed, task.hashes, sizes, details)
    everything = torch.cat(list(poses.values()))
    for label, visible in (("upper body", upper_body(body.skeleton)), ("lower body", lower_body(body.skeleton))):
        found = hypotheses(task, body, everything, visible, lanes, settings, tick, label)
        for name, by_step in found.items():
            result.series[f"{name} visible cm | {label}"] = [float(each.visible.mean()) for each in by_step.values()]
            result.series[f"{name} diversity cm | {label}"] = [float(each.diversity.mean()) for each in by_step.values()]
        result.claims += _claims(label, found, result.comparisons)
    return result


def _claims(label: str, found: Mapping[str, Mapping[int, Hypotheses]], comparisons: dict[str, dict[str, Any]]) -> list[Claim]:
    """The paper shows pictures only: the aims are ours, a better fit at every step and no loss of variety at the last."""
    claims = []
    for z, x in ((name, f"X{name[1:]}") for name in found if name.startswith("Z")):
        steps = [step for step in found[z] if step > 0]
        for step in steps:
            name = f"{label} visible: error of visible joints after {step} steps, {z} against {x}"
            here = compare(found[z][step].visible, found[x][step].visible, floor=MILLIMETRE)
            comparisons[name] = here.to_json()
            claims.append(Claim(name, None, here.change, 0.0, "lower", here.change_interval))
        name = f"{label} visible: diversity of hidden joints after {steps[-1]} steps, {z} against {x}"
        here = compare(found[z][steps[-1]].diversity, found[x][steps[-1]].diversity, floor=MILLIMETRE)
        comparisons[name] = here.to_json()
        claims.append(Claim(name, None, here.change, 0.0, "higher", here.change_interval))
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
            for name, (colour, dash) in LINES.items():
                if f"{name} {infix} cm | {label}" in result.series:
                    series = result.series[f"{name} {infix} cm | {label}"]
                    axes.plot(steps, series, f"o{dash}", color=colour, label=name)
            axes.set(title=f"{label} visible" if row == 0 else "", xlabel="step" if row else "", ylim=(0, None))
            axes.legend(fontsize=8)
        panels[row][0].set_ylabel(title)
    figure.savefig(path, dpi=150)
