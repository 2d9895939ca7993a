"""What a generator's card says of it: measured, never typed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from landscape_core.experiments.curves import ADAM_SWEEP, encoder_loss, tune_x
from landscape_core.generators.training.quality import Judge, embedded_features
from landscape_core.progress import Tick
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import Adam, OptimizerSettings
from landscape_core.search.solver import Lane, Solver
from landscape_core.search.summary import psnr
from landscape_core.search.task import Task, X
from landscape_core.search.trajectory import run


def own_sample_psnr(task: Task, lr: float, *, n: int = 8, steps: int = 500, seed: int = 0) -> float:
    """Mean PSNR in dB of pictures the model drew itself, recovered by Adam in X from the mean."""
    drawn = task.forward(task.prior.sample(n, torch.Generator().manual_seed(seed)))
    space = task.space(X)
    solver = Solver(task.forward, task.objective, Target(drawn), [Lane(X, space, Adam(lr))], max_steps=steps)
    best = run(solver, [space.mean_start(n)]).last
    if best is None:
        raise RuntimeError("a run records at least its start")
    return float(psnr(task.forward(space.to_x(best.lanes[0].best_variable)), drawn).mean())


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


def measure_generator(task: Task, train: Tensor, val: Tensor, tick: Tick, *, steps: int = 100) -> dict[str, Any]:
    """Metrics of a domain's generator and encoder; `train` (24 pictures do) also chooses X's advised learning rate."""
    lr, sweep = tune_x(task, train, steps, tick, [Adam(lr) for lr in ADAM_SWEEP])
    return {
        "advised": OptimizerSettings(name="adam", lr=lr).model_dump(exclude_unset=True),
        "x_adam_sweep_on_train": {key: round(value, 4) for key, value in sweep.items()},
        "own_samples_psnr_500_steps_x": round(own_sample_psnr(task, lr), 2),
        "encoder_psnr_val": round(encoder_psnr(task, val), 2),
        "encoder_loss_val": round(float(encoder_loss(task, val).mean()), 4),
    }
