"""Training Θ for an embedded generator: presets, targets, and what is published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.generators.task import PLUS, load_image_task
from landscape_core.images.pixels import to_unit
from landscape_core.search.mapping import MappingConfig
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.task import Task
from landscape_core.storage import zoo
from landscape_core.training.alternating import MappingTrainer, MappingTraining, TargetSampler
from landscape_core.training.theta import WHITENED, MappingPreset, build_trainer, publish_theta

# The paper's Algorithm 1 takes T·N draws a buffer; on a laptop they are averaged 32 at a time (the same draws in
# 1/32 of the updates) at a higher rate. "full" is section 7.1 to the letter. The online ones take as many evaluations of
# F as their counterparts with a buffer ("online" where both are given the same number of buffers). "curvature" is no
# training at all: X with the mean curvature taken out, for a space so large that training would take long (W+). What "flow",
# "statistics" and "plain" are worth beside "residual" is what `train mapping-compare` measures.
_RESIDUAL = MappingPreset(
    MappingConfig("residual"),
    MappingTraining(
        buffers=48,
        steps=5,
        batch=32,
        weight_decay=0.01,
        z_lr=1.0,
        z_optimizer="lbfgs",
        keep_start=True,
        decay_from=0.5,
        bf16=True,
    ),
    OptimizerSettings(name="lbfgs", lr=1.0),
)
MAPPING_PRESETS = {
    "residual": _RESIDUAL,
    "flow": replace(_RESIDUAL, mapping=MappingConfig("flow", hidden=512, layers=4)),
    "statistics": replace(_RESIDUAL, whiten="statistics"),
    "plain": replace(_RESIDUAL, whiten="nothing"),
    "paper": MappingPreset(MappingConfig.paper(), MappingTraining(buffers=100, batch=32, lr=1e-3, decay_from=0.5, bf16=True)),
    "online": MappingPreset(
        MappingConfig.paper(), MappingTraining(buffers=100, lr=1e-3, mode="online", decay_from=0.5, bf16=True), ablation=True
    ),
    "online-residual": MappingPreset(
        MappingConfig("residual"),
        MappingTraining(
            buffers=52, steps=5, weight_decay=0.01, z_lr=1.0, z_optimizer="lbfgs", mode="online", decay_from=0.5, bf16=True
        ),
        OptimizerSettings(name="lbfgs", lr=1.0),
        ablation=True,
    ),
    "curvature": MappingPreset(
        MappingConfig("residual", hidden=1, layers=2),
        MappingTraining(buffers=0),
        OptimizerSettings(name="lbfgs", lr=1.0),
        curvature_inputs=16,
    ),
    "full": MappingPreset(MappingConfig.paper(), MappingTraining()),
}


@torch.no_grad()
def curvature_inputs(task: Task, images: Tensor, n: int, seed: int) -> Tensor:
    """n inputs of F (n, d) on the way from the mean to the encoder's guess on n random pictures."""
    random = torch.Generator().manual_seed(seed)
    pictures = to_unit(images[torch.randint(len(images), (n,), generator=random)])
    guesses = task.prior.sample(n, random) if task.encode is None else task.encode(pictures)
    return task.prior.mean + torch.rand(n, 1, generator=random) * (guesses - task.prior.mean)


def image_targets(images: Tensor) -> TargetSampler:
    """A sampler of targets from uint8 pictures (N, 3, H, W): drawn with replacement, mirrored half of the time."""

    def sample(n: int, random: torch.Generator) -> Target:
        picked = to_unit(images[torch.randint(len(images), (n,), generator=random)])
        mirrored = torch.rand(n, generator=random) < 0.5
        return Target(torch.where(mirrored[:, None, None, None], picked.flip(3), picked))

    return sample


def mapping_trainer(
    domain: str,
    preset: str,
    images: Tensor,
    work: Path,
    *,
    buffers: int | None = None,
    seed: int = 0,
    device: str = "cpu",
    tick: Callable[[int, int], None] = lambda *_: None,
) -> tuple[MappingTrainer, MappingConfig]:
    """The trainer of a preset for an embedded task, resumed from `work` where there is a checkpoint.

    Raises:
        UserError: no such preset or model.
    """
    if preset not in MAPPING_PRESETS:
        raise UserError(f"There is no preset {preset!r}; there are: {', '.join(MAPPING_PRESETS)}.")
    task = load_image_task(domain, device=device)
    chosen = MAPPING_PRESETS[preset]
    training = replace(chosen.training, seed=seed, buffers=buffers or chosen.training.buffers)
    x_dim = len(task.prior.mean)
    z_dim = x_dim if chosen.mapping.kind in WHITENED else chosen.mapping.z_dim
    return build_trainer(
        task,
        replace(chosen, mapping=replace(chosen.mapping, x_dim=x_dim, z_dim=z_dim), training=training),
        image_targets(images),
        lambda: curvature_inputs(task, images, chosen.curvature_inputs, seed),
        work / domain / preset,
        identity={"domain": domain},
        tick=tick,
    )


def published_name(domain: str, preset: str) -> str:
    """Where a preset's Θ goes below the assets folder."""
    return f"{domain}/{'ablation' if MAPPING_PRESETS[preset].ablation else 'theta'}-{preset}"


def publish_mapping(
    trainer: MappingTrainer, config: MappingConfig, domain: str, preset: str, *, trained_on: str, command: str,
    assets: Path = zoo.ASSETS,
) -> zoo.Card:  # fmt: skip
    """Write `domain/theta-PRESET` (or `domain/ablation-PRESET`) and its card."""
    forward = zoo.read_card(f"{domain.removesuffix(PLUS)}/generator")
    return publish_theta(
        trainer, config, published_name(domain, preset), forward, MAPPING_PRESETS[preset].advised,
        trained_on=trained_on, command=command, assets=assets,
    )  # fmt: skip
