"""Trainings that several processes share: `accelerate launch -m tests.training.shared FOLDER PART…`, or one process alone.

The problem is that of `test_alternating`, small and bent; every Θ is trained in a folder of its own name.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from landscape_core import processes
from landscape_core.search.mapping import MappingConfig, build_mapping
from landscape_core.search.objectives import SquaredError, Target
from landscape_core.search.spaces import Prior
from landscape_core.storage.tensors import write_tensors
from landscape_core.training.alternating import MappingTrainer, train_mapping
from landscape_core.training.settings import MappingTraining
from tests.training.test_alternating import DIM, Bent

# 13 targets and batches of 5 cannot be halved; the last of the three chunks is the smallest there can be.
SETTINGS = MappingTraining(
    buffers=3, targets=13, steps=4, batch=5, lr=5e-3, rollout_chunk=5, keep_start=True, start=0.3, z_optimizer="lbfgs", z_lr=1.0
)
KINDS = {
    "residual": SETTINGS,
    "mlp": replace(SETTINGS, keep_start=False, z_optimizer="adam", z_lr=0.1, weighting=0.1),
    "flow": replace(SETTINGS, mode="online"),
}


@contextmanager
def bits(width: int) -> Iterator[None]:
    """Numbers of 64 or 32 bits."""
    usual = torch.get_default_dtype()
    torch.set_default_dtype({64: torch.float64, 32: torch.float32}[width])
    try:
        yield
    finally:
        torch.set_default_dtype(usual)


def trainer(out: Path | None, kind: str, seed: int = 0) -> MappingTrainer:
    """Before its first buffer, or where the checkpoint in `out` stands."""
    forward, prior = Bent(), Prior(torch.zeros(DIM), torch.eye(DIM))
    mapping = build_mapping(MappingConfig(kind, DIM, DIM, 32, layers=2), prior, seed=2)

    def sample(n: int, random: torch.Generator) -> Target:
        return Target(forward(torch.randn(n, DIM, generator=random)))

    return MappingTrainer(mapping, DIM, forward, SquaredError(), sample, replace(KINDS[kind], seed=seed), out)


def trained(out: Path | None, kind: str, *, upto: int = 3, width: int = 64, seed: int = 0) -> MappingTrainer:
    """Trained until so many buffers are done."""

    def report(done: int, total: int, figures: Mapping[str, float]) -> bool:
        return done >= upto and processes.is_main()  # one was asked: all stop

    with bits(width):
        each = trainer(out, kind, seed)
        train_mapping(each, report)
    return each


def main() -> None:
    folder = Path(sys.argv[1])
    for part in sys.argv[2:]:
        kind, width, upto = part.split("-")
        each = trained(folder / f"{kind}-{width}", kind, upto=int(upto), width=int(width))
        history = {key: [entry[key] for entry in each.progress.history] for key in each.progress.history[0]}
        write_tensors(folder / f"{part}.safetensors", each.mapping.state_dict(), {"history": history})


if __name__ == "__main__":
    from tests.training import shared  # a checkpoint tells the functions of this module from those of __main__

    with processes.one_voice():
        shared.main()
