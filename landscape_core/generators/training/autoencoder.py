"""Training the convolutional autoencoder: L1 + 0.5 LPIPS, with noise on the latents so that the decoder is smooth."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.features.perceptual import load_lpips
from landscape_core.generators.networks.autoencoder import ImageDecoder, ImageEncoder
from landscape_core.images.pixels import to_unit
from landscape_core.progress import Report
from landscape_core.training.checkpoint import Checkpoint


@dataclass(frozen=True)
class AutoencoderConfig:
    """`images` counts pictures seen, not epochs. `latent_noise` is relative to latents of variance 1."""

    images: int = 240_000
    batch: int = 32
    lr: float = 1e-3
    weight_decay: float = 1e-4
    perceptual_weight: float = 0.5
    latent_noise: float = 0.1
    seed: int = 0
    bf16: bool = True


@dataclass(frozen=True)
class TrainedAutoencoder:
    """Both networks, the seconds spent over all sessions, and whether the run reached its end."""

    encoder: ImageEncoder
    decoder: ImageDecoder
    seconds: float
    finished: bool


def random_batch(images: Tensor, batch: int, generator: torch.Generator) -> Tensor:
    """A random batch in [-1, 1], each picture mirrored with probability 1/2."""
    index = torch.randint(len(images), (batch,), generator=generator)
    picked = to_unit(images[index])
    mirrored = torch.rand(batch, generator=generator) < 0.5
    return torch.where(mirrored[:, None, None, None], picked.flip(3), picked)


def train_autoencoder(
    images: Tensor,
    config: AutoencoderConfig,
    out: Path,
    report: Report,
    *,
    device: torch.device | str = "cpu",
    start: tuple[ImageEncoder, ImageDecoder] | None = None,
) -> TrainedAutoencoder:
    """Train on uint8 pictures (N, 3, 64, 64); resumes from `out/checkpoint.safetensors`.

    `start` gives both networks their first weights (transfer to another set of pictures). A stopped run returns what
    it has, with `finished` False.
    """
    torch.manual_seed(config.seed)
    device = torch.device(device)
    encoder, decoder, distance = (
        module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        for module in (ImageEncoder(), ImageDecoder(), load_lpips())
    )
    if start is not None:
        encoder.load_state_dict(start[0].state_dict())
        decoder.load_state_dict(start[1].state_dict())
    parameters = [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=config.lr, weight_decay=config.weight_decay)
    generator = torch.Generator().manual_seed(config.seed)
    checkpoint = Checkpoint(
        out / "checkpoint.safetensors",
        modules={"encoder": encoder, "decoder": decoder},
        optimizers={"adamw": optimizer},
        generators={"data": generator},
    )
    meta = checkpoint.load() or {"seen": 0, "seconds": 0.0}
    seen, began = meta["seen"], time.perf_counter() - meta["seconds"]
    encoder.train()
    while seen < config.images:
        for group in optimizer.param_groups:
            group["lr"] = config.lr * max(0.5 * (1 + math.cos(math.pi * seen / config.images)), 0.01)
        x = random_batch(images, config.batch, generator).to(device, memory_format=torch.channels_last)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=config.bf16):
            latents = encoder(x)
            noise = config.latent_noise * torch.randn(latents.shape, generator=generator).to(device)
            y = decoder(latents + noise)
            perceptual = distance(y, x).mean()
        l1 = (y.float() - x).abs().mean()
        loss = l1 + config.perceptual_weight * perceptual.float()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        seen += config.batch
        stop = report(seen, config.images, {"l1": l1.item(), "lpips": perceptual.item()})
        if stop or seen % (config.batch * 250) == 0 or seen >= config.images:
            checkpoint.save({"seen": seen, "seconds": time.perf_counter() - began, "config": asdict(config)})
        if stop:
            break
    return TrainedAutoencoder(encoder.eval(), decoder.eval(), time.perf_counter() - began, seen >= config.images)
