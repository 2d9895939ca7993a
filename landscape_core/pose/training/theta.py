"""Training Θ for the pose prior: presets, and targets drawn from recorded poses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.pose.priors import body_of, load_any_pose_task, prior_of, theta_prefix
from landscape_core.pose.task import Body, Observation, body_parts
from landscape_core.search.mapping import MappingConfig
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.storage import zoo
from landscape_core.training.alternating import MappingTrainer, TargetSampler
from landscape_core.training.settings import MappingTraining
from landscape_core.training.theta import WHITENED, MappingPreset, between, build_trainer, publish_theta

# "full" is section 7.2 to the letter: 40,960 targets of 200 steps a buffer. "paper" is the same Θ and the same
# optimisers, N and B scaled down and 64 draws averaged in an update, to fit ten minutes of one CPU thread. "short" and
# "long" start with the loss's mean curvature taken out and learn from the first 5 steps and from 20 of them: the former
# is lower after two steps, but what Θ bends for those can cost the later ones.
_SHORT = MappingTraining(
    buffers=100, targets=512, steps=5, batch=64, z_lr=1.0, z_optimizer="lbfgs", lr=1e-3, weight_decay=0.01,
    rollout_chunk=512, keep_start=True, decay_from=0.5,
)  # fmt: skip
PRESETS = {
    "short": MappingPreset(
        MappingConfig("residual", 32, 32, 256), _SHORT, OptimizerSettings(name="lbfgs", lr=1.0),
        curvature_inputs=256, damping=0.01,
    ),
    "long": MappingPreset(
        MappingConfig("residual", 32, 32, 256), replace(_SHORT, buffers=12, targets=128, steps=20),
        OptimizerSettings(name="lbfgs", lr=1.0), curvature_inputs=256, damping=1.0, gain=3.0,
    ),
    "paper": MappingPreset(
        MappingConfig.paper(32, 128, 512),
        MappingTraining(
            buffers=12, targets=256, steps=200, batch=64, z_lr=0.1, lr=5e-3, weight_decay=0.1, rollout_chunk=256, decay_from=0.5
        ),
    ),
    "full": MappingPreset(
        MappingConfig.paper(32, 128, 512),
        MappingTraining(buffers=500, targets=40960, steps=200, z_lr=0.1, lr=5e-3, weight_decay=0.1, rollout_chunk=4096),
    ),
}  # fmt: skip

RESIDUAL = "residual"
# The better of "short" and "long" on held-out recordings of `train` (`train pose-compare`), by what is observed.
CHOSEN: dict[Observation, str] = {"rotations": "short", "positions": "long"}


def preset_of(observation: Observation, name: str) -> MappingPreset:
    """The preset of that name, "residual" being the one chosen for what is observed. Raises UserError for any other."""
    known = {RESIDUAL: PRESETS[CHOSEN[observation]], **PRESETS}
    if name not in known:
        raise UserError(f"There is no preset {name!r}; there are: {', '.join(known)}.")
    return known[name]


def spliced(poses: Tensor, n: int, parts: list[list[int]], random: torch.Generator) -> Tensor:
    """n poses (n, J, 3) put together from different recordings' torso, arms and legs: wider than the recordings are."""
    mixed = poses[torch.randint(len(poses), (n,), generator=random)]
    for part in parts:
        mixed[:, part] = poses[torch.randint(len(poses), (n,), generator=random)][:, part]
    return mixed


def pose_targets(body: Body, poses: Tensor) -> TargetSampler:
    """A sampler of targets from poses (N, J, 3): half as recorded, half `spliced`."""
    parts = body_parts(body.skeleton)

    def sample(n: int, random: torch.Generator) -> Target:
        mixed = spliced(poses, n, parts, random)
        recorded = torch.rand(n, generator=random) < 0.5
        mixed[recorded] = poses[torch.randint(len(poses), (int(recorded.sum()),), generator=random)]
        return body.target(mixed)

    return sample


def curvature_inputs(task: str, poses: Tensor | None, n: int, seed: int) -> Tensor:
    """n inputs of F (n, d) on the way from the origin to the codes of random poses (N, J, 3), or where there are none, to
    inputs drawn from the prior."""
    _, vposer = prior_of(task)
    random = torch.Generator().manual_seed(seed)
    if poses is None:
        codes = torch.randn(n, vposer.decoder.latent, generator=random)
    else:
        picked = poses[torch.randint(len(poses), (n,), generator=random)]
        with torch.no_grad():
            codes = vposer.encoder(picked).mean
    return between(torch.zeros_like(codes[0]), codes, random)


def pose_mapping_trainer(
    task: str,
    preset: str,
    poses: Tensor | None,
    work: Path,
    *,
    buffers: int | None = None,
    targets: int | None = None,
    inputs: int | None = None,
    seed: int = 0,
    tick: Callable[[int, int], None] = lambda *_: None,
) -> tuple[MappingTrainer, MappingConfig]:
    """The trainer of a preset for a pose task on poses (N, J, 3), or without them on what its prior draws, resumed from
    `work` where there is a checkpoint. The numbers of buffers, of targets in each and of inputs where the curvature is
    measured are the preset's unless they are given.

    Raises:
        UserError: no such task or preset, or no pose prior.
    """
    body, known = body_of(task), load_any_pose_task(task)
    known = replace(known, mappings={}, advised={}, tuned={}, hashes={})  # what was learned meanwhile is no part of a training
    chosen, dim = preset_of(body.observation, preset), len(known.prior.mean)
    chosen = replace(chosen, curvature_inputs=inputs or chosen.curvature_inputs)
    usual = chosen.training
    training = replace(usual, seed=seed, buffers=buffers or usual.buffers, targets=targets or usual.targets)
    mapping = replace(chosen.mapping, x_dim=dim, z_dim=dim if chosen.mapping.kind in WHITENED else chosen.mapping.z_dim)
    return build_trainer(
        known,
        replace(chosen, mapping=mapping, training=training),
        known.sampled if poses is None else pose_targets(body, poses),
        lambda: curvature_inputs(task, poses, chosen.curvature_inputs, seed),
        work / task / preset,
        identity={"observation": body.observation},
        tick=tick,
    )


def publish_pose_mapping(
    trainer: MappingTrainer, config: MappingConfig, task: str, preset: str, *, trained_on: str, command: str,
    assets: Path = zoo.ASSETS, name: str | None = None, inputs: int | None = None,
) -> zoo.Card:  # fmt: skip
    """Write the preset's Θ of a pose task, or by another name, and its card; `inputs` as the trainer was given them."""
    chosen = preset_of(body_of(task).observation, preset)
    return publish_theta(
        trainer, config, f"{theta_prefix(task)}{name or preset}", prior_of(task)[0],
        replace(chosen, curvature_inputs=inputs or chosen.curvature_inputs),
        loss="squared error", trained_on=trained_on, command=command, assets=assets,
    )  # fmt: skip
