"""Training StyleGAN2 together with an encoder, on pictures or on an autoencoder's latents.

Adversarial part as in StyleGAN2: non-saturating loss, lazy R1, style mixing, EMA. The encoder E is trained
in the same loop: G(E(y)) must return y (and fool the discriminator) and E(G(w)) must return w. That keeps
real pictures inside the range of G, which is what an inversion needs, and yields the feed-forward baseline.
Half of the pictures drawn for the discriminator start from the Gaussian of the encoder's codes, and the mapping
network is held to that Gaussian's moments: otherwise real and drawn pictures settle in different parts of W. A generator
that begins without a mapping network, as published ones are, draws all of them from the Gaussian.
"""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from landscape_core.generators.networks.discriminator import Discriminator, LatentEncoder
from landscape_core.generators.networks.stylegan import StyleGAN2
from landscape_core.generators.training.adversarial import AdversarialRun
from landscape_core.generators.training.codes import CodeStatistics
from landscape_core.generators.training.quality import Draw


@dataclass(frozen=True)
class GanConfig:
    """`images` counts pictures shown to the discriminator. R1 is applied every `r1_every` updates.

    The first `critic_first` pictures teach the critic alone: for a generator that begins with published weights, whose
    critic is not published, so that a critic that knows nothing does not lead it astray.
    """

    images: int = 3_000_000
    batch: int = 64
    lr: float = 2e-3
    style_dim: int = 512
    n_mapping: int = 4
    channels: tuple[int, ...] = (160, 160)
    critic_widths: tuple[int, ...] = (128, 160)
    r1: float = 0.2
    r1_every: int = 16
    mixing: float = 0.5
    ema_images: int = 20_000
    reconstruction: float = 20.0
    cycle: float = 1.0
    alignment: float = 1.0
    refresh_codes: int = 16_000
    instance_noise: float = 0.1
    anneal_from: float = 0.6
    critic_first: int = 0
    seed: int = 0
    bf16: bool = True


class GanTrainer(AdversarialRun):
    """The networks of one run and its update; `step` is one update of everything."""

    config: GanConfig

    def __init__(
        self,
        reals: Tensor,
        config: GanConfig,
        out: Path,
        *,
        device: torch.device | str = "cpu",
        start: tuple[StyleGAN2, LatentEncoder] | None = None,
    ) -> None:
        """`reals` (N, C, R, R); `start` gives generator and encoder their first weights; a checkpoint in `out` overrides it."""
        super().__init__(config, device)
        self.reals = reals
        channels = reals.shape[1]
        self.generator = StyleGAN2(config.style_dim, config.n_mapping, config.channels, channels).to(device)
        self.encoder = LatentEncoder(channels, config.critic_widths, config.style_dim).to(device)
        self.critic = Discriminator(channels, config.critic_widths).to(device)
        if start is not None:
            self.generator.load_state_dict(start[0].state_dict())
            self.encoder.load_state_dict(start[1].state_dict())
        self.codes = CodeStatistics(config.style_dim).to(device)
        self.generator_ema = copy.deepcopy(self.generator).requires_grad_(False)
        self.encoder_ema = copy.deepcopy(self.encoder).requires_grad_(False)
        lazy = config.r1_every / (config.r1_every + 1)  # StyleGAN2's correction for the lazy penalty
        self.g_params = [*self.generator.parameters(), *self.encoder.parameters()]
        self.g_opt = torch.optim.Adam(self.g_params, lr=config.lr, betas=(0.0, 0.99))
        self.d_opt = torch.optim.Adam(self.critic.parameters(), lr=config.lr * lazy, betas=(0.0, 0.99**lazy))
        networks = ("generator", "encoder", "critic", "generator_ema", "encoder_ema", "codes")
        self.resume(out, networks, {"g": self.g_opt, "d": self.d_opt})

    def step(self) -> dict[str, float]:
        """One critic update and one generator-and-encoder update on a fresh batch.

        The pictures drawn for the critic are drawn with a graph and judged again for the generator.
        """
        started = time.perf_counter()
        self._set_lr()
        if self.seen % self.config.refresh_codes < self.config.batch:
            self._refresh_codes()
        real = self._batch()
        half = self.config.batch // 2
        with self.autocast():
            noises = self.generator.synthesis.random_noises(self.config.batch, self.random)
            w = self._sample_w()
            fake = self.generator.synthesis(w, noises).float()
            rebuilt = self.generator.synthesis(self.encoder(real[:half])).float()
        drawn = torch.cat([fake, rebuilt])
        figures = self._critic_update(real, drawn.detach())
        if self.seen >= self.config.critic_first:
            figures |= self._generator_update(real[:half], rebuilt, drawn, w)
            self._average((self.generator_ema, self.generator), (self.encoder_ema, self.encoder))
        self.seen += self.config.batch
        self.seconds += time.perf_counter() - started
        return figures

    def _set_lr(self) -> None:
        """Constant, then linear to zero over the last part of the run."""
        fraction = self._annealed()
        lazy = self.config.r1_every / (self.config.r1_every + 1)
        for optimizer, scale in ((self.g_opt, 1.0), (self.d_opt, lazy)):
            for group in optimizer.param_groups:
                group["lr"] = self.config.lr * scale * fraction

    def _batch(self) -> Tensor:
        index = torch.randint(len(self.reals), (self.config.batch,), generator=self.random)
        return self.reals[index].to(self.device)

    @torch.no_grad()
    def _refresh_codes(self, n: int = 2048) -> None:
        index = torch.randint(len(self.reals), (n,), generator=self.random)
        parts = self.reals[index].to(self.device).split(256)
        self.codes.refresh(torch.cat([self.encoder_ema(part) for part in parts]))

    @property
    def _n_mapped(self) -> int:
        return self.config.batch // 2 if self.config.n_mapping else 0

    def _sample_w(self) -> Tensor:
        """w+ (B, n_styles, D): first those from the mapping network, then those from the codes' Gaussian;
        with style mixing among each."""
        dim, n_styles = self.config.style_dim, self.generator.synthesis.n_styles
        n = self._n_mapped
        mapped = self.generator.mapping(self._normal(n, dim))
        coded = self.codes.color(self._normal(self.config.batch - n, dim))
        w_plus = torch.cat([mapped, coded])[:, None].expand(-1, n_styles, -1)
        if torch.rand((), generator=self.random) < self.config.mixing:
            cut = int(torch.randint(1, n_styles, (), generator=self.random))
            other = torch.cat([w_plus[:n].roll(1, dims=0), w_plus[n:].roll(1, dims=0)])
            w_plus = torch.cat([w_plus[:, :cut], other[:, cut:]], dim=1)
        return w_plus

    def _judge(self, pictures: Tensor) -> Tensor:
        """Critic logits; noise on its input keeps it from memorising a small data set."""
        return self.critic(pictures + self.config.instance_noise * self._normal(*pictures.shape))

    def _critic_update(self, real: Tensor, drawn: Tensor) -> dict[str, float]:
        with self.autocast():
            on_real = self._judge(real).float()
            on_fake = self._judge(drawn).float()
        loss = F.softplus(-on_real).mean() + F.softplus(on_fake).mean()
        update = self.seen // self.config.batch
        if update % self.config.r1_every == 0:
            loss = loss + self._r1(real) * (self.config.r1 / 2 * self.config.r1_every)
        self.d_opt.zero_grad(set_to_none=True)
        loss.backward()
        self.d_opt.step()
        return {"d_real": on_real.mean().item(), "d_fake": on_fake.mean().item()}

    def _r1(self, real: Tensor) -> Tensor:
        """Squared gradient norm of the critic at real pictures (Mescheder et al. 2018)."""
        real = real.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(self._judge(real).sum(), real, create_graph=True)
        return gradient.square().sum(dim=(1, 2, 3)).mean()

    def _generator_update(self, real: Tensor, rebuilt: Tensor, drawn: Tensor, w_plus: Tensor) -> dict[str, float]:
        self.critic.requires_grad_(False)
        batch, half = self.config.batch, self.config.batch // 2
        with self.autocast():
            on_fake = self._judge(drawn).float()
            w_back = self.encoder(drawn[half:batch].detach())
        adversarial = F.softplus(-on_fake).mean()
        reconstruction = (rebuilt - real).square().mean()
        w = w_plus[half:].mean(dim=1).detach().float()  # what E can know of mixed styles
        cycle = (w_back.float() - w).square().mean() / w.var().clamp_min(1e-4)
        misfit = self.codes.misfit(w_plus[: self._n_mapped, 0].float()) if self._n_mapped else adversarial.new_zeros(())
        loss = adversarial + self.config.reconstruction * reconstruction
        loss = loss + self.config.cycle * cycle + self.config.alignment * misfit
        self.g_opt.zero_grad(set_to_none=True)
        loss.backward()
        self.g_opt.step()
        self.critic.requires_grad_(True)
        return {
            "g": adversarial.item(),
            "reconstruction": reconstruction.item(),
            "cycle": cycle.item(),
            "misfit": misfit.item(),
        }

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
