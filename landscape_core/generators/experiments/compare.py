"""Which Θ for pictures: candidates learned on most of the training pictures, compared on the others. `val` stays unseen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from landscape_core.experiments.comparing import HELD_OUT, Table, buffers_for, learned, scored
from landscape_core.experiments.rows import BASELINE, TableSettings, measure_rows, with_rows
from landscape_core.generators.task import load_image_task
from landscape_core.generators.training.theta import MAPPING_PRESETS, mapping_trainer
from landscape_core.images.pixels import to_unit
from landscape_core.progress import Tick
from landscape_core.search.spaces import SearchSpace
from landscape_core.training.theta import evaluations_per_buffer

SET = "held out"


def held_out(images: Tensor) -> tuple[Tensor, Tensor]:
    """Most of the pictures (N, 3, H, W), and those held out."""
    held = torch.arange(len(images)) % HELD_OUT == 0
    return images[~held], images[held]


def compare(
    domain: str, presets: Sequence[str], images: Tensor, buffers: int, settings: TableSettings, work: Path, tick: Tick
) -> Table:
    """{candidate: {"held out 2": ..., "score": ...}}: mean loss after each number of steps on held-out training pictures.

    `images` uint8 (N, 3, H, W). Every candidate is learned with as many evaluations of F as the first one takes in
    `buffers` buffers, and searched by the optimiser that serves it best on other held-out pictures; so is X, the baseline.
    """
    learned_on, held = held_out(images)
    first = MAPPING_PRESETS[presets[0]].training
    evaluations = buffers * evaluations_per_buffer(first)
    spaces: dict[str, SearchSpace] = {}

    def measured(done: int, total: int) -> None:
        tick("curvature", done, total)

    for preset in presets:
        count = buffers_for(MAPPING_PRESETS[preset], evaluations)
        trainer, _ = mapping_trainer(domain, preset, learned_on, work, buffers=count, seed=settings.seed, tick=measured)
        spaces[preset] = learned(trainer, tick, f"learning {preset}")
    picked = held[torch.randperm(len(held), generator=torch.Generator().manual_seed(settings.seed))]
    tuned, judged = to_unit(picked[: settings.tune_targets]), to_unit(picked[settings.tune_targets :][: settings.targets])
    task = with_rows(load_image_task(domain), spaces)
    _, losses = measure_rows(task, [BASELINE, *presets], tuned, {SET: judged}, settings, tick)
    table = {row: {f"{SET} {at}": float(each.mean()) for at, each in by.items()} for row, by in losses[SET].items()}
    return scored(table, BASELINE)
