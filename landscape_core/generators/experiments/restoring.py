"""One search for every observation: X against Z by the same optimiser on low resolution, blur, noise, masks and the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from landscape_core import processes
from landscape_core.experiments.curves import Curves, Watch, search_curves
from landscape_core.experiments.paired import Choice, choose_rates
from landscape_core.experiments.results import Result
from landscape_core.generators.completion import completion_solver, diversity, whole_mask
from landscape_core.generators.experiments.restoring_claims import COLUMNS, REFERENCE, claims, reference
from landscape_core.generators.observing import Instrument, as_picture
from landscape_core.progress import Tick
from landscape_core.search.judges import PSNR, Found, Judge, decibels, features_judge
from landscape_core.search.objectives import FeatureDistance, Target
from landscape_core.search.optimizers import OPTIMISER_NAMES, OptimizerName, OptimizerSettings
from landscape_core.search.prior_term import PriorTerm
from landscape_core.search.race import LaneSettings, RunSettings
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import states
from landscape_core.storage.cache import Kept
from landscape_core.storage.fingerprint import fingerprint

OBSERVATIONS = (
    "low-resolution:4", "low-resolution:8", "low-resolution:16", "low-resolution:8:bicubic", "blur:gaussian:3",
    "blur:motion:9:45", "grey", "noise:0.2", "salt-and-pepper:0.3", "scattered:0.05", "mask:centre",
    "blur:gaussian:2+mask:left-half", "measurements:256",
)  # fmt: skip
ADAM_RATES, FIRST_MOVES = (0.05, 0.1, 0.2, 0.4), (0.5, 2.0, 8.0)
MARKS = (2, 5, 10, 20, 50, 100, 200)
LPIPS, AWAY = "LPIPS", "distance to the prior"


@dataclass(frozen=True)
class RestoreSettings:
    """`steps` are the budgets that rates are chosen for, on `tune_targets` training pictures and after `tune_steps` at most.
    Spread is measured over `hypotheses` from random starts on the first `spread_targets` pictures."""

    targets: int = 30
    steps: tuple[int, ...] = (5, 20, 200)
    observations: tuple[str, ...] = OBSERVATIONS
    tune_targets: int = 8
    tune_steps: int = 200
    hypotheses: int = 5
    spread_targets: int = 8
    space: str = "residual"
    seed: int = 0

    @property
    def marks(self) -> tuple[int, ...]:
        """After how many steps judges look."""
        return tuple(sorted({*(mark for mark in MARKS if mark < max(self.steps)), *self.steps}))


@dataclass(frozen=True)
class Row:
    """A space searched by an optimiser."""

    name: str
    space: str
    optimizer: OptimizerName

    def candidates(self, task: Task) -> dict[str, OptimizerSettings]:
        """What is swept: Adam's rate, or L-BFGS's first move."""
        if self.optimizer == "adam":
            return {f"{each:g}": task.advice(self.space, "adam", lr=each) for each in ADAM_RATES}
        return {f"{each:g}": task.advice(self.space, "lbfgs", first_move=each) for each in FIRST_MOVES}


def rows_of(space: str) -> list[Row]:
    """X and Z by every optimiser."""
    spaces = (("X", X), ("Z", space))
    return [Row(f"{row} {OPTIMISER_NAMES[by]}", where, by) for by in COLUMNS for row, where in spaces]


Chosen = dict[str, dict[int, Choice[OptimizerSettings]]]  # row -> steps -> choice


def run_restore(
    task: Task, train: Tensor, pictures: Tensor, settings: RestoreSettings, lpips: FeatureDistance, command: str, tick: Tick,
    work: Path | None = None,
) -> Result:  # fmt: skip
    """`train` (n, 3, H, W) chooses rates, anew for every observation; `pictures` (n, 3, H, W) are what is to be found again.

    What is done is kept below `work`, where the same command goes on from it.
    """
    judges = judges_of(task, lpips)
    described = {name: value for name, value in vars(settings).items() if name != "observations"}
    result = Result(
        _named(task, settings), command, settings.seed, task.hashes,
        {"pictures": len(pictures)},
        {**described, "observations": list(settings.observations), "domain": task.name, "losses": "best so far", "chosen": {}},
    )  # fmt: skip
    for name in settings.observations:
        instrument = Instrument.of(name)
        chosen = _chosen(task, instrument.observe(train[: settings.tune_targets]), settings, name, tick, work)
        result.settings["chosen"][name] = _described(chosen)  # type: ignore[index]
        target = instrument.observe(pictures)
        curves = _measured(task, target, chosen, settings, name, tick, Watch(judges, settings.marks), work)
        _record(result, curves, settings)
        _baselines(result, task, target, judges)
        _spread(result, task, instrument, pictures[: settings.spread_targets], chosen, settings, lpips, name, tick, work)
        result.claims += claims(result, name, curves, settings.steps, settings.marks)
    return result


def _named(task: Task, settings: RestoreSettings) -> str:
    """A table of long runs alone stands beside the usual one."""
    domain, budget = task.name, reference(settings.steps)
    return "restore" + ("" if domain == "faces" else f"-{domain}") + ("" if budget == REFERENCE else f"-{budget}")


def judges_of(task: Task, lpips: FeatureDistance) -> list[Judge]:
    """PSNR and LPIPS to the truth, and how far x̂ is from the prior's mean, in deviations: 1 is usual for a drawn x."""
    term = PriorTerm(task.prior, 1.0)
    away = Judge(AWAY, "Root of the mean squared deviation; a drawn input has 1.", lambda found, _: term(found.x).sqrt())
    return [PSNR, features_judge(lpips, LPIPS, "To the whole picture; lower is better."), away]


def _chosen(task: Task, train: Target, settings: RestoreSettings, name: str, tick: Tick, work: Path | None) -> Chosen:
    """Every row's best rate for every budget, on training pictures seen in the same way."""
    rows, most = rows_of(settings.space), min(settings.tune_steps, max(settings.steps))
    lanes = {f"{row.name} {rate}": (row.space, each.build(most)) for row in rows for rate, each in row.candidates(task).items()}
    curves = search_curves(task, train, lanes, most, tick, f"{name}: choosing rates", seed=settings.seed, work=work)
    found: Chosen = {}
    for row in rows:
        candidates = row.candidates(task)
        losses = {each: curves[f"{row.name} {rate}"].loss for rate, each in candidates.items()}
        budgets = {at: min(at, most) for at in settings.steps}
        best = choose_rates(candidates, losses.__getitem__, sorted(set(budgets.values())), floor=0.0)
        found[row.name] = {at: best[budget] for at, budget in budgets.items()}
    return found


def _measured(
    task: Task, target: Target, chosen: Chosen, settings: RestoreSettings, name: str, tick: Tick, watch: Watch,
    work: Path | None,
) -> dict[str, dict[int, Curves]]:  # fmt: skip
    """Every row's curves with the rate of every budget, {row: {steps: curves}}; a lane for each rate, none twice."""
    rows, most = rows_of(settings.space), max(settings.steps)
    lanes = {
        f"{row.name} {choice.name}": (row.space, choice.setting.build(most))
        for row in rows
        for choice in chosen[row.name].values()
    }
    curves = search_curves(task, target, lanes, most, tick, name, seed=settings.seed, watch=watch, work=work)
    return {row.name: {at: curves[f"{row.name} {choice.name}"] for at, choice in chosen[row.name].items()} for row in rows}


def _append(result: Result, name: str, value: float) -> None:
    """Series have an entry for each observation, in their order; one that does not apply is not a number."""
    result.series.setdefault(name, []).append(value)


def _record(result: Result, curves: Mapping[str, Mapping[int, Curves]], settings: RestoreSettings) -> None:
    for row, by in curves.items():
        for at, each in by.items():
            mark = settings.marks.index(at)
            _append(result, f"fit, {at} steps | {row}", float(each.loss[at].mean()))
            for judge, values in each.judged.items():
                shown = decibels(values[mark]) if judge == PSNR.name else values[mark]
                _append(result, f"{judge}, {at} steps | {row}", float(shown.mean()))


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
        _append(result, f"fit | {row}", fit)
        for judge in judges[:2]:
            value = torch.tensor([math.nan])
            if output is not None:
                value = judge.of(Found(output.new_zeros(len(output)), output.new_zeros(len(output), 1), output), target)
            _append(result, f"{judge.name} | {row}", float((decibels(value) if judge is PSNR else value).mean()))


def _spread(
    result: Result, task: Task, instrument: Instrument, pictures: Tensor, chosen: Chosen, settings: RestoreSettings,
    lpips: FeatureDistance, name: str, tick: Tick, work: Path | None,
) -> None:  # fmt: skip
    """Mean LPIPS between hypotheses from random starts after `REFERENCE` steps by L-BFGS, where something is hidden there, and
    their mean fit."""
    steps = min(REFERENCE, max(settings.steps))
    by = {row.name: chosen[row.name][min(settings.steps, key=lambda at: abs(at - steps))].setting for row in _lbfgs(settings)}
    lanes = tuple(LaneSettings(space=row.space, optimizer=by[row.name]) for row in _lbfgs(settings))

    def fit_and_spread(index: int) -> list[list[float]]:
        race = RunSettings(task=task.name, lanes=lanes, steps=steps, start="random", seed=settings.seed + index)
        target = instrument.observe(pictures[index : index + 1])
        kept = Kept(work, fingerprint(task.hashes, task.objective, race.model_dump(), target, settings.hypotheses))
        pairs = kept.get("fit and spread", partial(_hypotheses, task, target, settings.hypotheses, race, lpips))
        tick(f"{name}: hypotheses", index + 1, len(pictures))
        found: list[list[float]] = pairs.tolist()
        return found

    means = torch.tensor([*processes.in_turns(fit_and_spread, range(len(pictures)))]).mean(dim=0).tolist()
    for row, (fit, spread) in zip(_lbfgs(settings), means, strict=True):
        _append(result, f"fit of {settings.hypotheses} hypotheses, {steps} steps | {row.name}", fit)
        _append(result, f"spread of {settings.hypotheses} hypotheses, {steps} steps | {row.name}", spread)


def _hypotheses(task: Task, target: Target, k: int, race: RunSettings, lpips: FeatureDistance) -> Tensor:
    """Mean fit and spread of K results in every lane: (lanes, 2)."""
    solver, starts = completion_solver(task, target, k, race)
    *_, last = states(solver, solver.init(starts))
    values = [[float(lane.loss.mean()), diversity(lpips, lane.output, whole_mask(target))] for lane in last.lanes]
    return torch.tensor(values)


def _lbfgs(settings: RestoreSettings) -> list[Row]:
    return [row for row in rows_of(settings.space) if row.optimizer == "lbfgs"]


def _described(chosen: Chosen) -> dict[str, Any]:
    return {
        row: {str(at): {**choice.setting.model_dump(), "at_the_edge": choice.at_the_edge} for at, choice in by.items()}
        for row, by in chosen.items()
    }
