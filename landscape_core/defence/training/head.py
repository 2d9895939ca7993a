"""Training the contrastive head on a frozen classifier's features (Mao et al. 2021), by SimCLR's loss (Chen et al. 2020)."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from landscape_core.defence.attacks import AttackSettings, attacked
from landscape_core.defence.objective import ContrastiveHead, ContrastiveObjective, map_channels
from landscape_core.defence.task import FOLDER, fixed_views, load_classifier
from landscape_core.defence.views import ViewSettings, sample_views
from landscape_core.features.classifier import RobustClassifier
from landscape_core.images.pixels import to_unit
from landscape_core.progress import Report
from landscape_core.storage import zoo
from landscape_core.training.checkpoint import Checkpoint
from landscape_core.training.loop import check_alone


@dataclass(frozen=True)
class ContrastiveConfig:
    """`batch` pictures give two views each. `test_views` and `decay` (λ of Eq. 7) are how the head is used afterwards."""

    views: ViewSettings = field(default_factory=ViewSettings)
    temperature: float = 0.2
    epochs: int = 3
    batch: int = 500
    lr: float = 2e-3
    weight_decay: float = 1e-2
    hidden: int = 256
    dim: int = 64
    bank: int = 512
    test_views: int = 4
    decay: float = 1.0
    seed: int = 0
    bf16: bool = True

    def architecture(self, widths: list[int]) -> dict[str, Any]:
        """What the card says, and `objective_from` reads."""
        head = {"channels": map_channels(widths), "hidden": self.hidden, "dim": self.dim, "bank": self.bank}
        views = {"count": self.test_views, "seed": self.seed, "settings": asdict(self.views)}
        return {"head": head, "views": views, "temperature": self.temperature, "decay": self.decay}


def nt_xent(a: Tensor, b: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Loss and accuracy of telling each of 2N unit vectors' partner from the other 2N - 2: a[i] belongs to b[i], (N, dim)."""
    both = torch.cat([a, b])
    similarity = (both @ both.T / temperature).fill_diagonal_(-torch.inf)
    partner = torch.arange(len(both)).roll(len(a))
    return F.cross_entropy(similarity, partner), (similarity.argmax(dim=1) == partner).float().mean()


class HeadTrainer:
    """Trains one head for one frozen classifier; resumes from `out/checkpoint.safetensors`."""

    def __init__(
        self, classifier: RobustClassifier, widths: list[int], images: Tensor, config: ContrastiveConfig, out: Path
    ) -> None:
        self.classifier, self.images, self.config = classifier, images, config
        self.architecture = config.architecture(widths)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.head = ContrastiveHead(**self.architecture["head"])
        self.optimizer = torch.optim.AdamW(self.head.parameters(), config.lr, weight_decay=config.weight_decay)
        self.random = torch.Generator().manual_seed(config.seed)
        self.checkpoint = Checkpoint(
            out,
            identity={"data": images, "settings": config, "classifier": classifier},
            modules={"head": self.head},
            optimizers={"adamw": self.optimizer},
            generators={"random": self.random},
        )
        meta = self.checkpoint.load() or {"step": 0, "seconds": 0.0}
        self.step, self.seconds = int(meta["step"]), float(meta["seconds"])

    @property
    def total(self) -> int:
        """Updates of the whole training."""
        return self.config.epochs * max(len(self.images) // self.config.batch, 1)

    def embed(self, pictures: Tensor) -> Tensor:
        """One random view of each picture (N, 3, 32, 32) in [-1, 1] -> unit vectors (N, dim)."""
        views = sample_views(len(pictures), self.config.views, self.random)
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.config.bf16):
            maps = self.classifier.features(views.one_each(pictures).contiguous(memory_format=torch.channels_last))
        return self.head([each.float() for each in maps])

    def update(self) -> dict[str, float]:
        """One step on one batch of pairs, the learning rate falling to 0 over the training."""
        started = time.perf_counter()
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.lr * (1.0 - self.step / self.total)
        pictures = self._draw(self.config.batch)
        loss, accuracy = nt_xent(self.embed(pictures), self.embed(pictures), self.config.temperature)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.step += 1
        self.seconds += time.perf_counter() - started
        return {"loss": loss.item(), "accuracy": accuracy.item()}

    def _draw(self, n: int) -> Tensor:
        return to_unit(self.images[torch.randint(len(self.images), (n,), generator=self.random)])

    @torch.no_grad()
    def fill_bank(self) -> None:
        """Keep the embeddings of one view each of random training pictures as negatives."""
        self.head.get_buffer("bank").copy_(self.embed(self._draw(self.config.bank)))

    def save(self) -> None:
        """Write the checkpoint."""
        self.checkpoint.save({"step": self.step, "seconds": self.seconds})


def train_head(trainer: HeadTrainer, report: Report, *, save_every: int = 50) -> ContrastiveHead:
    """The remaining updates, then the bank. A stop keeps what is done.

    Raises:
        UserError: several processes were started for it.
    """
    check_alone()
    stop, figures = False, {}
    while trainer.step < trainer.total and not stop:
        figures = trainer.update()
        stop = report(trainer.step, trainer.total, figures)
        if stop or trainer.step % save_every == 0:
            trainer.save()
    if not stop:
        trainer.fill_bank()
        trainer.save()
    return trainer.head.eval()


def measure_head(
    objective: ContrastiveObjective, pictures: Tensor, labels: Tensor, settings: AttackSettings, *, seed: int = 0
) -> dict[str, Any]:
    """What an attack does to the loss and to telling pairs apart, on pictures (N, 3, 32, 32) in [-1, 1]."""
    harmed = attacked(objective.classifier, pictures, labels, settings, seed=seed)
    assert harmed is not None  # nothing stops it
    random = torch.Generator().manual_seed(seed)
    spread = ViewSettings()
    pairs = [sample_views(len(pictures), spread, random) for _ in range(2)]
    found: dict[str, Any] = {"attack": f"{settings.norm} {settings.eps:.4g}, {settings.steps} steps", "n": len(pictures)}
    losses = {}
    for label, each in (("clean", pictures), ("attacked", harmed)):
        with torch.no_grad():
            losses[label] = objective.contrastive(each)
            a, b = (objective.head(objective.classifier.features(view.one_each(each))) for view in pairs)
            accuracy = nt_xent(a, b, objective.temperature)[1]
        found |= {f"loss_{label}": float(losses[label].mean()), f"pair_accuracy_{label}": float(accuracy)}
    found["loss_rises_for"] = float((losses["attacked"] > losses["clean"]).float().mean())
    return found


def publish_head(
    trainer: HeadTrainer, name: str, *, trained_on: str, command: str, metrics: Mapping[str, Any], assets: Path = zoo.ASSETS
) -> zoo.Card:
    """Write `defence/NAME/head` and its card."""
    classifier = zoo.read_card(f"{FOLDER}/{name}", assets)
    card = zoo.Card(
        name=f"{FOLDER}/{name}/head",
        kind="contrastive head",
        architecture=trainer.architecture,
        trained_on=trained_on,
        licence=classifier.licence,
        command=command,
        budget={"seconds": round(trainer.seconds), "updates": trainer.step, "hardware": f"cpu, {platform.machine()}"},
        metrics=dict(metrics),
        sha256="",
        seed=trainer.config.seed,
        notes=f"Settings: {asdict(trainer.config)}. Trained for {classifier.name} {classifier.sha256[:12]}.",
    )
    return zoo.save(card, trainer.head.state_dict(), assets)


def head_trainer(name: str, images: Tensor, config: ContrastiveConfig, work: Path, assets: Path = zoo.ASSETS) -> HeadTrainer:
    """The trainer for an embedded classifier on uint8 pictures (N, 3, 32, 32). Raises UserError where it is missing."""
    card, classifier = load_classifier(name, assets)
    return HeadTrainer(classifier, card.architecture["widths"], images, config, work / name)


def trained_objective(trainer: HeadTrainer) -> ContrastiveObjective:
    """Eq. 7 with the head as it stands."""
    made = trainer.architecture
    return ContrastiveObjective(
        trainer.classifier, trainer.head.requires_grad_(False), fixed_views(made["views"]),
        temperature=made["temperature"], decay=made["decay"],
    )  # fmt: skip
