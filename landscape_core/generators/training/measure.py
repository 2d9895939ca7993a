"""What a generator's card says of it: measured, never typed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from landscape_core.experiments.curves import Searches, encoder_loss
from landscape_core.generators.training.quality import Judge, embedded_features
from landscape_core.progress import Tick
from landscape_core.search.judges import psnr
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.task import Task, Tuned, X
from landscape_core.search.trajectory import run

ADAM_RATES = (0.05, 0.1, 0.2)
FIRST_MOVES = (1.0, 2.0, 4.0, 8.0)


def own_sample_psnr(task: Task, optimizer: OptimizerSettings, *, n: int = 4, steps: int = 500, seed: int = 0) -> float:
    """Mean PSNR in dB of pictures the model drew itself, recovered in X from the mean."""
    drawn = task.forward(task.prior.sample(n, torch.Generator().manual_seed(seed)))
    space = task.space(X)
    solver = Solver(task.forward, task.objective, Target(drawn), [Lane(X, space, optimizer.build(steps))], max_steps=steps)
    best = run(solver, [space.mean_start(n)]).last
    if best is None:
        raise RuntimeError("a run records at least its start")
    return float(psnr(task.forward(space.to_x(best.lanes[0].best_variable)), drawn).mean())


def tuned_x(task: Task, pictures: Tensor, steps: int, tick: Tick) -> tuple[list[OptimizerSettings], dict[str, float]]:
    """X's best settings of each optimiser, the better optimiser first, and what every candidate reached on pictures
    (n, 3, H, W): the geometric mean, over pictures and steps 1 … `steps`, of the best loss so far. Adam by its rate, L-BFGS
    by its first move."""
    candidates = {f"adam {lr:g}": OptimizerSettings(name="adam", lr=lr) for lr in ADAM_RATES}
    for move in FIRST_MOVES:
        candidates[f"lbfgs, first move {move:g}"] = OptimizerSettings(name="lbfgs", lr=1.0, first_move=move, history=100)
    lanes = {name: (X, settings.build(steps)) for name, settings in candidates.items()}
    curves = Searches(task, tick).losses(pictures, lanes, steps, "choosing X's optimiser")
    reached = {name: float(losses.cummin(dim=0).values[1:].log().mean().exp()) for name, losses in curves.items()}
    best: dict[str, OptimizerSettings] = {}
    for name in sorted(reached, key=lambda name: reached[name]):
        best.setdefault(candidates[name].name, candidates[name])
    return list(best.values()), reached


@torch.no_grad()
def encoder_psnr(task: Task, pictures: Tensor) -> float:
    """Mean PSNR in dB of the encoder's one pass on pictures (n, 3, H, W)."""
    if task.encode is None:
        return float("nan")
    return float(torch.cat([psnr(task.forward(task.encode(part)), part) for part in pictures.split(50)]).mean())


def frechet_figures(task: Task, val: Tensor, train: Tensor, *, n: int = 2000, seed: int = 0) -> dict[str, Any]:
    """How far samples of the published model are from `val`, and, as a floor, `train` from it; uint8 (N, 3, H, W)."""
    judge = Judge.of(embedded_features(task.device), val, train, n)
    random = torch.Generator().manual_seed(seed)
    return judge.figures(judge.score(lambda k: task.forward(task.prior.sample(k, random))))


def measure_generator(
    task: Task, train: Tensor, val: Tensor, tick: Tick, *, steps: int = 50, own_steps: int = 500
) -> dict[str, Any]:
    """Metrics of a domain's generator and encoder; `train` (12 pictures do) also chooses X's advised optimiser."""
    best, sweep = tuned_x(task, train, steps, tick)
    advised = best[0]
    return {
        "advised": advised.model_dump(exclude_unset=True),
        "tuned": [Tuned(start="mean", optimizer=each).model_dump(exclude_unset=True) for each in best],
        "x_sweep_on_train": {name: round(value, 4) for name, value in sweep.items()},
        f"own_samples_psnr_{own_steps}_steps_x": round(own_sample_psnr(task, advised, steps=own_steps), 2),
        "encoder_psnr_val": round(encoder_psnr(task, val), 2),
        "encoder_loss_val": round(float(encoder_loss(task, Target(val)).mean()), 4),
    }
