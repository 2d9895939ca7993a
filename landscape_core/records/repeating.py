"""How what was exported is taken again: a script beside its card, and the same in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from landscape_core.records.export import CARD, REPEAT

_SCRIPT = '''"""Repeats this run and says whether it came out the same: python {file}"""

from pathlib import Path

import torch

from landscape_core.commands.replay import replay

torch.set_num_threads({threads})  # as the run had: sums in another order differ in their last digits
replay(Path(__file__).with_name("{card}"))
'''


def threads_of(environment: Mapping[str, Any]) -> int:
    """How many threads the run of a card had."""
    return int(environment.get("threads", 1))


def script(environment: Mapping[str, Any]) -> str:
    """The script that repeats the run of the card beside it."""
    return _SCRIPT.format(file=REPEAT, card=CARD, threads=threads_of(environment))


def how_to_repeat(environment: Mapping[str, Any]) -> list[str]:
    """The paragraphs of a README on repeating the run of the card beside it."""
    line = f"--threads {threads_of(environment)}"
    return [
        "## Repeat it",
        "With the project installed (`pip install .` in its folder), in this folder, either of",
        f"```\npython {REPEAT}\npython -m landscape_core replay {CARD} {line}\n```",
        "or, where it is not installed, with the project's Python in the project's folder, given the zip as it was saved,",
        f"```\npython -m landscape_core replay EXPORT.zip {line}\n```",
        "takes the same steps and says whether all came out the same, bit for bit.",
    ]
