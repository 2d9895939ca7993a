"""Adversarial training of the CIFAR-10 classifiers (Madry et al. 2018; few-step attacks from a random start, Wong et al. 2020).

Two losses on the attacked pictures: cross-entropy, which with early stopping on pictures held out of training is the
recipe of Rice et al. 2020 (RO), and MART (Wang et al. 2020). The threat is an L2 ball by default: it bounds the energy
of a perturbation, as a squared error does, so the features that survive it describe structure; radius 0.5 is the
common choice for robust representations of CIFAR-10 (Engstrom et al. 2019) and, unlike L-infinity 8/255, leaves a small
network most of its accuracy. The classifiers to be defended are trained against L-infinity 8/255, as the paper's are.
"""

from __future__ import annotations

import time
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from landscape_core.features.classifier import Classifier, Network, classifier_of
from landscape_core.images.pixels import to_unit
from landscape_core.progress import Report
from landscape_core.training.checkpoint import Checkpoint
from landscape_core.training.loop import check_alone

Loss = Literal["cross-entropy", "mart"]
_PIXEL = 2.0  # pictures span [-1, 1], radii are given for pixels in [0, 1]


@dataclass(frozen=True)
class Threat:
    """What an attacker may do: `eps` is the radius for pixels in [0, 1], taken in `steps` ascents of `step_size` * eps."""

    norm: Literal["l2", "linf"] = "l2"
    eps: float = 0.5
    steps: int = 2
    step_size: float = 0.75


@dataclass(frozen=True)
class ClassifierConfig:
    """`threat.eps = 0` (or no steps) trains the ordinary, non-robust twin.

    `holdout` training pictures are kept out, and the epoch with the best accuracy on them under attack is the one that
    is kept; with 0 it is the last. `mart_weight` is MART's λ.
    """

    threat: Threat = Threat()
    widths: tuple[int, ...] = (32, 48, 72, 112)
    epochs: int = 18
    batch: int = 128
    lr: float = 0.15
    weight_decay: float = 5e-4
    warmup: float = 0.25
    pad: int = 4
    seed: int = 0
    bf16: bool = True
    loss: Loss = "cross-entropy"
    mart_weight: float = 5.0
    holdout: int = 0
    network: Network = "resnet"

    def architecture(self) -> dict[str, Any]:
        """The constructor's arguments, for a card; a residual network is what cards mean that name none."""
        kind = {} if self.network == "resnet" else {"network": self.network}
        return {**kind, "widths": list(self.widths)}


def _rows(x: Tensor) -> Tensor:
    """One number per sample, shaped to scale x (B, 3, H, W)."""
    return x.flatten(1).norm(dim=1).clamp_min(1e-12)[:, None, None, None]


def project(delta: Tensor, threat: Threat) -> Tensor:
    """The nearest perturbation (B, 3, H, W) inside the ball, for pictures in [-1, 1]."""
    radius = threat.eps * _PIXEL
    if threat.norm == "linf":
        return delta.clamp(-radius, radius)
    return delta * (radius / _rows(delta)).clamp_max(1.0)


def _ascent(gradient: Tensor, norm: str) -> Tensor:
    return gradient.sign() if norm == "linf" else gradient / _rows(gradient)


def attack(
    model: nn.Module, x: Tensor, labels: Tensor, threat: Threat, generator: torch.Generator, *, bf16: bool = False
) -> Tensor:
    """Projected gradient ascent on the cross-entropy from a random start: (B, 3, H, W) in [-1, 1] -> the same."""
    if threat.eps == 0 or threat.steps == 0:
        return x
    radius = threat.eps * _PIXEL
    noise = torch.randn(x.shape, generator=generator)
    share = torch.rand(len(x), 1, 1, 1, generator=generator)
    delta = project(radius * share * _ascent(noise, threat.norm), threat)
    for _ in range(threat.steps):
        adversarial = (x + delta).clamp(-1.0, 1.0).requires_grad_()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            loss = F.cross_entropy(model(adversarial), labels)
        (gradient,) = torch.autograd.grad(loss, adversarial)
        delta = project(adversarial.detach() - x + threat.step_size * radius * _ascent(gradient, threat.norm), threat)
    return (x + delta).clamp(-1.0, 1.0)


def augment(images: Tensor, pad: int, generator: torch.Generator) -> Tensor:
    """uint8 (B, 3, H, W) -> the same, each picture shifted by up to `pad` pixels (edges mirrored) and maybe flipped."""
    batch, _, height, width = images.shape
    padded = F.pad(images.float(), (pad,) * 4, mode="reflect").to(torch.uint8)
    top = torch.randint(2 * pad + 1, (batch, 1), generator=generator)
    left = torch.randint(2 * pad + 1, (batch, 1), generator=generator)
    columns = torch.arange(width).expand(batch, width)
    flipped = torch.rand(batch, 1, generator=generator) < 0.5
    columns = torch.where(flipped, columns.flip(1), columns) + left  # (B, W)
    rows = torch.arange(height) + top  # (B, H)
    sample = torch.arange(batch)[:, None, None]
    return padded.permute(0, 2, 3, 1)[sample, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def one_cycle(progress: float, config: ClassifierConfig) -> float:
    """Learning rate at `progress` in [0, 1]: linear up to `lr` at `warmup`, linear down to 0."""
    up, down = progress / config.warmup, (1.0 - progress) / (1.0 - config.warmup)
    return config.lr * max(min(up, down), 0.01)


def _epoch_order(n: int, seed: int, epoch: int) -> Tensor:
    return torch.randperm(n, generator=torch.Generator().manual_seed(1_000_003 * seed + epoch))


def train_classifier(
    images: Tensor, labels: Tensor, config: ClassifierConfig, out: Path, report: Report, *, save_every: int = 500
) -> Classifier:
    """Train on uint8 pictures (N, 3, 32, 32) and labels (N,); resumes from `out/checkpoint.safetensors`.

    Raises:
        UserError: several processes were started for it.
    """
    check_alone()
    training = ClassifierTraining(images, labels, config, out)
    while training.step < training.total:
        stop = report(training.step + 1, training.total, training.update())
        if stop or training.step % save_every == 0 or training.step == training.total:
            training.save()
        if stop:
            break
    return training.kept()


class ClassifierTraining:
    """One run of adversarial training; `update` is one step on one attacked batch."""

    def __init__(self, images: Tensor, labels: Tensor, config: ClassifierConfig, out: Path) -> None:
        torch.manual_seed(config.seed)
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(config.seed))
        self.held, self.used = order[: config.holdout], order[config.holdout :].sort().values
        self.images, self.labels, self.config = images, labels, config
        self.model = classifier_of(config.architecture()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.best = deepcopy(self.model)
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), config.lr, momentum=0.9, nesterov=True, weight_decay=config.weight_decay
        )
        self.random = torch.Generator().manual_seed(config.seed)
        self.checkpoint = Checkpoint(
            out,
            identity={"data": (images, labels), "settings": config},
            modules={"classifier": self.model, **({"best": self.best} if config.holdout else {})},
            optimizers={"sgd": self.optimizer},
            generators={"random": self.random},
        )
        meta: dict[str, Any] = self.checkpoint.load() or {"step": 0, "seconds": 0.0}
        self.step, self.best_accuracy = meta["step"], meta.get("best_accuracy", -1.0)
        self.per_epoch = len(self.used) // config.batch
        self.total = config.epochs * self.per_epoch
        self.started = time.perf_counter() - meta["seconds"]

    def save(self) -> None:
        """Write the checkpoint."""
        meta = {"step": self.step, "best_accuracy": self.best_accuracy, "seconds": time.perf_counter() - self.started}
        self.checkpoint.save(meta)

    def kept(self) -> Classifier:
        """The network to publish, in eval mode: the best epoch's where pictures were held out, else the last."""
        return (self.best if self.best_accuracy >= 0 else self.model).eval()

    def update(self) -> dict[str, float]:
        """One step of SGD; after an epoch, also the accuracy under attack on what was held out."""
        config = self.config
        epoch, position = divmod(self.step, self.per_epoch)
        order = self.used[_epoch_order(len(self.used), config.seed, epoch)]
        picked = order[position * config.batch :][: config.batch]
        for group in self.optimizer.param_groups:
            group["lr"] = one_cycle(self.step / self.total, config)
        figures = self._learn(self.images[picked], self.labels[picked])
        self.step += 1
        if config.holdout and self.step % self.per_epoch == 0:
            figures["held_out"] = self._judge()
        return figures

    def _learn(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        config = self.config
        self.model.train()
        clean = to_unit(augment(images, config.pad, self.random)).contiguous(memory_format=torch.channels_last)
        x = attack(self.model, clean, labels, config.threat, self.random, bf16=config.bf16)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=config.bf16):
            logits = self.model(x).float()
            natural = self.model(clean).float() if config.loss == "mart" else None
        loss = F.cross_entropy(logits, labels) if natural is None else mart(logits, natural, labels, config.mart_weight)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return {"loss": loss.item(), "accuracy": (logits.argmax(1) == labels).float().mean().item()}

    def _judge(self) -> float:
        """Accuracy under a ten-step attack on the held-out pictures; the network is kept where it is the best so far."""
        threat = replace(self.config.threat, steps=10, step_size=0.25)
        reached = accuracy(self.model.eval(), self.images[self.held], self.labels[self.held], threat, seed=self.config.seed)
        if reached > self.best_accuracy:
            self.best_accuracy = reached
            self.best.load_state_dict(self.model.state_dict())
        return reached


def mart(attacked: Tensor, natural: Tensor, labels: Tensor, weight: float) -> Tensor:
    """MART (Wang et al. 2020, Eq. 11) on logits (B, C) of attacked and clean pictures: a scalar.

    Boosted cross-entropy on the attacked ones, plus `weight` times the divergence between the two answers, which
    counts the more the less sure the network is of the clean picture.
    """
    p, q = attacked.softmax(1), natural.softmax(1)
    true = labels[:, None]
    other = p.scatter(1, true, 0.0).max(dim=1).values
    boosted = F.cross_entropy(attacked, labels) - torch.log(1.0 + 1e-4 - other).mean()
    divergence = F.kl_div((p + 1e-12).log(), q, reduction="none").sum(1)
    return boosted + weight * (divergence * (1.0 + 1e-7 - q.gather(1, true)[:, 0])).mean()


def accuracy(
    model: nn.Module, images: Tensor, labels: Tensor, threat: Threat | None = None, *, seed: int = 0, batch: int = 250
) -> float:
    """Share of uint8 pictures classified correctly, under `threat` where given."""
    generator = torch.Generator().manual_seed(seed)
    right = 0
    for i in range(0, len(images), batch):
        x, target = to_unit(images[i : i + batch]), labels[i : i + batch]
        if threat is not None:
            x = attack(model, x, target, threat, generator)
        with torch.no_grad():
            right += int((model(x).argmax(1) == target).sum())
    return right / len(images)
