"""What every run exports, whatever F makes: losses as CSV, latents, which steps are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from safetensors.torch import save

from landscape_core.search.race import SEPARATOR
from landscape_core.search.trajectory import Trajectory
from landscape_core.storage.csv_text import csv_text

CARD, LOSSES, SHEET, ANIMATION, LATENTS = "run.json", "losses.csv", "sheet.png", "run.gif", "latents.safetensors"
README, MEASURES, CHART, FILM, REPEAT = "README.md", "measures.csv", "loss.svg", "run.mp4", "repeat.py"
Measures = Mapping[str, Mapping[str, Sequence[Any]]]
"""By lane and name one number a recorded step, or a list of one a sample; None where it is not finite."""


def picked_steps(last: int, count: int) -> list[int]:
    """At most `count` steps from 0 to `last`, close together at the start, where most happens."""
    if last < count:
        return list(range(last + 1))
    places = torch.logspace(0.0, 1.0, count, base=float(last + 1), dtype=torch.float64) - 1.0
    spread = torch.maximum(places.round().long(), torch.arange(count))
    return sorted({min(int(step), last) for step in spread} | {last})


def file_name(lane: str) -> str:
    """A lane's name as part of a file's name: "X · L-BFGS" -> "X-L-BFGS"."""
    return lane.replace(SEPARATOR, "-").replace(" ", "-")


def measures_csv(trajectory: Trajectory, measures: Measures, sample: str = "sample") -> str:
    """One line per step and lane, and of several samples (called `sample`, numbered from 1) one for each: the loss, the lane's
    seconds so far, and what else was measured."""
    many = len(trajectory.lanes[0].losses[0]) > 1
    names = sorted({name for of in measures.values() for name in of})
    rows: list[list[object]] = []
    for index, step in enumerate(trajectory.steps):
        for lane in trajectory.lanes:
            known = [measures.get(lane.name, {}).get(name) for name in names]
            now = [None if values is None else values[index] for values in known]
            for number, loss in enumerate(lane.losses[index].tolist()):
                each = [value[number] if isinstance(value, list) else value for value in now]
                own = [number + 1] if many else []
                rows.append([step, lane.name, *own, repr(loss), f"{lane.seconds[index]:.6f}", *each])
    return csv_text(["step", "lane", *([sample] if many else []), "loss", "seconds", *names], rows)


def latents(trajectory: Trajectory) -> bytes:
    """Safetensors: `steps` (T,), and per lane `<lane>.variable` (T, dim) and `<lane>.best` (dim,), sample 0."""
    tensors = {"steps": torch.tensor(trajectory.steps)}
    for index, lane in enumerate(trajectory.lanes):
        tensors[f"{lane.name}.variable"] = torch.stack([variable[0] for variable in lane.variables])
        if trajectory.last is not None:
            tensors[f"{lane.name}.best"] = trajectory.last.lanes[index].best_variable[0].clone()
    return save(tensors)
