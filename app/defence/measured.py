"""What `results/` says of many test pictures, as a message for the batch view. Knows nothing of Gradio."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.defence.stream import NORMS
from app.runs.session import Message
from landscape_core.defence.counting import LANES, UNDEFENDED
from landscape_core.errors import UserError
from landscape_core.experiments.report import embedded_hashes, outdated
from landscape_core.experiments.results import read_result
from landscape_core.storage.zoo import RESULTS

EARLIER = "What results has was measured on earlier models than are embedded now."
NOTHING: Message = {"kind": "measured", "rows": [], "text": ""}


def measured(name: Any, attack: Any, results: Path = RESULTS) -> Message:
    """The table for a classifier and an attack until somebody counts: X and Z with rates tuned on training pictures, after as
    many steps as were measured; no rows where there is nothing, or it is of other models."""
    path = results / f"defence-{name}.json"
    if not path.is_file():
        return NOTHING
    try:
        found = read_result(path)
        if outdated([found], embedded_hashes()):
            return {**NOTHING, "text": EARLIER}
    except UserError as error:
        return {**NOTHING, "text": str(error)}
    if attack not in found["settings"]["attack_settings"]:
        return NOTHING
    last = len(found["series"][f"X tuned | {attack}, static"]) - 1

    def row(label: str, lane: str, at: int) -> Message:
        columns = {column: _share(found, f"{lane} tuned | {attack}, {column}", at) for column in ("static", "aware")}
        return {"name": label, **columns}

    steps = found["settings"]["steps_of_series"][last]
    attacked = f"{found['n']['test']:,} test pictures, {str(name).upper()}, {NORMS[attack]} attack"
    defended = f"{steps} {'step' if steps == 1 else 'steps'} of defence at rates tuned on training pictures"
    return {
        "kind": "measured",
        "rows": [row(UNDEFENDED, "X", 0), *(row(lane, lane, last) for lane in LANES)],
        "clean": _share(found, "X tuned | clean", 0),
        "text": f"{attacked}, {defended}; measured by",
        "command": found["command"],
    }


def _share(found: Mapping[str, Any], key: str, at: int) -> list[float]:
    """[share, low, high]."""
    return [found["series"][f"{key}{end}"][at] for end in ("", " | low", " | high")]
