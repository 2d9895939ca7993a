"""Training Θ for an embedded generator: presets, targets, and what is published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.errors import UserError
from landscape_core.generators.networks.image_model import PlusModel
from landscape_core.generators.task import PLUS, load_image_task
from landscape_core.generators.training.observed import observed_targets
from landscape_core.images.pixels import to_bytes, to_unit
from landscape_core.search.mapping import MappingConfig
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.race import DEFAULT_PERCEPTUAL
from landscape_core.search.task import Task, Tuned
from landscape_core.storage import zoo
from landscape_core.training.alternating import MappingTrainer, TargetSampler
from landscape_core.training.settings import MappingTraining
from landscape_core.training.theta import WHITENED, MappingPreset, between, build_trainer, publish_theta

TRUNCATIONS = (0.5, 1.0)  # of drawn targets
# "residual" is what serves: the whitener with the prior's shape in it, an MLP that bends where the loss is steep, targets half
# real and half drawn by F. "whitened" is its whitener alone, no training at all: for a space so large that training would
# take long (W+). The paper's Algorithm 1 takes T·N draws a buffer; on a laptop they are averaged 32 at a time (the same draws
# in 1/32 of the updates) at a higher rate; "full" is section 7.1 to the letter. The online ones take as many evaluations of F
# as their counterparts with a buffer. What "flow", "statistics" and "plain" are worth beside "residual" is what
# `train mapping-compare` measures.
_TRAINING = MappingTraining(
    buffers=14,
    targets=192,
    steps=8,
    batch=32,
    lr=3e-4,
    weight_decay=0.01,
    z_lr=1.0,
    z_optimizer="lbfgs",
    rollout_chunk=32,
    keep_start=True,
    decay_from=0.5,
    bf16=True,
)
_FROM_MEAN = OptimizerSettings(name="lbfgs", lr=1.0, first_move=1.0, history=100)
_FROM_GUESS = OptimizerSettings(name="lbfgs", lr=1.0, first_move=0.3, history=100)
_RESIDUAL = MappingPreset(
    MappingConfig("residual", activation="silu", bend=True),
    _TRAINING,
    _FROM_MEAN,
    (Tuned(start="mean", optimizer=_FROM_MEAN), Tuned(start="encoder", optimizer=_FROM_GUESS)),
    whiten="prior",
    curvature_inputs=8,
    damping=1.0,
    power=0.35,
    drawn=0.5,
)
MAPPING_PRESETS = {
    "residual": _RESIDUAL,
    "whitened": replace(_RESIDUAL, mapping=MappingConfig("residual", hidden=0), training=MappingTraining(buffers=0)),
    "flow": replace(_RESIDUAL, mapping=MappingConfig("flow", hidden=512, layers=4)),
    "statistics": replace(_RESIDUAL, mapping=replace(_RESIDUAL.mapping, bend=False), whiten="statistics"),
    "plain": replace(_RESIDUAL, mapping=replace(_RESIDUAL.mapping, bend=False), whiten="nothing"),
    "paper": MappingPreset(MappingConfig.paper(), MappingTraining(buffers=100, batch=32, lr=1e-3, decay_from=0.5, bf16=True)),
    "online": MappingPreset(
        MappingConfig.paper(), MappingTraining(buffers=100, lr=1e-3, mode="online", decay_from=0.5, bf16=True), ablation=True
    ),
    "online-residual": replace(
        _RESIDUAL, training=replace(_TRAINING, buffers=15, mode="online", keep_start=False), ablation=True
    ),
    "full": MappingPreset(MappingConfig.paper(), MappingTraining()),
}


@torch.no_grad()
def curvature_inputs(task: Task, images: Tensor, n: int, seed: int) -> Tensor:
    """n inputs of F (n, d) on the way from the mean to the encoder's guess on n random pictures."""
    random = torch.Generator().manual_seed(seed)
    pictures = to_unit(images[torch.randint(len(images), (n,), generator=random)])
    guesses = task.prior.sample(n, random) if task.encode is None else task.encode(pictures)
    return between(task.prior.mean, guesses, random)


def image_targets(images: Tensor, task: Task | None = None, *, drawn: float = 0.0) -> TargetSampler:
    """A sampler of targets from uint8 pictures (N, 3, H, W): drawn with replacement, mirrored half of the time; the part
    `drawn` of them made by the task's F instead, at truncations of `TRUNCATIONS`."""

    def sample(n: int, random: torch.Generator) -> Target:
        own = round(drawn * n)
        picked = to_unit(images[torch.randint(len(images), (n - own,), generator=random)])
        mirrored = torch.rand(n - own, generator=random) < 0.5
        real = torch.where(mirrored[:, None, None, None], picked.flip(3), picked)
        return Target(real if task is None or not own else torch.cat([real, _drawn(task, own, random).to(real.device)]))

    return sample


@torch.no_grad()
def _drawn(task: Task, n: int, random: torch.Generator) -> Tensor:
    """n pictures (n, 3, H, W) by the task's F, each nearer to the mean by a factor of its own."""
    low, high = TRUNCATIONS
    factors = (low + (high - low) * torch.rand(n, 1, generator=random)).to(task.device)
    inputs = task.prior.mean + factors * (task.prior.sample(n, random) - task.prior.mean)
    return torch.cat([task.forward(part) for part in inputs.split(32)])


def picture_preset(name: str) -> MappingPreset:
    """The preset of that name. Raises UserError where there is none."""
    if name not in MAPPING_PRESETS:
        raise UserError(f"There is no preset {name!r}; there are: {', '.join(MAPPING_PRESETS)}.")
    return MAPPING_PRESETS[name]


def mapping_trainer(
    domain: str,
    preset: str,
    images: Tensor,
    work: Path,
    *,
    buffers: int | None = None,
    targets: int | None = None,
    inputs: int | None = None,
    drawn: float | None = None,
    observations: Sequence[str] = (),
    seed: int = 0,
    device: str = "cpu",
    tick: Callable[[int, int], None] = lambda *_: None,
) -> tuple[MappingTrainer, MappingConfig]:
    """The trainer of a preset for an embedded task, resumed from `work` where there is a checkpoint. The numbers of buffers,
    of targets in each and of inputs where the curvature is measured, and the part of the targets that F draws, are the preset's
    unless they are given. With `observations` every buffer sees its targets through one of them.

    Raises:
        UserError: no such preset or model.
    """
    chosen = picture_preset(preset)
    task = load_image_task(domain, device=device)
    chosen = replace(chosen, curvature_inputs=inputs or chosen.curvature_inputs, drawn=chosen.drawn if drawn is None else drawn)
    usual = chosen.training
    training = replace(usual, seed=seed, buffers=buffers or usual.buffers, targets=targets or usual.targets)
    x_dim = len(task.prior.mean)
    z_dim = x_dim if chosen.mapping.kind in WHITENED else chosen.mapping.z_dim
    blocks = task.forward.n_styles if isinstance(task.forward, PlusModel) else 1
    of_w = task if blocks == 1 else load_image_task(domain.removesuffix(PLUS), device=device)
    whole = image_targets(images, task, drawn=chosen.drawn)
    return build_trainer(
        task,
        replace(chosen, mapping=replace(chosen.mapping, x_dim=x_dim, z_dim=z_dim, blocks=blocks), training=training),
        observed_targets(whole, observations) if observations else whole,
        lambda: curvature_inputs(of_w, images, chosen.curvature_inputs, seed),
        work / domain / preset,
        identity={"domain": domain},
        measured=of_w,
        tick=tick,
    )


def drawn_pictures(domain: str, n: int, seed: int, device: str = "cpu") -> Tensor:
    """n pictures by a domain's own F as uint8 (n, 3, H, W), where there are no others to learn on.

    Raises:
        UserError: no such domain.
    """
    task = load_image_task(domain, device=device)
    return to_bytes(_drawn(task, n, torch.Generator().manual_seed(seed)))


def published_name(domain: str, preset: str, name: str | None = None) -> str:
    """Where a preset's Θ goes below the assets folder, by a name of its own where it has one."""
    return f"{domain}/{'ablation' if MAPPING_PRESETS[preset].ablation else 'theta'}-{name or preset}"


def publish_mapping(
    trainer: MappingTrainer, config: MappingConfig, domain: str, preset: str, *, trained_on: str, command: str,
    assets: Path = zoo.ASSETS, name: str | None = None, inputs: int | None = None, drawn: float | None = None,
    observations: Sequence[str] = (),
) -> zoo.Card:  # fmt: skip
    """Write `domain/theta-PRESET` (or `domain/ablation-PRESET`), or by another name, and its card; `inputs`, `drawn` and
    `observations` as the trainer was given them."""
    chosen = MAPPING_PRESETS[preset]
    chosen = replace(chosen, curvature_inputs=inputs or chosen.curvature_inputs, drawn=chosen.drawn if drawn is None else drawn)
    generator = f"{domain.removesuffix(PLUS)}/generator"
    forward = zoo.read_card(generator, zoo.shelf_of(generator))
    seen = f", of a mixture of observations: {', '.join(observations)}" if observations else ""
    return publish_theta(
        trainer, config, published_name(domain, preset, name), forward, chosen,
        loss=f"{DEFAULT_PERCEPTUAL} + squared error{seen}", trained_on=trained_on, command=command, assets=assets,
    )  # fmt: skip
