"""Last stage: generator, decoder and encoder trained together, judged in pixels.

An adversarial loss in an autoencoder's latents leaves a decoder that never had to draw anything sharp. Here projected
discriminators (Sauer et al. 2021) look at the pictures themselves, both at those drawn from the Gaussian of the encoder's codes
and at those rebuilt from real ones, which must also come back (L1 and LPIPS): F has to stay a network that can be inverted.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from landscape_core import processes
from landscape_core.features.lpips import load_lpips
from landscape_core.generators.networks.backbones import Backbone, EfficientMaps, SqueezeMaps
from landscape_core.generators.networks.image_model import ImageModel, PictureEncoder
from landscape_core.generators.networks.projected import ProjectedCritic
from landscape_core.generators.training.augment import augment
from landscape_core.generators.training.codes import CodeStatistics
from landscape_core.generators.training.quality import Draw
from landscape_core.generators.training.shares import Shares, totals
from landscape_core.generators.training.stage import Stage, average, falling, set_rates
from landscape_core.search.spaces import Prior
from landscape_core.training.graphs import Capture, CapturedUpdate, cuda_graph

_log = logging.getLogger(__name__)
_FIGURES = ("critic", "g", "l1", "lpips", "cycle")


@dataclass(frozen=True)
class SharpenConfig:
    """`images` counts pictures drawn; half as many are rebuilt. The first `critic_first` teach the critics alone. After the
    share `anneal_from` of the budget learning rates fall linearly to nothing, and the Gaussian of the codes, measured every
    `refresh_codes` pictures until then, stays as it is: it is the prior that the published model comes with.

    `efficientnet` adds critics on EfficientNet-Lite1's maps; `squeeze_scale` enlarges pictures before SqueezeNet sees them.
    `ema_images` is the half-life of the averaged weights, `graph` whether an accelerator replays a captured update, which is
    one process's.
    """

    images: int | None = 140_000
    seconds: float | None = None
    batch: int = 32
    lr: float = 3e-4
    style_lr: float = 1e-3
    critic_lr: float = 1e-3
    critic_first: int = 1_600
    critic_width: int = 48
    squeeze_scale: float = 1.5
    efficientnet: bool = False
    l1: float = 4.0
    perceptual: float = 4.0
    cycle: float = 0.3
    ema_images: int = 10_000
    refresh_codes: int = 32_000
    anneal_from: float = 0.6
    graph: bool = True
    seed: int = 0
    bf16: bool = True


class SharpenTrainer(Stage):
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
        identity: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """`images` uint8 (N, 3, R, R); a checkpoint in `out` overrides the weights of `model` and `encoder`. `identity` as for
        `Checkpoint`."""
        super().__init__(config, device)
        self.images = images.to(self.device)
        self.distance = load_lpips()
        # In eval mode: the BatchNorm between encoder and decoder keeps the statistics of the first stage.
        self.model, self.encoder = copy.deepcopy(model).eval(), copy.deepcopy(encoder).eval()
        self.model_ema, self.encoder_ema = copy.deepcopy(self.model), copy.deepcopy(self.encoder)
        self.critic = ProjectedCritic(self._backbones(), width=config.critic_width)
        for net in (self.distance, self.critic, self.model, self.encoder, self.model_ema, self.encoder_ema):
            net.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        for live, ema in ((self.model, self.model_ema), (self.encoder, self.encoder_ema)):
            live.requires_grad_(True)
            ema.requires_grad_(False)
        self.codes = CodeStatistics(model.style_dim).to(self.device)
        self._optimizers()
        parts = ("model", "encoder", "critic", "model_ema", "encoder_ema", "codes")
        self.resume(out, {"data": images, **identity}, parts, {"g": self.g_opt, "d": self.d_opt})
        self.figures = {name: torch.zeros((), device=self.device) for name in _FIGURES}
        self.update_all = CapturedUpdate(
            self._update_all, self.random, recover=self._recover, say=_log.warning, capture=self._capture()
        )

    def _capture(self) -> Capture | None:
        """What captures an update, if anything does."""
        if processes.count() == 1:
            return cuda_graph if self.config.graph else None
        if self.config.graph and self.device.type == "cuda":
            _log.warning("Several processes share an update, which therefore runs without a CUDA graph.")
        return None

    def _backbones(self) -> list[Backbone]:
        backbones: list[Backbone] = [SqueezeMaps(self.distance.maps, self.config.squeeze_scale)]
        if self.config.efficientnet:
            backbones.append(EfficientMaps().to(self.device, memory_format=torch.channels_last))  # type: ignore[call-overload]
        return backbones

    def _optimizers(self) -> None:
        """Layers with an equalised learning rate (StyleGAN2's) take larger steps than plain convolutions. What is to be
        captured keeps its learning rates and step counts on the device."""
        config, cuda = self.config, self.device.type == "cuda"
        self.rates = (config.style_lr, config.style_lr, config.lr)
        parts = (
            self.model.generator.synthesis.parameters(),
            self.encoder.latent.parameters(),
            [*self.model.decoder.parameters(), *self.encoder.image.parameters()],
        )

        def group(parameters: Any, rate: float) -> dict[str, Any]:
            return {"params": list(parameters), "lr": torch.tensor(rate, device=self.device) if cuda else rate}

        options: dict[str, Any] = {"betas": (0.0, 0.99), "foreach": True, "capturable": cuda}
        self.g_opt = torch.optim.Adam([group(*each) for each in zip(parts, self.rates, strict=True)], **options)
        self.d_opt = torch.optim.Adam([group(self.critic.trained(), config.critic_lr)], **options)

    def step(self) -> dict[str, Tensor]:
        """One update of the critics and, once they know something, one of everything else."""
        config, share = self.config, falling(self.fraction, self.config.anneal_from)
        set_rates(self.g_opt, [rate * share for rate in self.rates])
        set_rates(self.d_opt, [config.critic_lr * share])
        if self.seen % config.refresh_codes < config.batch and self.fraction < config.anneal_from:
            self._refresh_codes()
        if self.seen < config.critic_first:
            real, _, drawn, _ = self._draw()
            self._critic_update(real, drawn)
        else:
            self.update_all()
        self.seen += config.batch
        return totals(self.figures)

    @torch.no_grad()
    def _refresh_codes(self, n: int = 16_384) -> None:
        """Of so many pictures that the smallest variances are right too: the generator adapts to what it is given."""
        sizes = torch.arange(min(n, 2 * len(self.images))).split(256)
        with self.autocast():
            shares = (processes.share(self.reals(self.images, len(size))) for size in sizes)
            codes = [processes.joined(self.encoder_ema(share).float()) for share in shares]
        self.codes.refresh(torch.cat(codes))

    def _update_all(self) -> None:
        """The critics, the networks, the averages. Captured as it stands: no value is waited for, nothing made on the CPU."""
        real, half, drawn, w = self._draw()
        self._critic_update(real, drawn)
        self._generator_update(half, drawn, w)
        decay = 0.5 ** (self.config.batch / self.config.ema_images)
        average(self.model_ema, self.model, decay)
        average(self.encoder_ema, self.encoder, decay)

    def _draw(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Real pictures (B, …), and half of them; as many drawn from w and, after them, that half rebuilt; and, for all
        processes, w (B, D)."""
        picked = self.reals(self.images, self.config.batch)
        half = self.half.of(picked[: self.config.batch // 2])
        w = self.codes.color(self.normal(self.config.batch, self.model.style_dim))
        with self.autocast():
            codes = self.encoder(half)
            drawn = self.model(torch.cat([self.whole.of(w), codes.float()])).float()
        return self.whole.of(picked), half, drawn, w

    def _judge(self, pictures: Tensor, shares: Shares) -> Tensor:
        with self.autocast():
            return self.critic(augment(pictures, self.random, shares)).float()

    def _critic_update(self, real: Tensor, drawn: Tensor) -> None:
        on_real, on_drawn = self._judge(real, self.whole), self._judge(drawn.detach(), self.drawn)
        loss = self.whole.mean(F.relu(1.0 - on_real)) + self.drawn.mean(F.relu(1.0 + on_drawn))
        self.d_opt.zero_grad(set_to_none=True)
        loss.backward()
        processes.sum_gradients(self.critic.trained())
        self.d_opt.step()
        self.figures["critic"].copy_(loss.detach())

    def _generator_update(self, half: Tensor, drawn: Tensor, w: Tensor) -> None:
        config = self.config
        self._teach_critic(False)
        fresh, rebuilt = drawn[: -len(half)], drawn[-len(half) :]
        adversarial = -self.drawn.mean(self._judge(drawn, self.drawn))
        l1 = self.half.mean((rebuilt - half).abs())
        with self.autocast():
            perceptual = self.half.mean(self.distance(rebuilt, half).float())
            back = self.encoder(fresh.detach()).float()
        cycle = self.whole.mean((back - self.whole.of(w)).square()) / w.var()
        self.g_opt.zero_grad(set_to_none=True)
        (adversarial + config.l1 * l1 + config.perceptual * perceptual + config.cycle * cycle).backward()
        for network in (self.model, self.encoder):
            processes.sum_gradients(network.parameters())
        self.g_opt.step()
        self._teach_critic(True)
        for name, value in zip(_FIGURES[1:], (adversarial, l1, perceptual, cycle), strict=True):
            self.figures[name].copy_(value.detach())

    def _teach_critic(self, on: bool) -> None:
        for parameter in self.critic.trained():
            parameter.requires_grad_(on)

    def _recover(self) -> None:
        """After an attempt to capture that failed somewhere inside the update."""
        self._teach_critic(True)
        for optimizer in (self.g_opt, self.d_opt):
            optimizer.zero_grad(set_to_none=True)

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
        self.model_ema.generator.get_buffer("w_mean").copy_(self.codes.get_buffer("mean"))
        return self.model_ema.eval(), self.encoder_ema.eval(), self.codes.prior()
