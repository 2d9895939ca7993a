"""What every run exports, whatever F makes: losses as CSV, latents, which steps are kept."""

from __future__ import annotations

import csv
import io

import torch
from safetensors.torch import save

from landscape_core.search.race import SEPARATOR
from landscape_core.search.trajectory import Trajectory

CARD, LOSSES, SHEET, ANIMATION, LATENTS = "run.json", "losses.csv", "sheet.png", "run.gif", "latents.safetensors"


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


def losses_csv(trajectory: Trajectory, *, sample: int = 0) -> str:
    """One line per step and lane: step, lane, loss, seconds (that lane's cost so far)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["step", "lane", "loss", "seconds"])
    for index, step in enumerate(trajectory.steps):
        for lane in trajectory.lanes:
            writer.writerow([step, lane.name, repr(float(lane.losses[index][sample])), f"{lane.seconds[index]:.6f}"])
    return text.getvalue()


def latents(trajectory: Trajectory) -> bytes:
    """Safetensors: `steps` (T,), and per lane `<lane>.variable` (T, dim) and `<lane>.best` (dim,), sample 0."""
    tensors = {"steps": torch.tensor(trajectory.steps)}
    for index, lane in enumerate(trajectory.lanes):
        tensors[f"{lane.name}.variable"] = torch.stack([variable[0] for variable in lane.variables])
        if trajectory.last is not None:
            tensors[f"{lane.name}.best"] = trajectory.last.lanes[index].best_variable[0].clone()
    return save(tensors)
