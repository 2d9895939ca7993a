"""Training the mirror decoder of a frozen encoder: pixel, feature and adversarial loss, each of which can be switched off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from landscape_core import processes
from landscape_core.autoencoders.networks import Autoencoder, Critic, FeatureEncoder, MirrorDecoder
from landscape_core.errors import UserError
from landscape_core.images.pixels import to_unit
from landscape_core.progress import Report
from landscape_core.training.checkpoint import Checkpoint
from landscape_core.training.loop import train

_MEASURED = 1024  # training pictures whose codes say how much codes vary


@dataclass(frozen=True)
class DecoderConfig:
    """`images` is the budget in pictures seen. A loss of weight 0 is switched off.

    `pixel` weighs the mean absolute difference of pictures in [-1, 1], `feature` the mean squared one of codes in units of
    their variance, `adversarial` what a critic of patches says (hinge loss); it joins from the share `adversarial_from` of
    the budget on, since it needs pictures to begin with. With `noise` the encoder sees pictures under Gaussian noise of a
    standard deviation drawn up to it (pixels in [0, 1], clipped), and the clean ones are to come back; `skips` as for
    `MirrorDecoder`. The rate falls linearly to nearly nothing over the second half.
    """

    images: int = 200_000
    batch: int = 32
    lr: float = 2e-3
    pixel: float = 1.0
    feature: float = 0.1
    adversarial: float = 0.01
    adversarial_from: float = 0.75
    critic_lr: float = 4e-4
    noise: float = 0.0
    skips: bool = False
    bf16: bool = True
    seed: int = 0


# How an experiment asks for a decoder: by a name, for a frozen encoder, on uint8 pictures (N, 3, S, S).
Learn = Callable[[str, FeatureEncoder, Tensor, DecoderConfig], Autoencoder]


class DecoderTrainer:
    """One training on uint8 pictures (N, 3, S, S); update k draws all its randomness from the generator in the checkpoint.

    Of several processes each takes its share of every batch. What is random is drawn for all by the one seed, so that the
    decoder does not depend on how many there are.

    Raises:
        UserError: the checkpoint in `out` belongs to another training, another process trains there, or there are fewer than
            two pictures; or there are more processes than pictures in a batch.
    """

    def __init__(self, encoder: FeatureEncoder, images: Tensor, config: DecoderConfig, out: Path) -> None:
        self.images, self.config = images, config
        if processes.count() > config.batch:
            raise UserError(f"A batch of {config.batch} pictures cannot be shared by {processes.count()} processes.")
        self.random = torch.Generator().manual_seed(config.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            decoder = MirrorDecoder(encoder.network.widths[: encoder.depth], skips=config.skips)
            self.critic = Critic()
        self.model = Autoencoder(encoder, decoder, code_spread(encoder, images))
        for network in (decoder, self.critic):
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.Adam(decoder.parameters(), config.lr, betas=(0.9, 0.99))
        self.critic_optimizer = torch.optim.Adam(self.critic.parameters(), config.critic_lr, betas=(0.0, 0.9))
        self.seen, self.seconds = 0, 0.0
        self.checkpoint = Checkpoint(
            out,
            identity={"data": images, "encoder": encoder, "depth": encoder.depth, "settings": config},
            modules={"decoder": decoder, "critic": self.critic},
            optimizers={"adam": self.optimizer, "critic": self.critic_optimizer},
            generators={"random": self.random},
        )
        meta = self.checkpoint.load()
        if meta is not None:
            self.seen, self.seconds = meta["seen"], meta["seconds"]

    @property
    def total(self) -> int:
        return self.config.images

    @property
    def fraction(self) -> float:
        return min(self.seen / self.config.images, 1.0)

    def save(self) -> None:
        """Write the checkpoint."""
        self.checkpoint.save({"seen": self.seen, "seconds": self.seconds})

    def step(self) -> dict[str, Tensor]:
        """One update; returns the unweighted terms of its loss."""
        config, self.model = self.config, self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = config.lr * min(1.0, max(0.02, 2.0 * (1.0 - self.fraction)))
        clean = self._pictures()
        seen, n = self._noisy(clean) if config.noise else clean, len(clean)
        seen, clean = processes.share(seen), processes.share(clean)
        part = len(clean) / n  # of the batch, and so of its losses
        critical = config.adversarial > 0 and self.fraction >= config.adversarial_from
        found, terms = self._terms(clean, seen, critical=critical)
        weights = {"pixel": config.pixel, "feature": config.feature, "adversarial": config.adversarial}
        self.optimizer.zero_grad(set_to_none=True)
        loss = torch.stack([weights[name] * term for name, term in terms.items()]).sum()
        (loss * part).backward()
        processes.sum_gradients(self.model.decoder.parameters())
        self.optimizer.step()
        if critical:
            terms["critic"] = self._judge(clean, found.detach(), part)
        self.seen += n
        means = processes.total(part * torch.stack([term.detach() for term in terms.values()]))
        return dict(zip(terms, means, strict=True))

    def _pictures(self) -> Tensor:
        """A batch (B, 3, S, S) in [-1, 1], each mirrored with probability 1/2."""
        drawn = to_unit(self.images[torch.randint(len(self.images), (self.config.batch,), generator=self.random)])
        mirrored = torch.rand(len(drawn), 1, 1, 1, generator=self.random) < 0.5
        return torch.where(mirrored, drawn.flip(3), drawn).contiguous(memory_format=torch.channels_last)

    def _terms(self, clean: Tensor, seen: Tensor, *, critical: bool) -> tuple[Tensor, dict[str, Tensor]]:
        """What the decoder gives back of a batch as the encoder sees it, and the losses that are switched on."""
        config, encoder = self.config, self.model.encoder
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=config.bf16):
            with torch.no_grad():
                *earlier, code = encoder.network.stages(seen)[: encoder.depth]
                wanted = encoder(clean) if config.noise else code
            found = self.model.decoder(code, earlier)
            again = encoder(found) if config.feature else None
            with frozen(self.critic):
                realness = self.critic(found) if critical else None
        terms = {"pixel": (found.float() - clean).abs().mean()} if config.pixel else {}
        if again is not None:
            terms["feature"] = self.model.distance(again.float(), wanted.float()).mean()
        if realness is not None:
            terms["adversarial"] = -realness.float().mean()
        return found, terms

    def _noisy(self, clean: Tensor) -> Tensor:
        deviation = 2.0 * self.config.noise * torch.rand(len(clean), 1, 1, 1, generator=self.random)
        return (clean + deviation * torch.randn(clean.shape, generator=self.random)).clamp(-1.0, 1.0)

    def _judge(self, real: Tensor, drawn: Tensor, part: float) -> Tensor:
        """One step of the critic by the hinge loss on that part of the batch."""
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.config.bf16):
            yes, no = self.critic(real).float(), self.critic(drawn).float()
        loss = F.relu(1.0 - yes).mean() + F.relu(1.0 + no).mean()
        self.critic_optimizer.zero_grad(set_to_none=True)
        (loss * part).backward()
        processes.sum_gradients(self.critic.parameters())
        self.critic_optimizer.step()
        return loss


@contextmanager
def frozen(network: torch.nn.Module) -> Iterator[None]:
    """Gradients pass through the network and leave its own parameters alone."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)


@torch.no_grad()
def code_spread(encoder: FeatureEncoder, images: Tensor) -> float:
    """The variance of the entries of codes over some training pictures.

    Raises:
        UserError: fewer than two pictures.
    """
    if len(images) < 2:
        raise UserError(f"A decoder is trained on at least two pictures; there is {len(images)}.")
    codes = encoder(to_unit(images[:: max(len(images) // _MEASURED, 1)][:_MEASURED]))
    return float(codes.var(dim=0).mean())


def train_decoder(
    encoder: FeatureEncoder, images: Tensor, config: DecoderConfig, out: Path, report: Report, *, save_every: float = 60.0
) -> DecoderTrainer:
    """Train on uint8 pictures (N, 3, S, S), all of one side; resumes from `out/checkpoint.safetensors`.

    Returns the run, its model in eval mode.
    """
    trainer = DecoderTrainer(encoder, images, config, out)
    train(trainer, report, save_every=save_every, shared=True)
    trainer.model.eval()
    return trainer
