"""Which Θ for a plug-in: candidates learned alike, compared with X on targets that none of them was learned on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from landscape_core.experiments.comparing import Table, buffers_for, learned, scored
from landscape_core.experiments.rows import BASELINE, TableSettings, measure_rows, with_rows
from landscape_core.plugins.training.theta import plugin_mapping_trainer, preset_for
from landscape_core.progress import Tick
from landscape_core.search.spaces import SearchSpace
from landscape_core.search.task import Task
from landscape_core.training.theta import evaluations_per_buffer

SET = "held out"


def compare_plugin(task: Task, presets: Sequence[str], buffers: int, settings: TableSettings, work: Path, tick: Tick) -> Table:
    """{candidate: {"held out 2": ..., "score": ...}}: mean loss after each number of steps on targets drawn from the model.

    Every candidate is learned with as many evaluations of F as the first one takes in `buffers` buffers, and searched by the
    optimiser that serves it best on other targets; so is X, the baseline.
    """
    evaluations = buffers * evaluations_per_buffer(preset_for(task, presets[0]).training)
    spaces: dict[str, SearchSpace] = {}
    for preset in presets:
        count = buffers_for(preset_for(task, preset), evaluations)
        trainer, _ = plugin_mapping_trainer(task, preset, None, work, buffers=count, seed=settings.seed)
        spaces[preset] = learned(trainer, tick, f"learning {preset}")
    drawn = task.sampled(settings.tune_targets + settings.targets, torch.Generator().manual_seed(settings.seed + 1)).value
    tuned, judged = drawn[: settings.tune_targets], drawn[settings.tune_targets :]
    rows = with_rows(task, spaces)
    _, losses = measure_rows(rows, [BASELINE, *presets], tuned, {SET: judged}, settings, tick)
    table = {row: {f"{SET} {at}": float(each.mean()) for at, each in by.items()} for row, by in losses[SET].items()}
    return scored(table, BASELINE)
