"""Anomalies by inversion: a decoder of known pictures cannot draw an unknown one, however its code is chosen.

As in the paper the code is optimised for the test picture, and what is left of the loss is the score; beside it stands the
error of plain reconstruction. The authors start from the encoder's code, and descend over codes alone; here the same descent
also goes through Θ, and its learning rate is not the test pictures' to choose.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from landscape_core.autoencoders.networks import Autoencoder
from landscape_core.search.objectives import Target
from landscape_core.search.optimizers import OptimizerSettings
from landscape_core.search.race import LaneSettings, RunSettings, prepare
from landscape_core.search.spaces import Start
from landscape_core.search.task import Task
from landscape_core.search.trajectory import run


@torch.no_grad()
def reconstruction_error(model: Autoencoder, pictures: Tensor) -> Tensor:
    """Mean squared difference (B,) of pictures (B, 3, H, W) in [-1, 1] and what the decoder gives back of them."""
    return (model(pictures) - pictures).square().flatten(1).mean(dim=1)


def optimised_error(
    task: Task, pictures: Tensor, optimizer: OptimizerSettings, *, space: str, steps: int, start: Start = "encoder"
) -> Tensor:
    """The lowest loss (B,) that descent over codes reaches for pictures (B, 3, S, S): in "X" or in a learned space."""
    settings = RunSettings(task=task.name, lanes=(LaneSettings(space=space, optimizer=optimizer),), steps=steps, start=start)
    race = run(*prepare(task, settings, Target(pictures)))
    return race.lanes[0].best_so_far()[-1]


def place(score: float, known: Sequence[float]) -> float:
    """The share of known pictures' scores that lie below a score: 0.99 is stranger than 99 of 100."""
    return sum(each < score for each in known) / len(known)
