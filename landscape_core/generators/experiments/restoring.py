"""One search for every observation: X against Z by the same optimiser on low resolution, blur, noise, masks and the rest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from landscape_core import processes
from landscape_core.experiments.results import Result
from landscape_core.experiments.swept import Choices
from landscape_core.generators.completion import completion_solver, diversity, whole_mask
from landscape_core.generators.experiments.restoring_claims import REFERENCE, claims, reference
from landscape_core.generators.experiments.restoring_searches import (
    RestoreSettings,
    Searching,
    append,
    begun,
    described,
    judges_of,
    record,
    rows_of,
)
from landscape_core.generators.observing import Instrument, as_picture
from landscape_core.progress import Tick
from landscape_core.search.judges import PSNR, Found, Judge, decibels
from landscape_core.search.objectives import FeatureDistance, Target
from landscape_core.search.race import LaneSettings, RunSettings
from landscape_core.search.task import Task
from landscape_core.search.trajectory import states
from landscape_core.storage.cache import Kept
from landscape_core.storage.fingerprint import fingerprint


def run_restore(
    task: Task, train: Tensor, pictures: Tensor, settings: RestoreSettings, lpips: FeatureDistance, command: str, tick: Tick,
    work: Path | None = None,
) -> Result:  # fmt: skip
    """`train` (n, 3, H, W) chooses rates, anew for every observation; `pictures` (n, 3, H, W) are what is to be found again.

    What is done is kept below `work`, where the same command goes on from it.
    """
    judges = judges_of(task, lpips)
    result = begun(_named(task, settings), task, settings, len(pictures), command)
    for name in settings.observations:
        instrument = Instrument.of(name)
        searching = Searching(task, rows_of(task, settings.space), settings, name, tick, work)
        chosen = searching.chosen(instrument.observe(train[: settings.tune_targets]))
        result.settings["chosen"][name] = described(chosen)  # type: ignore[index]
        target = instrument.observe(pictures).to(task.device)
        curves = searching.measured(target, chosen, judges)
        record(result, curves, settings)
        _baselines(result, task, target, judges)
        _spread(result, task, instrument, pictures[: settings.spread_targets], chosen, settings, lpips, name, tick, work)
        result.claims += claims(result, name, curves, settings.steps, settings.marks)
    return result


def _named(task: Task, settings: RestoreSettings) -> str:
    """A table of long runs alone stands beside the usual one."""
    domain, budget = task.name, reference(settings.steps)
    return "restore" + ("" if domain == "faces" else f"-{domain}") + ("" if budget == REFERENCE else f"-{budget}")


@torch.no_grad()
def _baselines(result: Result, task: Task, target: Target, judges: Sequence[Judge]) -> None:
    """What needs no search: the observation itself, enlarged where it is small; the encoder's guess from that, where nothing is
    hidden and y is a picture."""
    seen = as_picture(target, task.side)
    guess = task.encode is not None and target.mask is None and target.value.dim() == 4
    x = task.encode(seen) if guess and task.encode is not None else None
    for row, inputs in (("observation", None), ("encoder", x)):
        output = seen if row == "observation" else None if inputs is None else task.forward(inputs)
        fit = math.nan if output is None else float(task.objective.bind(target)(output).mean())
        append(result, f"fit | {row}", fit)
        for judge in judges[:2]:
            value = torch.tensor([math.nan])
            if output is not None:
                value = judge.of(Found(output.new_zeros(len(output)), output.new_zeros(len(output), 1), output), target)
            append(result, f"{judge.name} | {row}", float((decibels(value) if judge is PSNR else value).mean()))


def _spread(
    result: Result, task: Task, instrument: Instrument, pictures: Tensor, chosen: Choices, settings: RestoreSettings,
    lpips: FeatureDistance, name: str, tick: Tick, work: Path | None,
) -> None:  # fmt: skip
    """Mean LPIPS between hypotheses from random starts after `REFERENCE` steps by L-BFGS, where something is hidden there, and
    their mean fit."""
    steps = min(REFERENCE, max(settings.steps))
    rows, nearest = rows_of(task, settings.space, ["lbfgs"]), min(settings.steps, key=lambda at: abs(at - steps))
    lanes = tuple(LaneSettings(space=row.space, optimizer=chosen[row.name][nearest].setting) for row in rows)

    def fit_and_spread(index: int) -> list[list[float]]:
        race = RunSettings(task=task.name, lanes=lanes, steps=steps, start="random", seed=settings.seed + index)
        target = instrument.observe(pictures[index : index + 1])
        kept = Kept(work, fingerprint(task.hashes, task.objective, race.model_dump(), target, settings.hypotheses))
        pairs = kept.get("fit and spread", partial(_hypotheses, task, target, settings.hypotheses, race, lpips))
        tick(f"{name}: hypotheses", index + 1, len(pictures))
        found: list[list[float]] = pairs.tolist()
        return found

    means = torch.tensor([*processes.in_turns(fit_and_spread, range(len(pictures)))]).mean(dim=0).tolist()
    for row, (fit, spread) in zip(rows, means, strict=True):
        append(result, f"fit of {settings.hypotheses} hypotheses, {steps} steps | {row.name}", fit)
        append(result, f"spread of {settings.hypotheses} hypotheses, {steps} steps | {row.name}", spread)


def _hypotheses(task: Task, target: Target, k: int, race: RunSettings, lpips: FeatureDistance) -> Tensor:
    """Mean fit and spread of K results in every lane: (lanes, 2)."""
    solver, starts = completion_solver(task, target, k, race)
    *_, last = states(solver, solver.init(starts))
    values = [[float(lane.loss.mean()), diversity(lpips, lane.output, whole_mask(target))] for lane in last.lanes]
    return torch.tensor(values)
