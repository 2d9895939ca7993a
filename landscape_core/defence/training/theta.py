"""Training Θ for the defence (section 7.3): presets, and targets that are attacked training pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.defence.attacks import ATTACKS, AttackSettings, attacked
from landscape_core.defence.objective import DIM, START, Defence
from landscape_core.defence.task import FOLDER, PAPER_STEP
from landscape_core.errors import UserError
from landscape_core.images.pixels import to_unit
from landscape_core.progress import Report
from landscape_core.search.mapping import MappingConfig
from landscape_core.search.objectives import Target
from landscape_core.storage import zoo
from landscape_core.storage.fingerprint import fingerprint
from landscape_core.storage.tensors import read_tensors, write_tensors
from landscape_core.training.alternating import MappingTrainer, TargetSampler
from landscape_core.training.settings import MappingTraining
from landscape_core.training.theta import MappingPreset, build_trainer, publish_theta

# "full" is section 7.3 to the letter: an MLP of three layers, 3072 wide, 5,120 targets of 5 steps in each of 70 buffers,
# one draw to an update. The others are cut down to 2.4 MB and minutes of one CPU core: 192 units, fewer and smaller
# buffers, 16 draws averaged in an update. "narrow" is the paper's MLP; "residual" adds a scaled skip, so that training
# starts from X at the rate whose single step lowers the loss most (five times that of section 7.3, found on train).
_TRAINING = MappingTraining(
    buffers=8, targets=256, steps=5, batch=16, z_lr=PAPER_STEP.lr, lr=1e-3, weight_decay=0.1, rollout_chunk=128,
    start=START, decay_from=0.5, bf16=True,
)  # fmt: skip
PRESETS = {
    "residual": MappingPreset(MappingConfig("skip", DIM, DIM, 192, gain=5.0), _TRAINING, PAPER_STEP),
    "narrow": MappingPreset(MappingConfig.paper(DIM, DIM, 192), _TRAINING, PAPER_STEP),
    "full": MappingPreset(
        MappingConfig.paper(DIM, DIM, DIM),
        MappingTraining(
            buffers=70, targets=5120, steps=5, z_lr=PAPER_STEP.lr, lr=1e-4, weight_decay=0.1, rollout_chunk=512, start=START
        ),
        PAPER_STEP,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class TargetSettings:
    """The pictures to restore: `number` training pictures, attacked as in Table 1 but in `steps` steps of the same total
    length; the share `clean` is left alone, since a defence does not know what was attacked."""

    number: int = 600
    steps: int = 20
    clean: float = 0.1
    seed: int = 0

    def attack(self) -> AttackSettings:
        """Table 1's attack in fewer steps, each 2.5 radii / steps long."""
        paper = ATTACKS["l2"]
        return paper.model_copy(update={"steps": self.steps, "step": 2.5 * paper.eps / self.steps})


def attacked_training(
    defence: Defence, images: Tensor, labels: Tensor, settings: TargetSettings, folder: Path, report: Report
) -> Tensor | None:
    """Pictures (number, 3, 32, 32) in [-1, 1], from `folder` where they were made before; None if `report` stopped it."""
    path = folder / "targets.safetensors"
    random = torch.Generator().manual_seed(settings.seed)
    picked = torch.randperm(len(images), generator=random)[: settings.number]
    pictures, answers = to_unit(images[picked]), labels[picked]
    made_for = f"{settings} {defence.card.sha256} {fingerprint(pictures, answers)}"
    if path.exists():
        kept, meta = read_tensors(path)
        if meta.get("made_for") == made_for:
            return kept["pictures"]
    untouched = round(settings.clean * len(pictures))
    harmed = attacked(
        defence.classifier, pictures[untouched:], answers[untouched:], settings.attack(), seed=settings.seed, bf16=True,
        tick=lambda done, total: report(done, total, {}),
    )  # fmt: skip
    if harmed is None:
        return None
    pictures = torch.cat([pictures[:untouched], harmed])
    write_tensors(path, {"pictures": pictures}, {"made_for": made_for})
    return pictures


def attacked_targets(pictures: Tensor) -> TargetSampler:
    """A sampler of targets from pictures (N, 3, 32, 32), with replacement."""

    def sample(n: int, random: torch.Generator) -> Target:
        return Target(pictures[torch.randint(len(pictures), (n,), generator=random)])

    return sample


def defence_mapping_trainer(
    defence: Defence, preset: str, pictures: Tensor, folder: Path, *, buffers: int | None = None, seed: int = 0
) -> tuple[MappingTrainer, MappingConfig]:
    """The trainer of a preset on attacked pictures (N, 3, 32, 32), resumed from `folder` where there is a checkpoint.

    Raises:
        UserError: no such preset.
    """
    if preset not in PRESETS:
        raise UserError(f"There is no preset {preset!r}; there are: {', '.join(PRESETS)}.")
    chosen = PRESETS[preset]
    training = replace(chosen.training, seed=seed, buffers=buffers or chosen.training.buffers)
    inputs: Callable[[], Tensor] = lambda: torch.zeros(1, DIM)  # noqa: E731
    return build_trainer(
        defence.task, replace(chosen, training=training), attacked_targets(pictures), inputs, folder,
        identity={"classifier": defence.name},
    )  # fmt: skip


def publish_defence_mapping(
    trainer: MappingTrainer, config: MappingConfig, name: str, preset: str, *,
    trained_on: str, command: str, assets: Path = zoo.ASSETS,
) -> zoo.Card:  # fmt: skip
    """Write `defence/NAME/theta-PRESET` and its card."""
    return publish_theta(
        trainer, config, f"{FOLDER}/{name}/theta-{preset}", zoo.read_card(f"{FOLDER}/{name}", assets), PRESETS[preset],
        loss="contrastive", trained_on=trained_on, command=command, assets=assets,
    )  # fmt: skip
