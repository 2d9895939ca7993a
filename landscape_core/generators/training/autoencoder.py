"""First stage: the convolutional autoencoder, by L1 + 0.5 LPIPS, with noise on the latents so that the decoder is smooth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from landscape_core import processes
from landscape_core.features.lpips import load_lpips
from landscape_core.generators.networks.autoencoder import ImageDecoder, ImageEncoder
from landscape_core.generators.training.shares import totals
from landscape_core.generators.training.stage import Stage, set_rates


@dataclass(frozen=True)
class AutoencoderConfig:
    """`images` counts pictures seen, not epochs. `latent_noise` is relative to latents of variance 1. The learning rate rises
    over the first `warmup` updates, then falls along a cosine."""

    images: int | None = 240_000
    seconds: float | None = None
    batch: int = 32
    lr: float = 1e-3
    warmup: int = 0
    weight_decay: float = 1e-4
    perceptual_weight: float = 0.5
    latent_noise: float = 0.1
    seed: int = 0
    bf16: bool = True


class AutoencoderTrainer(Stage):
    """Both networks and their update; the encoder's BatchNorm gives every channel of the latents variance 1."""

    config: AutoencoderConfig

    def __init__(
        self,
        images: Tensor,
        networks: tuple[ImageEncoder, ImageDecoder],
        config: AutoencoderConfig,
        out: Path,
        *,
        device: torch.device | str = "cpu",
        identity: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """`images` uint8 (N, 3, R, R); a checkpoint in `out` overrides the weights; `identity` as for `Checkpoint`."""
        super().__init__(config, device)
        self.images = images.to(self.device)
        self.distance = load_lpips()
        self.encoder, self.decoder = networks
        for network in (self.encoder, self.decoder, self.distance):
            network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.encoder.requires_grad_(True).train()
        self.decoder.requires_grad_(True).train()
        self.parameters = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.optimizer = torch.optim.AdamW(
            self.parameters, lr=config.lr, weight_decay=config.weight_decay, fused=self.device.type == "cuda"
        )
        self.resume(out, {"data": images, **identity}, ("encoder", "decoder"), {"adamw": self.optimizer})

    def step(self) -> dict[str, Tensor]:
        """One update on a fresh batch."""
        config = self.config
        warm = min(1.0, (self.update + 1) / config.warmup) if config.warmup else 1.0
        set_rates(self.optimizer, [config.lr * warm * max(0.5 * (1 + math.cos(math.pi * self.fraction)), 0.01)])
        x = self.whole.of(self.reals(self.images, config.batch))
        with self.autocast():
            latents = self.encoder(x)
            noise = self.whole.of(self.normal(config.batch, *latents.shape[1:]))
            y = self.decoder(latents + config.latent_noise * noise)
            perceptual = self.whole.mean(self.distance(y, x))
        l1 = self.whole.mean((y.float() - x).abs())
        self.optimizer.zero_grad(set_to_none=True)
        (l1 + config.perceptual_weight * perceptual.float()).backward()
        processes.sum_gradients(self.parameters)
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.seen += config.batch
        return totals({"l1": l1.detach(), "lpips": perceptual.detach()})

    def finish(self) -> tuple[ImageEncoder, ImageDecoder]:
        """The trained networks, in eval mode."""
        return self.encoder.eval(), self.decoder.eval()
