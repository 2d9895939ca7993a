"""A decoder against descent on the same features (Engstrom et al. 2019), in X and in Z: quality, and time per picture.

All descend the distance of features alone, by Adam in both spaces, each at its own rate, chosen on training pictures by the
loss that it ends at. The decoder has one pass.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from landscape_core.autoencoders.experiments.quality_claims import quality_claims, record
from landscape_core.autoencoders.metrics import quality
from landscape_core.autoencoders.models import Inverter
from landscape_core.autoencoders.showcase import Lpips
from landscape_core.experiments.comparing import Table
from landscape_core.experiments.paired import Choice, choose_rates, compare, geometric_mean
from landscape_core.experiments.results import Claim, Result
from landscape_core.progress import Tick
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.race import LaneSettings, RunSettings, prepare
from landscape_core.search.spaces import Start
from landscape_core.search.task import Task, X
from landscape_core.search.thetas import RANDOM
from landscape_core.search.trajectory import Trajectory, run

PAPER = "higher quality than optimisation-based inversion"


@dataclass(frozen=True)
class DescentSettings:
    """`steps` of Adam from noise ("random"); `rates` are tried in every space on `tune_targets` training pictures."""

    targets: int = 20
    steps: int = 100
    rates: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
    tune_targets: int = 4
    start: Start = "random"
    seed: int = 0


def raced(task: Task, space: str, pictures: Tensor, lr: float, settings: DescentSettings) -> Trajectory:
    """One lane of Adam in a space, on pictures (n, 3, S, S)."""
    lane = LaneSettings(space=space, optimizer=OptimizerSettings(name="adam", lr=lr))
    asked = RunSettings(task=task.name, lanes=(lane,), steps=settings.steps, start=settings.start, seed=settings.seed)
    return run(*prepare(task, asked, Target(pictures)))


def chosen_rate(task: Task, space: str, train: Tensor, settings: DescentSettings) -> Choice[float]:
    """The rate of Adam that ends lowest in a space on training pictures."""
    rates = {f"{lr:g}": lr for lr in settings.rates}
    return choose_rates(rates, lambda lr: raced(task, space, train, lr, settings).lanes[0].best_so_far(), [settings.steps])[
        settings.steps
    ]


def early(steps: int) -> list[int]:
    """The steps at which spaces are compared: the first paper's two, a fifth of all, and all."""
    return sorted({min(2, steps), max(steps // 5, 1), steps})


def rates_by_space(task: Task, train: Tensor, settings: DescentSettings) -> dict[str, float]:
    """The best rate of Adam on training pictures (n, 3, S, S), of X and of the first trained Θ."""
    spaces = (X, *[name for name in task.mappings if name != RANDOM][:1])
    return {space: chosen_rate(task, space, train, settings).setting for space in spaces}


def losses_by_space(task: Task, rates: Mapping[str, float], pictures: Tensor, settings: DescentSettings) -> Table:
    """{space: {steps: loss}}, the geometric mean over pictures (n, 3, S, S), by Adam in every space at its own rate."""
    best = {space: raced(task, space, pictures, lr, settings).lanes[0].best_so_far() for space, lr in rates.items()}
    return {space: {str(step): geometric_mean(each[step]) for step in early(settings.steps)} for space, each in best.items()}


def _letter(space: str) -> str:
    return "X" if space == X else "Z"


def _z_against_x(losses: Mapping[str, Tensor], kind: str, step: int, result: Result) -> Claim:
    """Whether Z is ahead of X by the same optimiser, on the loss that both descend."""
    found = compare(losses[f"Z over {kind}"][step], losses[f"X over {kind}"][step])
    about = f"over {kind}: loss after {step} steps, Z against X, Adam in both"
    result.comparisons[about] = found.to_json()
    return Claim(about, None, found.change, 0.0, "lower", found.change_interval)


def run_descent(
    inverter: Inverter, tasks: Mapping[str, Task], pictures: Tensor, train: Tensor, lpips: Lpips, settings: DescentSettings,
    result: Result, tick: Tick,
) -> Result:  # fmt: skip
    """`features-inversion`: `tasks` are searched in X and, with a trained Θ, in Z, by what x is: "pixels", "codes"."""
    began = time.perf_counter()
    with torch.no_grad():
        answer = inverter.model(pictures)
    seconds = {"decoder": (time.perf_counter() - began) / len(pictures)}
    decoder = quality(answer, pictures, lpips)
    record(result, "decoder", decoder)
    learned = {kind: [name for name in task.mappings if name != RANDOM][:1] for kind, task in tasks.items()}
    lanes = [(kind, task, space) for kind, task in tasks.items() for space in (X, *learned[kind])]
    chosen, losses = {}, {}
    for done, (kind, task, space) in enumerate(lanes, 1):
        label = f"{_letter(space)} over {kind}"
        choice = chosen_rate(task, space, train, settings)
        chosen[label] = {"rate": choice.setting, "at the edge": choice.at_the_edge}
        trajectory = raced(task, space, pictures, choice.setting, settings)
        losses[label] = trajectory.lanes[0].best_so_far()
        found = quality(_best(task, space, trajectory), pictures, lpips)
        record(result, label, found)
        result.series[f"loss | {label}"] = losses[label].mean(dim=1).tolist()
        seconds[label] = trajectory.lanes[0].seconds[-1] / len(pictures)
        result.claims += quality_claims(f"decoder against {label}", decoder, found, PAPER)
        tick("descending", done, len(lanes))
    for kind in tasks:
        if f"Z over {kind}" in losses:
            result.claims += [_z_against_x(losses, kind, step, result) for step in early(settings.steps)]
    result.settings = {**result.settings, "rates_chosen": chosen}
    result.series |= {f"seconds a picture | {label}": [value] for label, value in seconds.items()}
    return result


def _best(task: Task, space: str, trajectory: Trajectory) -> Tensor:
    last = trajectory.last
    assert last is not None  # a run always records its start
    with torch.no_grad():
        return task.forward(task.space(space).to_x(last.lanes[0].best_variable))
