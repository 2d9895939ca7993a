"""Training Θ for an embedded image task: presets, the trainer they make, and what is published."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from landscape_core import zoo
from landscape_core.curvature import mean_curvature, whitener
from landscape_core.data import to_unit
from landscape_core.errors import UserError
from landscape_core.mapping import MappingConfig, build_mapping
from landscape_core.objectives import Target
from landscape_core.optimizers import OptimizerSettings
from landscape_core.tasks.base import Task
from landscape_core.tasks.gan import PLUS, load_image_task
from landscape_core.training.mapping import MappingTrainer, MappingTraining, TargetSampler

WHITENED = ("residual", "flow")  # kinds of Θ that begin as X in other units, and so need Z as large as X


@dataclass(frozen=True)
class MappingPreset:
    """Which Θ, how it is trained, and the optimiser to search its Z with.

    A residual Θ or a flow begins with the loss's mean curvature taken out, measured at `curvature_inputs` points between
    the mean and the encoder's guesses on training pictures; `damping` and `gain` as for `whitener`. Or, to compare with, with
    the scales that the statistics of x have, or as X itself: `whiten`. An `ablation` is for Table 2 alone: it is published
    beside the spaces one searches in, not among them.
    """

    mapping: MappingConfig
    training: MappingTraining
    advised: OptimizerSettings = field(default_factory=OptimizerSettings)
    whiten: Literal["curvature", "statistics", "nothing"] = "curvature"
    curvature_inputs: int = 48
    damping: float = 0.1
    gain: float | None = None
    ablation: bool = False


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
        tick=tick,
    )


def build_trainer(
    task: Task,
    chosen: MappingPreset,
    sampler: TargetSampler,
    inputs: Callable[[], Tensor],
    folder: Path,
    *,
    tick: Callable[[int, int], None] = lambda *_: None,
) -> tuple[MappingTrainer, MappingConfig]:
    """The trainer of any task's Θ, resumed from `folder` where there is a checkpoint.

    `inputs` draws the inputs of F (n, d) at which a residual Θ's curvature is measured.
    """
    config, seed = chosen.mapping, chosen.training.seed
    taken_out = None
    if config.kind in WHITENED and not (folder / "checkpoint.safetensors").exists():
        taken_out = starting_scales(task, chosen, inputs, tick)
    mapping = build_mapping(config, task.prior, whitener=taken_out, seed=seed).to(task.device)
    trainer = MappingTrainer(mapping, config.z_dim, task.forward, task.objective, sampler, chosen.training, folder)
    if trainer.progress.buffer == 0:
        trainer.save()  # the curvature took a while; keep it
    return trainer, config


def starting_scales(
    task: Task, chosen: MappingPreset, inputs: Callable[[], Tensor], tick: Callable[[int, int], None]
) -> Tensor | None:
    """The matrix (d, d) that a residual Θ or a flow starts with, None for X itself; see `MappingPreset`."""
    if chosen.whiten == "curvature":
        curvature = mean_curvature(task.forward, task.objective, inputs(), tick=tick)
        return whitener(curvature, damping=chosen.damping, gain=chosen.gain)
    return task.prior.root() if chosen.whiten == "statistics" else None


def evaluations_per_buffer(config: MappingTraining) -> int:
    """Evaluations of F, forward and backward, in one buffer: along the trajectories, and again to update Θ."""
    draws = config.steps + int(config.keep_start and config.mode == "alternating")
    return config.targets * (config.steps + 1 + draws)


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


def publish_theta(
    trainer: MappingTrainer, config: MappingConfig, name: str, forward: zoo.Card, advised: OptimizerSettings, *,
    trained_on: str, command: str, assets: Path = zoo.ASSETS,
) -> zoo.Card:  # fmt: skip
    """Write a Θ as model `name`, with a card that names the forward model it is for."""
    card = zoo.Card(
        name=name,
        kind="mapping network Θ: z -> x",
        architecture=asdict(config),
        trained_on=trained_on,
        licence=forward.licence,
        command=command,
        budget={
            "seconds": round(trainer.progress.seconds),
            "buffers": trainer.progress.buffer,
            "evaluations": trainer.progress.buffer * evaluations_per_buffer(trainer.config),
            "hardware": f"{trainer.device.type}, {platform.machine()}, {torch.get_num_threads()} thread(s)",
        },
        metrics={"last_buffer": (trainer.progress.history or [{}])[-1], "advised": advised.model_dump()},
        sha256="",
        seed=trainer.config.seed,
        notes=f"Settings: {asdict(trainer.config)}. Trained for {forward.name} {forward.sha256[:12]}.",
    )
    return zoo.save(card, trainer.mapping.state_dict(), assets)
