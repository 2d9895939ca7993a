"""The trainer of any task's Θ, and how a Θ is published."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import torch
from torch import Tensor

from landscape_core import processes
from landscape_core.search.curvature import mean_curvature, steepness, whitener
from landscape_core.search.mapping import MappingConfig, build_mapping
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.task import Task, Tuned
from landscape_core.storage import zoo
from landscape_core.training.alternating import MappingTrainer, TargetSampler
from landscape_core.training.checkpoint import NAME
from landscape_core.training.lock import hold
from landscape_core.training.settings import MappingTraining

WHITENED = ("residual", "flow")  # kinds of Θ that begin as X in other units, and so need Z as large as X


@dataclass(frozen=True)
class MappingPreset:
    """Which Θ, how it is trained, and the optimiser to search its Z with; `tuned`, from which start by which settings.

    A residual Θ or a flow begins with the loss's mean curvature taken out, measured at `curvature_inputs` points between
    the mean and the encoder's guesses on training pictures; `damping`, `power` and `gain` as for `whitener`, whose precision
    is the prior's where `whiten` says so. Or, to compare with, with the scales that the statistics of x have, or as X itself.
    `epsilon`, in units of x, is what it is measured by. Of the targets, the part `drawn` is made by F itself. An `ablation` is
    for Table 2 alone: it is published beside the spaces one searches in, not among them.
    """

    mapping: MappingConfig
    training: MappingTraining
    advised: OptimizerSettings = field(default_factory=OptimizerSettings)
    tuned: tuple[Tuned, ...] = ()
    whiten: Literal["prior", "curvature", "statistics", "nothing"] = "curvature"
    curvature_inputs: int = 48
    damping: float = 0.1
    power: float = 0.5
    gain: float | None = None
    epsilon: float = 0.05
    drawn: float = 0.0
    ablation: bool = False


def build_trainer(
    task: Task,
    chosen: MappingPreset,
    sampler: TargetSampler,
    inputs: Callable[[], Tensor],
    folder: Path,
    *,
    identity: Mapping[str, Any] = MappingProxyType({}),
    measured: Task | None = None,
    tick: Callable[[int, int], None] = lambda *_: None,
) -> tuple[MappingTrainer, MappingConfig]:
    """The trainer of any task's Θ, resumed from `folder` where there is a checkpoint.

    `inputs` draws the inputs of F (n, d) at which a residual Θ's curvature is measured; where Θ repeats it for every block of
    x, of the task `measured` that one block is the input of. What `identity` says, the targets and all settings tell this
    training from others.

    Raises:
        UserError: the checkpoint belongs to another training, or another process trains in the folder.
    """
    config, seed = chosen.mapping, chosen.training.seed
    lock = hold(folder)  # before the curvature, which takes a while
    scales: dict[str, Tensor] = {}
    untold = ("training", "advised", "tuned", "ablation", "epsilon")  # the last follows from the task
    facts = {name: value for name, value in vars(chosen).items() if name not in untold}
    if config.kind in WHITENED and not (folder / NAME).exists():
        scales = starting_scales(measured or task, chosen, inputs, tick)
    mapping = build_mapping(config, task.prior, **scales, seed=seed).to(task.device)
    trainer = MappingTrainer(
        mapping, config.z_dim, task.forward, task.objective, sampler, chosen.training, folder, {**identity, **facts}
    )
    del lock  # the trainer holds it now
    if trainer.progress.buffer == 0:
        trainer.save()  # the curvature took a while; keep it
    return trainer, config


def between(mean: Tensor, inputs: Tensor, random: torch.Generator) -> Tensor:
    """A random point (n, d) on the way from the mean (d,) to each of the inputs (n, d): where a curvature is measured."""
    return mean + torch.rand(len(inputs), 1, generator=random).to(inputs) * (inputs - mean)


def starting_scales(
    task: Task, chosen: MappingPreset, inputs: Callable[[], Tensor], tick: Callable[[int, int], None]
) -> dict[str, Tensor]:
    """The matrices (d, d) that a residual Θ or a flow starts with, none for X itself; see `MappingPreset`."""
    if chosen.whiten == "statistics":
        return {"whitener": task.prior.root()}
    if chosen.whiten == "nothing":
        return {}
    curvature = mean_curvature(task.forward, task.objective, inputs(), epsilon=chosen.epsilon, tick=tick)
    precision = task.prior.precision() if chosen.whiten == "prior" else None
    scale = whitener(curvature, damping=chosen.damping, power=chosen.power, precision=precision, gain=chosen.gain)
    return {"whitener": scale} | ({"bend": steepness(curvature, scale)} if chosen.mapping.bend else {})


def evaluations_per_buffer(config: MappingTraining) -> int:
    """Evaluations of F, forward and backward, in one buffer: along the trajectories, and again to update Θ."""
    draws = config.steps + int(config.keep_start and config.mode == "alternating")
    return config.targets * (config.steps + 1 + draws)


def updates_per_buffer(config: MappingTraining) -> int:
    """Steps of z and updates of θ in one buffer, each of which `MappingTrainer.phases` pauses before."""
    steps = -(-config.targets // config.rollout_chunk) * config.steps
    kept = config.steps + int(config.keep_start)
    return steps + (0 if config.mode == "online" else max(config.targets * kept // config.batch, 1))


def spent(trainer: MappingTrainer) -> dict[str, Any]:
    """What a training took so far: draws from buffers, updates of θ and the batch of each, buffers, evaluations of F, seconds.
    The paper's printed settings (T·N·B) are 2,560,000 draws of one."""
    config, buffers = trainer.config, trainer.progress.buffer
    kept = config.steps + int(config.keep_start and config.mode == "alternating")
    batch = config.rollout_chunk if config.mode == "online" else config.batch
    return {
        "seconds": round(trainer.progress.seconds),
        "buffers": buffers,
        "draws": buffers * config.targets * kept,
        "updates": buffers * max(config.targets * kept // batch, 1),
        "batch": batch,
        "evaluations": buffers * evaluations_per_buffer(config),
    }


def publish_theta(
    trainer: MappingTrainer, config: MappingConfig, name: str, forward: zoo.Card, chosen: MappingPreset, *,
    loss: str, trained_on: str, command: str, assets: Path = zoo.ASSETS, dtype: torch.dtype = torch.float16,
) -> zoo.Card:  # fmt: skip
    """Write a Θ as model `name`, with a card that names the forward model and the loss that it is for."""
    advice: dict[str, Any] = {"advised": chosen.advised.model_dump(exclude_unset=True)}
    advice |= {"tuned": [each.model_dump(exclude_unset=True) for each in chosen.tuned]} if chosen.tuned else {}
    hardware = f"{trainer.device.type}, {platform.machine()}, {torch.get_num_threads()} thread(s){processes.in_words()}"
    settings = asdict(trainer.config) | {"drawn": chosen.drawn, "whiten": chosen.whiten, "damping": chosen.damping}
    settings |= {"power": chosen.power, "curvature_inputs": chosen.curvature_inputs}
    card = zoo.Card(
        name=name,
        kind="mapping network Θ: z -> x",
        architecture=asdict(config),
        trained_on=trained_on,
        licence=forward.licence,
        command=command,
        budget={**spent(trainer), "hardware": hardware},
        metrics={"last_buffer": (trainer.progress.history or [{}])[-1], **advice},
        sha256="",
        seed=trainer.config.seed,
        notes=f"Settings: {settings}. Trained for {forward.name} {forward.sha256[:12]} by the loss {loss}.",
    )
    return zoo.save(card, trainer.mapping.state_dict(), assets, dtype=dtype)
