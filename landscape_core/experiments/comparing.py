"""What comparisons of Θs share: equal cost, a score, the table on a card."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from landscape_core.progress import Tick
from landscape_core.search.spaces import ZSpace
from landscape_core.storage import zoo
from landscape_core.training.alternating import MappingTrainer, train_mapping
from landscape_core.training.theta import MappingPreset, evaluations_per_buffer

Table = dict[str, dict[str, float]]
HELD_OUT = 8  # every eighth picture, recording or observation is not learned on


def buffers_for(preset: MappingPreset, evaluations: int) -> int:
    """How many buffers of a preset cost that many evaluations of F; at least one."""
    return max(1, round(evaluations / evaluations_per_buffer(preset.training)))


def scored(table: Mapping[str, Mapping[str, float]], baseline: str) -> Table:
    """The table with the mean log ratio of every row to the baseline's as its "score"; lower is better."""
    base = table[baseline]
    return {
        name: {**row, "score": sum(math.log(row[key] / base[key]) for key in base) / len(base)} for name, row in table.items()
    }


def written(table: Mapping[str, Mapping[str, float]]) -> str:
    """The table as lines of tab-separated columns."""
    columns = list(next(iter(table.values())))
    rows = ["\t".join([name, *(f"{row[column]:.3g}" for column in columns)]) for name, row in table.items()]
    return "\n".join(["\t".join(["mean loss after steps", *columns]), *rows])


def note_on_card(name: str, table: Table, command: str, assets: Path = zoo.ASSETS) -> None:
    """Put the comparison on a Θ's card."""
    rounded = json.loads(json.dumps(table), parse_float=lambda text: float(f"{float(text):.4g}"))
    zoo.add_metrics(name, {"comparison": {"command": command, "losses": rounded}}, assets)


def learned(trainer: MappingTrainer, tick: Tick, label: str) -> ZSpace:
    """The space of the Θ that a trainer trains to the end."""

    def report(done: int, total: int, figures: Mapping[str, float]) -> bool:
        tick(label, done, total)
        return False

    return ZSpace(train_mapping(trainer, report), trainer.z_dim)
