"""Second stage: StyleGAN2 together with an encoder, on an autoencoder's latents.

Adversarial part as in StyleGAN2: non-saturating loss, lazy R1, style mixing, averaged weights. The encoder E is trained in the
same loop: G(E(y)) must return y (and fool the critic) and E(G(w)) must return w. That keeps real pictures inside the range of
G, which is what an inversion needs, and yields the feed-forward baseline. There is no mapping network: what is drawn for the
critic starts from the Gaussian of the encoder's codes, the prior of the published model, so that real and drawn pictures meet
in W.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from landscape_core import processes
from landscape_core.generators.networks.discriminator import GROUP, Discriminator, LatentEncoder
from landscape_core.generators.networks.stylegan import StyleGAN2
from landscape_core.generators.training.codes import CodeStatistics
from landscape_core.generators.training.quality import Draw
from landscape_core.generators.training.shares import Shares, totals
from landscape_core.generators.training.stage import Stage, average, falling, set_rates


@dataclass(frozen=True)
class GanConfig:
    """`images` counts pictures shown to the critic. R1 is applied every `r1_every` updates; `mixing` is the share of pictures
    with a second style.

    The first `critic_first` pictures teach the critic alone: for a generator that begins with published weights, whose
    critic is not published, so that a critic that knows nothing does not lead it astray.
    """

    images: int | None = 3_000_000
    seconds: float | None = None
    batch: int = 64
    lr: float = 2e-3
    r1: float = 0.2
    r1_every: int = 16
    mixing: float = 0.3
    ema_images: int = 20_000
    reconstruction: float = 20.0
    cycle: float = 1.0
    refresh_codes: int = 16_000
    instance_noise: float = 0.1
    anneal_from: float = 0.7
    critic_first: int = 0
    seed: int = 0
    bf16: bool = True


class GanTrainer(Stage):
    """The networks of one run and its update; `step` is one update of everything."""

    config: GanConfig
    GROUP = GROUP  # by the minibatch standard deviation

    def __init__(
        self,
        latents: Tensor,
        networks: tuple[StyleGAN2, LatentEncoder, Discriminator],
        config: GanConfig,
        out: Path,
        *,
        device: torch.device | str = "cpu",
        identity: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """`latents` (N, C, r, r) of real pictures; `networks` generator, encoder and critic, whose weights a checkpoint in
        `out` overrides; `identity` as for `Checkpoint`."""
        super().__init__(config, device)
        self.latents = latents.to(self.device)
        self.generator, self.encoder, self.critic = networks
        for network in networks:
            network.to(self.device).requires_grad_(True)
        self.codes = CodeStatistics(self.style_dim).to(self.device)
        self.generator_ema = copy.deepcopy(self.generator).requires_grad_(False)
        self.encoder_ema = copy.deepcopy(self.encoder).requires_grad_(False)
        self.lazy = config.r1_every / (config.r1_every + 1)  # StyleGAN2's correction for the lazy penalty
        learned, fused = [*self.generator.parameters(), *self.encoder.parameters()], self.device.type == "cuda"
        self.g_opt = torch.optim.Adam(learned, lr=config.lr, betas=(0.0, 0.99), fused=fused)
        self.d_opt = torch.optim.Adam(self.critic.parameters(), lr=config.lr, betas=(0.0, 0.99**self.lazy), fused=fused)
        parts = ("generator", "encoder", "critic", "generator_ema", "encoder_ema", "codes")
        self.resume(out, identity, parts, {"g": self.g_opt, "d": self.d_opt})

    @property
    def style_dim(self) -> int:
        return self.generator.get_buffer("w_mean").shape[0]

    def step(self) -> dict[str, Tensor]:
        """One critic update and one generator-and-encoder update on a fresh batch.

        The pictures drawn for the critic are drawn with a graph and judged again for the generator.
        """
        config, half = self.config, self.config.batch // 2
        rate = config.lr * falling(self.fraction, config.anneal_from)
        set_rates(self.g_opt, [rate])
        set_rates(self.d_opt, [rate * self.lazy])
        if self.seen % config.refresh_codes < config.batch:
            self._refresh_codes(4096)
        picked = self.latents[self.index(len(self.latents), config.batch)]
        real, to_rebuild = self.whole.of(picked), self.half.of(picked[:half])
        w = self._sample_w()
        with self.autocast():
            fake = self.generator.synthesis(self.whole.of(w)).float()
            rebuilt = self.generator.synthesis(self.encoder(to_rebuild)).float()
        drawn = torch.cat([fake, rebuilt])
        figures = self._critic_update(real, drawn.detach())
        if self.seen >= config.critic_first:
            figures |= self._generator_update(to_rebuild, rebuilt, drawn, w[half:])
            decay = 0.5 ** (config.batch / min(config.ema_images, max(0.05 * self.seen, 1.0)))
            average(self.generator_ema, self.generator, decay)
            average(self.encoder_ema, self.encoder, decay)
        self.seen += config.batch
        return totals(figures)

    @torch.no_grad()
    def _refresh_codes(self, n: int) -> None:
        picked = self.latents[self.index(len(self.latents), n)]
        codes = torch.cat([self.encoder_ema(part) for part in processes.share(picked).split(512)])
        self.codes.refresh(processes.joined(codes))

    def _sample_w(self) -> Tensor:
        """w+ (B, n_styles, D) from the codes' Gaussian; some change to another picture's style at a random layer."""
        batch, n_styles = self.config.batch, self.generator.synthesis.n_styles
        w = self.codes.color(self.normal(batch, self.style_dim))
        cut = 1 + self.index(n_styles - 1, batch)
        layer = torch.arange(n_styles, device=self.device)
        mixed = (layer[None] >= cut[:, None]) & (self.uniform(batch, 1) < self.config.mixing)
        return torch.where(mixed[:, :, None], w.roll(1, dims=0)[:, None], w[:, None])

    def _judge(self, latents: Tensor, shares: Shares) -> Tensor:
        """Critic logits; noise on its input keeps it from memorising a small data set."""
        noise = shares.of(self.normal(shares.n, *latents.shape[1:]))
        return self.critic(latents + self.config.instance_noise * noise)

    def _critic_update(self, real: Tensor, drawn: Tensor) -> dict[str, Tensor]:
        with self.autocast():
            on_real, on_fake = self._judge(real, self.whole).float(), self._judge(drawn, self.drawn).float()
        loss = self.whole.mean(F.softplus(-on_real)) + self.drawn.mean(F.softplus(on_fake))
        if self.update % self.config.r1_every == 0:
            loss = loss + self._r1(real) * (self.config.r1 / 2 * self.config.r1_every)
        self.d_opt.zero_grad(set_to_none=True)
        loss.backward()
        processes.sum_gradients(self.critic.parameters())
        self.d_opt.step()
        return {"d_real": self.whole.mean(on_real.detach()), "d_fake": self.drawn.mean(on_fake.detach())}

    def _r1(self, real: Tensor) -> Tensor:
        """Squared gradient norm of the critic at real pictures (Mescheder et al. 2018)."""
        real = real.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(self._judge(real, self.whole).sum(), real, create_graph=True)
        return self.whole.mean(gradient.square().sum(dim=(1, 2, 3)))

    def _generator_update(self, real: Tensor, rebuilt: Tensor, drawn: Tensor, w_plus: Tensor) -> dict[str, Tensor]:
        """This process's real latents, and those rebuilt; all that it drew: first half, rest, rebuilt; and the rest's w+, of
        all processes."""
        self.critic.requires_grad_(False)
        with self.autocast():
            on_fake = self._judge(drawn, self.drawn).float()
            back = self.encoder(drawn[len(rebuilt) : len(drawn) - len(rebuilt)].detach()).float()
        adversarial = self.drawn.mean(F.softplus(-on_fake))
        reconstruction = self.half.mean((rebuilt - real).square())
        w = w_plus.mean(dim=1)  # what E can know of mixed styles
        cycle = self.rest.mean((back - self.rest.of(w)).square()) / w.var().clamp_min(1e-4)
        self.g_opt.zero_grad(set_to_none=True)
        (adversarial + self.config.reconstruction * reconstruction + self.config.cycle * cycle).backward()
        for network in (self.generator, self.encoder):
            processes.sum_gradients(network.parameters())
        self.g_opt.step()
        self.critic.requires_grad_(True)
        return {"g": adversarial.detach(), "reconstruction": reconstruction.detach(), "cycle": cycle.detach()}

    def finish(self) -> tuple[StyleGAN2, LatentEncoder]:
        """The averaged networks. The mean of W is that of the codes: pictures are drawn from their Gaussian."""
        self.generator_ema.get_buffer("w_mean").copy_(self.codes.get_buffer("mean"))
        return self.generator_ema.eval(), self.encoder_ema.eval()

    def drawing(self, decoder: nn.Module, seed: int) -> Draw:
        """Samples of the averaged generator, decoded."""

        def picture(w: Tensor) -> Tensor:
            with self.autocast():
                return decoder(self.generator_ema.synthesis(w))

        return self.codes.drawing(picture, seed)
