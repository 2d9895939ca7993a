"""Charts of results as SVG in the page's own colours, so that they follow its theme: curves by step, and marks of claims."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from landscape_core.experiments.questions import WORDS

FEWEST, MOST = 20, 120  # points of what is a curve, and of what is drawn of it
DASHES = {"Adam": "6 3", "Levenberg": "8 2 2 2", "paper": "1 3", "guess": "2 2"}
WIDEST = 3.0  # doublings to either side that a mark can show


@dataclass(frozen=True)
class Line:
    """A lane's curve: points of a `polyline` in a box of 100 by 60, its colour (a CSS variable) and dashes."""

    name: str
    points: str
    colour: str
    dash: str


@dataclass(frozen=True)
class Panel:
    """The curves of one set of targets, and what its axes begin and end with."""

    title: str
    lines: list[Line]
    steps: int
    low: float
    high: float


def panels(result: Mapping[str, Any]) -> list[Panel]:
    """A panel for each set of targets of a result that has curves by step; losses best so far, both axes logarithmic."""
    steps = result["settings"].get("steps")
    if not isinstance(steps, int) or steps < FEWEST:
        return []
    count = steps // result["settings"].get("stride", 1) + 1
    grouped: dict[str, dict[str, list[float]]] = {}
    for key, values in result["series"].items():
        name, _, title = key.rpartition(" | ")
        if name and len(values) == count and all(value is not None and value > 0 for value in values):
            what = f"{WORDS.get(title, title)}, {'joint error in cm' if name.endswith(' cm') else 'loss'}"
            grouped.setdefault(what, {})[name.removesuffix(" cm")] = values
    return [_panel(title, curves, steps) for title, curves in grouped.items()]


def _panel(title: str, curves: Mapping[str, Sequence[float]], steps: int) -> Panel:
    low, high = min(map(min, curves.values())), max(map(max, curves.values()))
    lines = [Line(name, _points(values, low, high), _colour(name), _dash(name)) for name, values in curves.items()]
    return Panel(title, lines, steps, low, high)


def _points(values: Sequence[float], low: float, high: float) -> str:
    """Points at evenly spaced logarithms of step + 1."""
    last, height = len(values) - 1, math.log(high / low) or 1.0
    chosen = sorted({round(len(values) ** (i / (MOST - 1))) - 1 for i in range(MOST)} | {last})
    places = (
        (100 * math.log(i + 1) / math.log(last + 1), 60 * (1 - math.log(values[i] / low) / height)) for i in chosen if i <= last
    )
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in places)


def _colour(name: str) -> str:
    return {"X": "--x", "Z": "--z"}.get(name.split(" ", 1)[0], "--soft")


def _dash(name: str) -> str:
    return next((dash for word, dash in DASHES.items() if word in name), "none")


@dataclass(frozen=True)
class Mark:
    """A claim's figure and its interval, as shares (0..1) of a scale with no change at the middle."""

    at: float
    low: float
    high: float


def marks(claims: Sequence[Mapping[str, Any]]) -> list[Mark | None]:
    """A mark for every claim that compares two: changes on a scale of doublings, differences on one that all of them share.
    None for what compares nothing, or has no figure."""
    differences = [abs(end) for claim in claims if _kind(claim) == "difference" for end in _ends(claim)]
    largest = max(differences, default=0.0) or 1.0
    return [_mark(claim, largest) for claim in claims]


def _mark(claim: Mapping[str, Any], largest: float) -> Mark | None:
    kind, ours = _kind(claim), claim["ours"]
    if kind is None or ours is None:
        return None

    def place(value: float) -> float:
        if kind == "difference":
            return 0.5 + 0.5 * value / largest
        doublings = math.log2(max(1 + value, 2**-WIDEST))
        return 0.5 + 0.5 * max(-1.0, min(1.0, doublings / WIDEST))

    low, high = _ends(claim)
    return Mark(place(ours), place(low), place(high))


def _kind(claim: Mapping[str, Any]) -> str | None:
    words = claim["claim"]
    if " minus " in words:
        return "difference"
    return "change" if " against " in words and "upper end" not in words else None


def _ends(claim: Mapping[str, Any]) -> tuple[float, float]:
    interval = claim["interval"]
    low, high = (claim["ours"], claim["ours"]) if interval is None or None in interval else interval
    return low or 0.0, high or 0.0
