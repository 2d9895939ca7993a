"""Training Θ for the inversion of features: presets, and targets that are training pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from landscape_core.autoencoders.task import CODES, load_features_task
from landscape_core.errors import UserError
from landscape_core.images.pixels import to_unit
from landscape_core.search.mapping import MappingConfig
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.task import Task
from landscape_core.storage import zoo
from landscape_core.training.alternating import MappingTrainer, TargetSampler
from landscape_core.training.settings import MappingTraining
from landscape_core.training.theta import MappingPreset, between, build_trainer, publish_theta

Whiten = Literal["curvature", "prior"]
RESIDUAL = "residual"
_TRAINING = MappingTraining(
    buffers=10, targets=192, steps=10, batch=16, z_lr=0.5, lr=1e-3, weight_decay=0.1, rollout_chunk=192, keep_start=True,
    decay_from=0.5, bf16=True,
)  # fmt: skip
CODE_RATE = 0.05  # a tenth: where curvature is taken out, a step of 0.5 leaves what a decoder can draw


def preset(task: Task, whiten: Whiten = "curvature") -> MappingPreset:
    """Θ for a task, small enough for minutes of one core: over codes a residual one, which begins with the loss's mean
    curvature taken out, shaped by the codes' prior too where `whiten` says so; over pixels, too many for that, a skip with an
    MLP beside it. There Z is ten times as long as X, so that z's on the way of a descent are of a size that an MLP can tell
    apart.

    Raises:
        UserError: over pixels nothing is whitened.
    """
    dim = len(task.prior.mean)
    if not task.name.endswith(CODES):
        if whiten != "curvature":
            raise UserError(f"Over pixels Θ begins with no whitener that a prior could shape; that is for tasks with {CODES}.")
        skip = MappingConfig("skip", dim, dim, 96, gain=0.1)
        return MappingPreset(skip, _TRAINING, OptimizerSettings(name="adam", lr=_TRAINING.z_lr))
    training, residual = replace(_TRAINING, z_lr=CODE_RATE), MappingConfig("residual", dim, dim, 128)
    chosen = MappingPreset(residual, training, OptimizerSettings(name="adam", lr=CODE_RATE))
    return chosen if whiten == "curvature" else replace(chosen, whiten=whiten, damping=1.0, power=0.35)  # as for the faces


def picture_targets(images: Tensor) -> TargetSampler:
    """A sampler of targets from uint8 pictures (N, 3, S, S), with replacement."""

    def sample(n: int, random: torch.Generator) -> Target:
        return Target(to_unit(images[torch.randint(len(images), (n,), generator=random)]))

    return sample


def curvature_inputs(task: Task, images: Tensor, n: int, seed: int) -> Tensor:
    """n inputs of F (n, d) on the way from the mean to the encoder's guesses at random pictures."""
    assert task.encode is not None  # the decoder is at hand for every task here
    random = torch.Generator().manual_seed(seed)
    return between(task.prior.mean, task.encode(picture_targets(images)(n, random).value), random)


def features_mapping_trainer(
    name: str,
    images: Tensor,
    folder: Path,
    *,
    whiten: Whiten = "curvature",
    buffers: int | None = None,
    seed: int = 0,
    assets: Path = zoo.ASSETS,
) -> tuple[MappingTrainer, MappingConfig]:
    """The trainer of Θ for a task on uint8 pictures (N, 3, S, S), resumed from `folder` where there is a checkpoint.

    Raises:
        UserError: no such task, or pictures of another side.
    """
    task = load_features_task(name, assets)
    if images.shape[-1] != task.side:
        raise UserError(f"{name} takes pictures of {task.side} pixels, not of {images.shape[-1]}.")
    chosen = preset(task, whiten)
    chosen = replace(chosen, training=replace(chosen.training, seed=seed, buffers=buffers or chosen.training.buffers))
    return build_trainer(
        task, chosen, picture_targets(images), lambda: curvature_inputs(task, images, chosen.curvature_inputs, seed), folder,
        identity={"task": name},
    )  # fmt: skip


def publish_features_mapping(
    trainer: MappingTrainer, config: MappingConfig, name: str, *, trained_on: str, command: str, whiten: Whiten = "curvature",
    assets: Path = zoo.ASSETS,
) -> zoo.Card:  # fmt: skip
    """Write `NAME/theta-residual` and its card; `whiten` as the trainer was given it."""
    decoder, chosen = zoo.read_card(name.removesuffix(CODES), assets), preset(load_features_task(name, assets), whiten)
    return publish_theta(
        trainer, config, f"{name}/theta-{RESIDUAL}", decoder, chosen, loss="feature distance", trained_on=trained_on,
        command=command, assets=assets,
    )  # fmt: skip
