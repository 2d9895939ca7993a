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
from landscape_core.experiments.paired import choose_rates
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
AIM_MS = 15.0  # a picture of 64 pixels on one core
TIMED = 64


@dataclass(frozen=True)
class DescentSettings:
    """`steps` of Adam from noise ("random"); `rates` are tried in every space on `tune_targets` training pictures."""

    targets: int = 20
    steps: int = 100
    rates: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2, 0.5)
    tune_targets: int = 4
    start: Start = "random"
    seed: int = 0


def raced(task: Task, space: str, pictures: Tensor, lr: float, settings: DescentSettings) -> Trajectory:
    """One lane of Adam in a space, on pictures (n, 3, S, S)."""
    lane = LaneSettings(space=space, optimizer=OptimizerSettings(name="adam", lr=lr))
    asked = RunSettings(task=task.name, lanes=(lane,), steps=settings.steps, start=settings.start, seed=settings.seed)
    return run(*prepare(task, asked, Target(pictures)))


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
    chosen = {}
    for done, (kind, task, space) in enumerate(lanes, 1):
        label = f"{'X' if space == X else 'Z'} over {kind}"
        rates = {f"{lr:g}": lr for lr in settings.rates}
        losses = lambda lr, t=task, s=space: raced(t, s, train, lr, settings).lanes[0].best_so_far()  # noqa: E731
        choice = choose_rates(rates, losses, [settings.steps])[settings.steps]
        chosen[label] = {"rate": choice.setting, "at the edge": choice.at_the_edge}
        trajectory = raced(task, space, pictures, choice.setting, settings)
        found = quality(_best(task, space, trajectory), pictures, lpips)
        record(result, label, found)
        result.series[f"loss | {label}"] = trajectory.lanes[0].best_so_far().mean(dim=1).tolist()
        seconds[label] = trajectory.lanes[0].seconds[-1] / len(pictures)
        result.claims += quality_claims(f"decoder against {label}", decoder, found, PAPER)
        tick("descending", done, len(lanes))
    result.settings = {**result.settings, "rates_chosen": chosen}
    result.series |= {f"seconds a picture | {label}": [value] for label, value in seconds.items()}
    result.claims.append(
        Claim(f"milliseconds of the decoder for a picture of {TIMED} pixels", None, timed(inverter), AIM_MS, "lower")
    )
    return result


def _best(task: Task, space: str, trajectory: Trajectory) -> Tensor:
    last = trajectory.last
    assert last is not None  # a run always records its start
    with torch.no_grad():
        return task.forward(task.space(space).to_x(last.lanes[0].best_variable))


@torch.no_grad()
def timed(inverter: Inverter, *, side: int = TIMED, repeats: int = 30) -> float:
    """The median milliseconds of process time of one pass, encoder and decoder, on one picture: what other work on the machine
    takes is not counted."""
    picture, spent = torch.zeros(1, 3, side, side), []
    for _ in range(repeats):
        began = time.process_time()
        inverter.model(picture)
        spent.append(1000.0 * (time.process_time() - began))
    return sorted(spent)[repeats // 2]
