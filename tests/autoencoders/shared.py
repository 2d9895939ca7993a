"""A decoder's training that several processes share, in float64: `accelerate launch -m tests.autoencoders.shared FOLDER N`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from landscape_core import processes
from landscape_core.autoencoders.networks import FeatureEncoder
from landscape_core.autoencoders.training.decoder import DecoderConfig, DecoderTrainer
from landscape_core.features.classifier import RobustClassifier
from landscape_core.storage.tensors import write_tensors
from landscape_core.training.loop import train
from tests.training.shared import bits

# Batches of 5 cannot be halved; the critic joins in the third update, and every loss is on.
CONFIG = DecoderConfig(images=20, batch=5, adversarial=0.1, adversarial_from=0.4, noise=0.1, skips=True, bf16=False)


class Encoder(FeatureEncoder):
    """Takes pictures of any precision."""

    def forward(self, pictures: Tensor) -> Tensor:
        return super().forward(pictures.double())


class Trainer(DecoderTrainer):
    """Learns in float64."""

    def _pictures(self) -> Tensor:
        return super()._pictures().double()


def trained(out: Path, updates: int) -> Trainer:
    """Trained for so many updates, or further from where the checkpoint in `out` stands."""

    def report(done: int, total: int, figures: Mapping[str, float]) -> bool:
        return done >= updates * CONFIG.batch and processes.is_main()  # one was asked: all stop

    with bits(64):
        torch.manual_seed(0)
        encoder = Encoder(RobustClassifier((4, 6)), 2)
        images = torch.randint(256, (12, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
        trainer = Trainer(encoder, images, CONFIG, out)
        train(trainer, report, shared=True)
    return trainer


def main() -> None:
    folder, updates = Path(sys.argv[1]), int(sys.argv[2])
    trainer = trained(folder, updates)
    for name, network in (("decoder", trainer.model.decoder), ("critic", trainer.critic)):
        write_tensors(folder / f"{name}.safetensors", network.state_dict(), {"history": {}})


if __name__ == "__main__":
    from tests.autoencoders import shared  # a checkpoint tells the functions of this module from those of __main__

    with processes.one_voice():
        shared.main()
