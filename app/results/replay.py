"""Where the comparison behind a number can be run again here: the address of a run of the same lanes, steps and start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from app.runs.address import FIRST, TAB

PICTURES = r"(convergence|converged|ablation)(-\w+)?"
COMPLETIONS = r"completions(-x-lbfgs)?"
POSES = r"pose(-positions)?"
DEFENCES = r"defence-(\w+)"
TABLE = "X-adam,Z-adam,X-lbfgs,Z-lbfgs"
COLUMN = "X-lbfgs,Z-lbfgs"
MOST_STEPS = {FIRST: 2000, "complete": 300, "pose": 2000, "defence": 100}
DEFENDED = 1  # step of a defence, after which accuracies are compared


def replay_of(result: Mapping[str, Any], what: str) -> str:
    """The address, of one target where the result has many; `what` was measured may name the steps. Nothing where no tab runs
    such a comparison: then the result's command does."""
    name, settings = result["experiment"], result["settings"]
    named = re.search(r"(\d+) steps", what)
    steps = int(named[1]) if named else settings.get("steps")
    common = {"space": settings.get("space"), "steps": steps, "seed": settings.get("seed")}
    if re.fullmatch(PICTURES, name):
        return _address(FIRST, {"model": settings.get("domain"), **common, "lanes": TABLE, "start": "mean"})
    if re.fullmatch(COMPLETIONS, name):
        return _address("complete", {"model": settings.get("domain"), "k": settings.get("k"), **common, "lanes": COLUMN})
    if re.fullmatch(POSES, name):
        return _address("pose", {"model": name, **common, "lanes": COLUMN})
    if found := re.fullmatch(DEFENCES, name):
        norm, knows = ("linf" if "L∞" in what else "l2"), ("static" if "static" in what else "Z")
        return _address("defence", {"classifier": found[1], "attack": norm, "knows": knows, "steps": DEFENDED})
    return ""


def _address(tab: str, query: Mapping[str, Any]) -> str:
    """Parameters that are not known stay as they usually are; more steps than a tab takes are its most."""
    known = {name: value for name, value in query.items() if isinstance(value, str | int)}
    if isinstance(steps := known.get("steps"), int):
        known["steps"] = min(steps, MOST_STEPS[tab])
    return "?" + urlencode(({} if tab == FIRST else {TAB: tab}) | known)
