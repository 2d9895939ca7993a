"""Training the pose prior: VPoser v2's losses, with markers around every joint in place of a body mesh."""

from __future__ import annotations

import copy
import math
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from landscape_core.errors import UserError
from landscape_core.pose.kinematics import ForwardKinematics, Skeleton, rotation_angle, rotvec_to_matrix
from landscape_core.pose.network import VPoser
from landscape_core.progress import Report
from landscape_core.storage import zoo
from landscape_core.storage.files import write_text
from landscape_core.training.checkpoint import Checkpoint
from landscape_core.training.loop import train

_MARKER_CM = 10.0  # distance of the three markers of a joint from it: about the radius of a body part


@dataclass(frozen=True)
class PosePriorConfig:
    """Loss weights and optimiser as published for VPoser v2, with two exceptions; lengths in the losses are metres.

    These motions are far less varied than AMASS. `kl_weight` is 0.005 as published; at 0.001 `val` came back at
    1.2 cm instead of 2.5 after the same short run. `extra_part` is the first part of the run that has the rotation
    and joint terms, 0.15 as published; without them the KL takes over again, so they stay on to the end.
    `samples` counts poses seen, not epochs. The learning rate falls to zero along a cosine.
    """

    samples: int = 1_500_000
    batch: int = 256
    lr: float = 2e-3
    weight_decay: float = 1e-5
    latent: int = 32
    hidden: int = 512
    kl_weight: float = 0.001
    surface_weight: float = 4.0
    rotation_weight: float = 2.0
    joint_weight: float = 2.0
    extra_part: float = 1.0
    seed: int = 0
    bf16: bool = True


class PoseTrainer:
    """The model of one run and its update. Update k draws all its randomness from the seed and k alone."""

    def __init__(self, rotvec: Tensor, skeleton: Skeleton, config: PosePriorConfig, out: Path) -> None:
        if rotvec.shape[1:] != (len(skeleton), 3):
            raise UserError(f"Poses of shape {tuple(rotvec.shape)} do not fit a skeleton of {len(skeleton)} joints.")
        self.rotvec, self.config = rotvec, config
        self.kinematics = ForwardKinematics(skeleton)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.model = VPoser(len(skeleton), config.latent, config.hidden, version=2)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=config.lr, weight_decay=config.weight_decay, fused=True)
        self.seen, self.seconds = 0, 0.0
        self.checkpoint = Checkpoint(
            out,
            identity={"data": rotvec, "skeleton": skeleton, "settings": config},
            modules={"model": self.model},
            optimizers={"adam": self.optimizer},
            generators={},
        )
        meta = self.checkpoint.load()
        if meta is not None:
            self.seen, self.seconds = meta["seen"], meta["seconds"]

    @property
    def total(self) -> int:
        return self.config.samples

    @property
    def fraction(self) -> float:
        return min(self.seen / self.config.samples, 1.0)

    def save(self) -> None:
        """Write the checkpoint."""
        self.checkpoint.save({"seen": self.seen, "seconds": self.seconds})

    def step(self) -> dict[str, float]:
        """One update on a fresh batch; returns the unweighted terms of its loss."""
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.lr * 0.5 * (1 + math.cos(math.pi * min(1.0, self.seen / self.config.samples)))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed((self.config.seed * 1_000_003 + self.seen) % 2**32)  # 32 bits are all that a generator takes
            pose = self.rotvec[torch.randint(len(self.rotvec), (self.config.batch,))]
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.config.bf16):
                q, rotations = self.model(pose)
        terms = self._terms(q, rotations, rotvec_to_matrix(pose))
        loss = torch.stack([weight * terms[name] for name, weight in self._weights().items()]).sum()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.seen += self.config.batch
        return {name: term.item() for name, term in terms.items()}

    def _weights(self) -> dict[str, float]:
        weights = {"kl": self.config.kl_weight, "surface": self.config.surface_weight}
        if self.seen < self.config.extra_part * self.config.samples:
            weights |= {"rotation": self.config.rotation_weight, "joints": self.config.joint_weight}
        return weights

    def _terms(self, q: Normal, rotations: Tensor, target: Tensor) -> dict[str, Tensor]:
        """KL in nats, mean |difference| of markers and joints in metres, mean angle in radians."""
        places, turns = self.kinematics.frames(rotations)
        target_places, target_turns = self.kinematics.frames(target)
        markers = places[..., None] + _MARKER_CM * turns  # (B, J + 1, 3, 3): one marker per column
        target_markers = target_places[..., None] + _MARKER_CM * target_turns
        return {
            "kl": kl_divergence(q, Normal(0.0, 1.0)).sum(dim=1).mean(),
            "surface": (markers - target_markers)[:, 1:].abs().mean() / 100.0,
            "joints": (places - target_places)[:, 1:].abs().mean() / 100.0,
            "rotation": rotation_angle(rotations, target).mean(),
        }


def train_pose_prior(
    rotvec: Tensor, skeleton: Skeleton, config: PosePriorConfig, out: Path, report: Report, *, save_every: float = 60.0
) -> PoseTrainer:
    """Train on poses (N, J, 3) in radians; resumes from `out/checkpoint.safetensors`. Returns the run, in eval mode."""
    trainer = PoseTrainer(rotvec, skeleton, config, out)
    train(trainer, report, save_every=save_every)
    trainer.model.eval()
    return trainer


@torch.no_grad()
def reconstruction_error(model: VPoser, kinematics: ForwardKinematics, rotvec: Tensor) -> dict[str, float]:
    """Mean joint position error (cm, over J joints) and mean rotation error (degrees) of decode(mean of encode(pose))."""
    target = rotvec_to_matrix(rotvec)
    rebuilt = model.decoder(model.encoder(rotvec).mean)
    distance = (kinematics(rebuilt) - kinematics(target))[:, 1:].norm(dim=-1)
    return {"joint_cm": distance.mean().item(), "rotation_deg": math.degrees(rotation_angle(rebuilt, target).mean().item())}


def export_prior(
    trainer: PoseTrainer, skeleton: Skeleton, splits: Mapping[str, Tensor], assets: Path, command: str
) -> zoo.Card:
    """Write weights, card and `skeleton.json` to `assets/pose`; the metrics are those of the rounded weights.

    splits: name -> poses (N, J, 3) to measure on.
    """
    model = copy.deepcopy(trainer.model).half().float().eval()
    kinematics = ForwardKinematics(skeleton)
    card = zoo.Card(
        name="pose",
        kind="pose prior",
        architecture=model.settings,
        trained_on="Bandai-Namco Research Motiondataset 1 and 2 at 15 fps, split train",
        licence="CC BY-NC 4.0, the licence of the data",
        command=command,
        budget={"seconds": round(trainer.seconds), "samples": trainer.seen, "hardware": _hardware()},
        metrics={name: reconstruction_error(model, kinematics, poses) for name, poses in splits.items()},
        sha256="",
        seed=trainer.config.seed,
    )
    write_text(assets / card.name / "skeleton.json", skeleton.to_json() + "\n")
    return zoo.save(card, model.state_dict(), assets)


def _hardware() -> str:
    return f"CPU ({platform.machine()}, {os.cpu_count()} cores), {torch.get_num_threads()} thread(s)"
