"""Completions in one zip: what every run exports, every completion as a picture, and all of them in a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from landscape_core.generators.completion import CompletionSet, pasted, whole_mask
from landscape_core.generators.observing import as_picture
from landscape_core.generators.run_card import RunCard
from landscape_core.images.pixels import png_bytes, to_bytes
from landscape_core.records.export import LATENTS, SHEET
from landscape_core.records.run_zip import PLAIN, Told, export_zip
from landscape_core.search.objectives import Target
from landscape_core.search.solver import Lane
from landscape_core.search.task import Task
from landscape_core.search.trajectory import Trajectory

FOLDER = "completions"


def sheet(target: Target, sets: Sequence[CompletionSet]) -> Tensor:
    """What was observed, then a row of completions per space, the closest first: uint8 (3, rows · H, (K + 1) · W). Where the
    whole picture is known and more than hidden, it stands before the second row."""
    seen = as_picture(target.select(slice(1)), sets[0].pictures.shape[-1]).cpu()
    whole = seen if target.truth is None or whole_mask(target) is not None else target.truth[:1].cpu()
    rows = [
        torch.cat(list(torch.cat([seen if row == 0 else whole, each.pictures.cpu()[each.order]])), dim=2)
        for row, each in enumerate(sets)
    ]
    return to_bytes(torch.cat(rows, dim=1)[None])[0]


def with_visible_part(sets: Sequence[CompletionSet], target: Target) -> list[CompletionSet]:
    """The same completions with what was observed put back, where it is behind a mask on whole pictures."""
    mask = whole_mask(target)
    if mask is None:
        return list(sets)
    picture, mask = target.value[:1].cpu(), mask.cpu()
    return [replace(each, pictures=pasted(each.pictures.cpu(), picture, mask)) for each in sets]


def pictures(sets: Sequence[CompletionSet]) -> dict[str, bytes]:
    """Every completion as PNG by name, `X-01.png` being X's closest to the visible part."""
    return {
        f"{each.name}-{place + 1:02}.png": png_bytes(picture)
        for each in sets
        for place, picture in enumerate(to_bytes(each.pictures[each.order]))
    }


def latents(trajectory: Trajectory) -> bytes:
    """Safetensors: per lane `<lane>.variable` (K, dim) at the last step and `<lane>.best` (K, dim), as started."""
    last = trajectory.last
    assert last is not None
    tensors: dict[str, Tensor] = {}
    for record, lane in zip(trajectory.lanes, last.lanes, strict=True):
        tensors |= {f"{record.name}.variable": lane.variable.cpu(), f"{record.name}.best": lane.best_variable.cpu().clone()}
    return save(tensors)


def completions_zip(
    path: Path, card: RunCard, task: Task, lanes: Sequence[Lane], trajectory: Trajectory, target: Target,
    sets: Sequence[CompletionSet], told: Told = PLAIN,
) -> None:  # fmt: skip
    """Write the whole export of a run of completions: that of any run, with every completion as a picture."""
    files = {f"{FOLDER}/{name}": content for name, content in pictures(sets).items()}
    files |= {SHEET: png_bytes(sheet(target, sets)), LATENTS: latents(trajectory)}
    about = {
        SHEET: "what was observed, then a row of completions for each lane, the closest to it first",
        f"{FOLDER}/": "every completion, 01 being the closest to what was observed",
        LATENTS: "the variables of every completion at the last step, and the best (safetensors)",
    }
    verdict = told.verdict or "\n".join(
        f"{each.name}: mean visible loss {each.fidelity:.4g}, diversity {each.diversity:.4g}." for each in sets
    )
    observed = to_bytes(as_picture(target.select(slice(0, 1)), sets[0].pictures.shape[-1]))[0]
    known = replace(told, verdict=verdict, sample="completion", extra=files, about=about, picture=observed)
    export_zip(path, card, task, lanes, trajectory, target, known)
