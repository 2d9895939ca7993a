"""A generator's three stages, each trained by several processes, in float64: `accelerate launch -m tests.generators.shared
FOLDER UPDATES`, or one process alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from torch import Tensor

from landscape_core import processes
from landscape_core.generators.training.autoencoder import AutoencoderConfig, AutoencoderTrainer
from landscape_core.generators.training.gan import GanConfig, GanTrainer
from landscape_core.generators.training.sharpen import SharpenConfig, SharpenTrainer
from landscape_core.generators.training.stage import Stage
from landscape_core.generators.training.transfer import measure_norm
from landscape_core.storage.tensors import read_tensors
from landscape_core.training.checkpoint import NAME
from landscape_core.training.loop import train
from tests.generators.test_sharpen import networks, pictures
from tests.generators.test_training import SMALL, latents
from tests.tiny.lpips import StandIn
from tests.training.shared import bits

# Halves of batches, and their groups of four, are three: they cannot be halved. Penalty, new codes and the critics' head start
# all come within four updates.
AUTOENCODER = AutoencoderConfig(images=10_000, batch=6, bf16=False)
GAN = GanConfig(images=10_000, batch=24, r1_every=2, refresh_codes=48, ema_images=50, bf16=False)
SHARPEN = SharpenConfig(images=10_000, batch=6, critic_first=6, critic_width=4, refresh_codes=12, ema_images=50, bf16=False)


def autoencoder(out: Path) -> Stage:
    return AutoencoderTrainer(pictures(), SMALL.autoencoder(0), AUTOENCODER, out)


def gan(out: Path) -> Stage:
    return GanTrainer(latents(), (*SMALL.generator(0), SMALL.critic(0)), GAN, out)


def sharpen(out: Path) -> Stage:
    model, encoder = networks()
    measure_norm(encoder.image, pictures(), batch=7)
    return SharpenTrainer(pictures(), model, encoder, SHARPEN, out)


STAGES = {"autoencoder": autoencoder, "gan": gan, "sharpen": sharpen}


@contextmanager
def wide() -> Iterator[None]:
    """All is float64, what the stages ask for as float32, too."""
    with (
        bits(64),
        mock.patch.object(Tensor, "float", Tensor.double),
        mock.patch("landscape_core.generators.training.autoencoder.load_lpips", StandIn),
        mock.patch("landscape_core.generators.training.sharpen.load_lpips", StandIn),
    ):
        yield


def trained(out: Path, stage: str, updates: int) -> dict[str, Tensor]:
    """What the checkpoint in `out` holds after so many updates in all."""
    with wide():
        each = STAGES[stage](out)

        def report(done: int, total: int, figures: Mapping[str, float]) -> bool:
            return done >= updates * each.config.batch and processes.is_main()  # one was asked: all stop

        train(each, report, shared=True)
        return read_tensors(out / NAME)[0]


def main() -> None:
    folder, updates = Path(sys.argv[1]), int(sys.argv[2])
    for stage in STAGES:
        trained(folder / stage, stage, updates)


if __name__ == "__main__":
    from tests.generators import shared  # a checkpoint tells the functions of this module from those of __main__

    with processes.one_voice():
        shared.main()
