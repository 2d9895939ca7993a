"""A run in one zip that explains itself: README with the verdict and how to repeat it, card, measures, chart, pictures, film.

Every domain writes its runs with `export_zip`; what only it has (poses as BVH, every completion) are `extra` files.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from landscape_core.images.moving import gif, mp4
from landscape_core.images.pixels import png_bytes, to_bytes
from landscape_core.records.chart import chart_svg
from landscape_core.records.export import (
    ANIMATION,
    CARD,
    CHART,
    FILM,
    LATENTS,
    MEASURES,
    README,
    REPEAT,
    SHEET,
    Measures,
    latents,
    measures_csv,
    picked_steps,
)
from landscape_core.records.film import contact_sheet, frames, pictures_at
from landscape_core.records.repeating import how_to_repeat, script
from landscape_core.records.run_card import Card
from landscape_core.search.objectives import Target
from landscape_core.search.solver import Lane
from landscape_core.search.summary import race_summary
from landscape_core.search.task import Task
from landscape_core.search.trajectory import Trajectory
from landscape_core.storage.files import write_bytes

SHEET_COLUMNS, FRAMES, FRAMES_OF_MANY = 10, 60, 16


@dataclass(frozen=True)
class Told:
    """What is known of a run beside its trajectory.

    `verdict` in words (that of a race where empty); `settings` as [what, value]; `measures` by lane and name with one value (or
    one a sample) a recorded step; `judges` as a table (heads with explanations, rows by lane); what a `sample` is called; the
    domain's own `extra` files with a line `about` each; the `picture` that stands for the target, uint8 (3, H, W), where that
    is not what the task shows of it.
    """

    verdict: str = ""
    settings: Sequence[Sequence[str]] = ()
    measures: Measures = field(default_factory=dict)
    judges: Mapping[str, Any] = field(default_factory=dict)
    sample: str = "sample"
    extra: Mapping[str, bytes] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    picture: Tensor | None = None


PLAIN = Told()


def export_zip(
    path: Path, card: Card, task: Task, lanes: Sequence[Lane], trajectory: Trajectory, target: Target, told: Told = PLAIN
) -> None:
    """Write the whole export of a run on a target (B, ...): one, or the same one B times."""
    write_bytes(path, run_zip(card, task, lanes, trajectory, target, told))


def run_zip(card: Card, task: Task, lanes: Sequence[Lane], trajectory: Trajectory, target: Target, told: Told = PLAIN) -> bytes:
    """The content of the zip that `export_zip` writes."""
    names, many = [lane.name for lane in lanes], len(trajectory.lanes[0].losses[0]) > 1
    steps = picked_steps(trajectory.steps[-1], FRAMES_OF_MANY if many else FRAMES)
    sheet_steps = picked_steps(trajectory.steps[-1], SHEET_COLUMNS)
    shown = to_bytes(task.shown(None, target.select(slice(0, 1))))[0] if told.picture is None else told.picture
    index = [trajectory.steps.index(step) for step in steps]
    losses = torch.stack([lane.loss_table()[index] for lane in trajectory.lanes])
    film = frames(shown, names, pictures_at(task, lanes, trajectory, steps, target), steps, losses)
    sheet = contact_sheet(shown, names, pictures_at(task, lanes, trajectory, sheet_steps, target), sheet_steps)
    texts = {
        README: readme(card, trajectory, told),
        CARD: card.model_dump_json(indent=2),
        REPEAT: script(card.environment),
        MEASURES: measures_csv(trajectory, told.measures, told.sample),
        CHART: chart_svg(trajectory),
    }
    packed = {SHEET: png_bytes(sheet), ANIMATION: gif(film), FILM: mp4(film), LATENTS: latents(trajectory), **told.extra}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
        for name, part in packed.items():
            archive.writestr(name, part, zipfile.ZIP_STORED)
    return content.getvalue()


def readme(card: Card, trajectory: Trajectory, told: Told) -> str:
    """What is in the zip, in words: verdict, settings, judges, files, and how the run is repeated."""
    settings = told.settings or [[name.replace("_", " "), value] for name, value in card.settings.model_dump().items()]
    files = {
        CARD: "the run card: every setting, the models' hashes, the target",
        MEASURES: f"what was measured at every step, a line for each lane; of several, every {told.sample}, numbered from 1",
        CHART: "the loss by step",
        SHEET: "target and lanes at some steps",
        ANIMATION: "the run, step by step",
        FILM: "the same as a film",
        LATENTS: f"the variables of the first {told.sample} at every step (safetensors)",
        REPEAT: "repeats the run",
        **told.about,
    }
    parts = [
        "# A run of the loss-landscape laboratory",
        told.verdict or race_summary(trajectory),
        "## Settings", *_table(["setting", "value"], settings),
    ]  # fmt: skip
    if told.judges:
        heads = ["lane", *(head for head, _ in told.judges["heads"])]
        parts += ["## Judges", *_table(heads, [[lane, *row] for lane, row in told.judges["rows"].items()])]
        parts += [f"- {head}: {explained}" for head, explained in told.judges["heads"]]
    parts += ["## Files", *(f"- `{name}`: {what}" for name, what in files.items())]
    parts += how_to_repeat(card.environment)
    return "\n\n".join(parts).replace("|\n\n|", "|\n|").replace("\n\n- ", "\n- ") + "\n"


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """A table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return ["| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines]
