"""The last stage of an image model: generator, decoder and encoder trained together, judged in pixels.

An adversarial loss in an autoencoder's latents leaves a decoder that never had to draw anything sharp. Here projected
discriminators (Sauer et al. 2021) look at the pictures themselves, both at those drawn from the Gaussian of the encoder's codes
and at those rebuilt from real ones, which must also come back (L1 and LPIPS): F has to stay a network that can be inverted.
The mapping network has no part in it: the Gaussian is the prior of the published model.
"""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from landscape_core.features.perceptual import LpipsDistance
from landscape_core.generators.networks.image_model import ImageModel, PictureEncoder
from landscape_core.generators.networks.projected import ProjectedCritic
from landscape_core.generators.training.adversarial import AdversarialRun
from landscape_core.generators.training.autoencoder import random_batch
from landscape_core.generators.training.codes import CodeStatistics
from landscape_core.generators.training.quality import Draw
from landscape_core.search.spaces import Prior


@dataclass(frozen=True)
class SharpenConfig:
    """`images` counts pictures drawn; half as many are rebuilt. After `anneal_from` of them learning rates fall linearly to
    zero, and the Gaussian of the codes, measured every `refresh_codes` pictures until then, stays as it is: it is the prior
    that the published model comes with."""

    images: int = 140_000
    batch: int = 32
    lr: float = 3e-4
    style_lr: float = 1e-3
    critic_lr: float = 1e-3
    critic_first: int = 1_600
    critic_width: int = 48
    critic_scale: float = 1.5
    l1: float = 4.0
    perceptual: float = 4.0
    cycle: float = 0.3
    ema_images: int = 10_000
    refresh_codes: int = 32_000
    anneal_from: float = 0.5
    seed: int = 0
    bf16: bool = True


class SharpenTrainer(AdversarialRun):
    """The networks of one run and its update; `step` is one update of everything."""

    config: SharpenConfig

    def __init__(
        self,
        images: Tensor,
        model: ImageModel,
        encoder: PictureEncoder,
        config: SharpenConfig,
        out: Path,
        *,
        device: torch.device | str = "cpu",
    ) -> None:
        """`images` uint8 (N, 3, 64, 64); a checkpoint in `out` overrides the weights of `model` and `encoder`."""
        super().__init__(config, device)
        self.images = images
        self.distance = LpipsDistance()
        self.critic = ProjectedCritic(self.distance.maps, width=config.critic_width, scale=config.critic_scale)
        # In eval mode: the BatchNorm between encoder and decoder keeps the statistics of the first stage.
        self.model, self.encoder = copy.deepcopy(model).eval(), copy.deepcopy(encoder).eval()
        self.model_ema, self.encoder_ema = copy.deepcopy(self.model), copy.deepcopy(self.encoder)
        for net in (self.distance, self.critic, self.model, self.encoder, self.model_ema, self.encoder_ema):
            net.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        for live, ema in ((self.model, self.model_ema), (self.encoder, self.encoder_ema)):
            live.requires_grad_(True)
            ema.requires_grad_(False)
        self.codes = CodeStatistics(model.style_dim).to(self.device)
        self.g_opt = torch.optim.Adam(self._groups(), betas=(0.0, 0.99))
        self.d_opt = torch.optim.Adam(self.critic.trained(), lr=config.critic_lr, betas=(0.0, 0.99))
        self.rates = [[g["lr"] for g in o.param_groups] for o in (self.g_opt, self.d_opt)]
        networks = ("model", "encoder", "critic", "model_ema", "encoder_ema", "codes")
        self.resume(out, networks, {"g": self.g_opt, "d": self.d_opt})

    def _groups(self) -> list[dict[str, Any]]:
        """Layers with an equalised learning rate (StyleGAN2's) take larger steps than plain convolutions."""
        plain = [*self.model.decoder.parameters(), *self.encoder.image.parameters()]
        return [
            {"params": list(self.model.generator.synthesis.parameters()), "lr": self.config.style_lr},
            {"params": list(self.encoder.latent.parameters()), "lr": self.config.style_lr},
            {"params": plain, "lr": self.config.lr},
        ]

    def step(self) -> dict[str, float]:
        """One update of the critics and, once they know something, one of everything else."""
        started = time.perf_counter()
        self._set_rates()
        if (
            self.seen % self.config.refresh_codes < self.config.batch
            and self.seen < self.config.anneal_from * self.config.images
        ):
            self._refresh_codes()
        real = random_batch(self.images, self.config.batch, self.random).to(self.device, memory_format=torch.channels_last)
        half = real[: self.config.batch // 2]
        w = self.codes.color(self._normal(self.config.batch, self.model.style_dim))
        with self.autocast():
            codes = self.encoder(half)
            drawn = self.model(torch.cat([w, codes.float()])).float()
        figures = self._critic_update(real, drawn.detach())
        if self.seen >= self.config.critic_first:
            figures |= self._generator_update(half, drawn, w)
            self._average((self.model_ema, self.model), (self.encoder_ema, self.encoder))
        self.seen += self.config.batch
        self.seconds += time.perf_counter() - started
        return figures

    def _set_rates(self) -> None:
        fraction = self._annealed()
        for optimizer, rates in zip((self.g_opt, self.d_opt), self.rates, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * fraction

    @torch.no_grad()
    def _refresh_codes(self, n: int = 16_384) -> None:
        """Of so many pictures that the smallest variances are right too: the generator adapts to what it is given."""
        pictures = random_batch(self.images, min(n, 2 * len(self.images)), self.random).to(self.device)
        self.codes.refresh(torch.cat([self.encoder_ema(part) for part in pictures.split(256)]))

    def _judge(self, pictures: Tensor) -> Tensor:
        with self.autocast():
            return self.critic(augment(pictures, self.random)).float()

    def _critic_update(self, real: Tensor, drawn: Tensor) -> dict[str, float]:
        on_real, on_drawn = self._judge(real), self._judge(drawn)
        loss = F.relu(1.0 - on_real).mean() + F.relu(1.0 + on_drawn).mean()
        self.d_opt.zero_grad(set_to_none=True)
        loss.backward()
        self.d_opt.step()
        return {"critic": loss.item()}

    def _generator_update(self, half: Tensor, drawn: Tensor, w: Tensor) -> dict[str, float]:
        self._teach_critic(False)
        rebuilt = drawn[self.config.batch :]
        adversarial = -self._judge(drawn).mean()
        l1 = (rebuilt - half).abs().mean()
        with self.autocast():
            perceptual = self.distance(rebuilt, half).float().mean()
            back = self.encoder(drawn[: self.config.batch].detach()).float()
        cycle = (back - w).square().mean() / w.var()
        loss = adversarial + self.config.l1 * l1 + self.config.perceptual * perceptual + self.config.cycle * cycle
        self.g_opt.zero_grad(set_to_none=True)
        loss.backward()
        self.g_opt.step()
        self._teach_critic(True)
        return {"g": adversarial.item(), "l1": l1.item(), "lpips": perceptual.item(), "cycle": cycle.item()}

    def _teach_critic(self, on: bool) -> None:
        for parameter in self.critic.trained():
            parameter.requires_grad_(on)

    def drawing(self, seed: int) -> Draw:
        """Samples of the averaged generator from the Gaussian of the codes."""

        def picture(w: Tensor) -> Tensor:
            with self.autocast():
                return self.model_ema(w)

        return self.codes.drawing(picture, seed)

    def finish(self) -> tuple[ImageModel, PictureEncoder, Prior]:
        """The averaged networks, and the Gaussian that pictures were drawn from; that of the codes where none was drawn."""
        if self.seen == 0:
            self._refresh_codes()
        return self.model_ema.eval(), self.encoder_ema.eval(), self.codes.prior()


def augment(pictures: Tensor, random: torch.Generator, *, shift: float = 0.125) -> Tensor:
    """Pictures (B, 3, H, W), each with its own brightness, saturation, contrast and shift (zeros come in); differentiable."""

    def uniform(low: float, high: float) -> Tensor:
        draw = torch.rand(len(pictures), 1, 1, 1, generator=random).to(pictures.device)
        return low + (high - low) * draw

    x = pictures + uniform(-0.5, 0.5)
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * uniform(0.0, 2.0)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    x = mean + (x - mean) * uniform(0.5, 1.5)
    return _shifted(x, random, round(shift * x.shape[-1]))


def _shifted(x: Tensor, random: torch.Generator, most: int) -> Tensor:
    side = x.shape[-1]
    rows, columns = torch.randint(0, 2 * most + 1, (2, len(x), 1), generator=random).to(x.device)
    place = torch.arange(side, device=x.device)
    padded = torch.nn.functional.pad(x, (most, most, most, most)).permute(0, 2, 3, 1)
    index = torch.arange(len(x), device=x.device)[:, None, None]
    return padded[index, (rows + place)[:, :, None], (columns + place)[:, None, :]].permute(0, 3, 1, 2)
