"""Training Θ for a plug-in: presets for an F of any size, targets drawn from the model, observed, or both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.plugins.task import CODE
from landscape_core.search.mapping import MappingConfig
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.task import Task
from landscape_core.search.thetas import THETA
from landscape_core.storage import zoo
from landscape_core.training.alternating import MappingTrainer, TargetSampler
from landscape_core.training.settings import MappingTraining
from landscape_core.training.theta import MappingPreset, between, build_trainer, publish_theta

_TRAINING = MappingTraining(
    buffers=20, targets=128, steps=8, batch=32, lr=3e-4, weight_decay=0.01, z_lr=1.0, z_optimizer="lbfgs", rollout_chunk=128,
    keep_start=True, decay_from=0.5,
)  # fmt: skip
_RESIDUAL = MappingPreset(
    MappingConfig("residual", activation="silu", bend=True), _TRAINING, OptimizerSettings(name="lbfgs", lr=1.0),
    whiten="prior", curvature_inputs=32,
)  # fmt: skip
# "residual" begins with the loss's mean curvature taken out and bends where the loss is steep; "whitened" is that beginning
# alone, no training; "paper" is section 7.1's Θ, its draws averaged 32 at a time.
PRESETS = {
    "residual": _RESIDUAL,
    "whitened": replace(_RESIDUAL, mapping=MappingConfig("residual", hidden=0), training=MappingTraining(buffers=0)),
    "paper": MappingPreset(MappingConfig.paper(), MappingTraining(buffers=100, batch=32, lr=1e-3, decay_from=0.5)),
}
WIDTHS = (64, 1024)  # of hidden layers: eight times the inputs of F, within these
STEP = 0.05  # by which curvature is measured, in deviations of the prior


def preset_for(
    task: Task, name: str, *, buffers: int | None = None, targets: int | None = None, inputs: int | None = None, seed: int = 0
) -> MappingPreset:
    """A preset with the sizes that a task needs. The numbers of buffers, of targets in each and of inputs where the curvature
    is measured are the preset's unless they are given.

    Raises:
        UserError: there is no such preset.
    """
    if name not in PRESETS:
        raise UserError(f"There is no preset {name!r}; there are: {', '.join(PRESETS)}.")
    chosen, dim = PRESETS[name], len(task.prior.mean)
    hidden = min(max(8 * dim, WIDTHS[0]), WIDTHS[1]) if chosen.mapping.hidden else 0
    z_dim = chosen.mapping.z_dim if chosen.mapping.kind == "mlp" else dim
    usual = chosen.training
    training = replace(usual, seed=seed, buffers=buffers or usual.buffers, targets=targets or usual.targets)
    scale = float(task.prior.factor.square().sum(dim=1).mean().sqrt())
    mapping = replace(chosen.mapping, x_dim=dim, z_dim=z_dim, hidden=hidden)
    inputs = inputs or chosen.curvature_inputs
    return replace(chosen, mapping=mapping, training=training, epsilon=STEP * scale, curvature_inputs=inputs)


def observations(task: Task, data: Path) -> Target | None:
    """Every file of a folder that the plug-in reads, as one batch of targets.

    Raises:
        UserError: there is no file, or one that the plug-in cannot read.
    """
    assert task.observe is not None  # `load_plugin_task` sees to it
    inside = sorted(data.iterdir()) if data.is_dir() else [data]
    paths = [path for path in inside if path.is_file() and not path.name.startswith(".")]
    if not paths:
        raise UserError(f"There is no file in {data}.")
    return joined([task.observe(path) for path in paths])


def joined(targets: Sequence[Target]) -> Target:
    """Batches of targets as one; where one has a mask, all do."""
    masks = [each.mask for each in targets]
    if all(mask is None for mask in masks):
        return Target(torch.cat([each.value for each in targets]))
    whole = [torch.ones_like(each.value) if each.mask is None else each.mask.expand_as(each.value) for each in targets]
    return Target(torch.cat([each.value for each in targets]), torch.cat(whole))


def targets_of(task: Task, observed: Target | None) -> TargetSampler:
    """A sampler of targets that the model draws, or where some were observed, half of these and half drawn."""

    def sample(n: int, random: torch.Generator) -> Target:
        if observed is None:
            return task.sampled(n, random)
        picked = observed.select(torch.randint(len(observed), (n - n // 2,), generator=random))
        return joined([picked, task.sampled(n // 2, random)]) if n > 1 else picked

    return sample


def curvature_inputs(task: Task, n: int, seed: int) -> Tensor:
    """n inputs of F (n, d) on the way from the prior's mean to inputs drawn from it."""
    random = torch.Generator().manual_seed(seed)
    return between(task.prior.mean, task.prior.sample(n, random), random)


def plugin_mapping_trainer(
    task: Task, preset: str, observed: Target | None, work: Path, *, buffers: int | None = None, targets: int | None = None,
    inputs: int | None = None, seed: int = 0, tick: Callable[[int, int], None] = lambda *_: None,
) -> tuple[MappingTrainer, MappingConfig]:  # fmt: skip
    """The trainer of a preset for a plug-in's task, resumed from `work` where there is a checkpoint.

    Raises:
        UserError: no such preset, or the checkpoint belongs to another training.
    """
    chosen, code = preset_for(task, preset, buffers=buffers, targets=targets, inputs=inputs, seed=seed), f"{task.name}{CODE}"
    # What was learned meanwhile is no part of what this training is.
    task = replace(task, mappings={}, advised={}, tuned={}, hashes={code: task.hashes[code]})
    return build_trainer(
        task, chosen, targets_of(task, observed), lambda: curvature_inputs(task, chosen.curvature_inputs, seed),
        work / task.name / preset, identity={"task": task.name}, tick=tick,
    )  # fmt: skip


def publish_plugin_mapping(
    trainer: MappingTrainer, config: MappingConfig, task: Task, preset: str, *, trained_on: str, command: str,
    assets: Path = zoo.OWN, name: str | None = None, inputs: int | None = None,
) -> zoo.Card:  # fmt: skip
    """Write `TASK/theta-PRESET`, or by another name, and its card, which names the plug-in and its hash; `inputs` as the
    trainer was given them."""
    code = f"{task.name}{CODE}"
    plugin = zoo.Card(
        name=code, kind="plug-in", architecture={}, trained_on="", licence="that of the plug-in", command="", budget={},
        metrics={}, sha256=task.hashes[code], seed=0,
    )  # fmt: skip
    return publish_theta(
        trainer, config, f"{task.name}{THETA}{name or preset}", plugin, preset_for(task, preset, inputs=inputs),
        loss=type(task.objective).__name__, trained_on=trained_on, command=command, assets=assets, dtype=torch.float32,
    )  # fmt: skip
