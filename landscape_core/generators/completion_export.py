"""Completions in one zip: run card, losses, the sheet, every picture, an animation, latents."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import save
from torch import Tensor, nn

from landscape_core.generators.completion import CompletionSet, pasted, whole_mask
from landscape_core.generators.observing import as_picture
from landscape_core.generators.run_card import RunCard
from landscape_core.images.pixels import png_bytes, to_bytes
from landscape_core.search.export import ANIMATION, CARD, LATENTS, LOSSES, SHEET, picked_steps
from landscape_core.search.objectives import Target
from landscape_core.search.solver import Lane
from landscape_core.search.trajectory import Trajectory
from landscape_core.storage.files import whole

GIF_FRAMES = 16
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


def losses_csv(trajectory: Trajectory) -> str:
    """One line per step, lane and completion (from 0, as started): step, lane, completion, loss, the lane's seconds so far."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["step", "lane", "completion", "loss", "seconds"])
    for index, step in enumerate(trajectory.steps):
        for lane in trajectory.lanes:
            for number, loss in enumerate(lane.losses[index].tolist()):
                writer.writerow([step, lane.name, number, repr(loss), f"{lane.seconds[index]:.6f}"])
    return text.getvalue()


def latents(trajectory: Trajectory) -> bytes:
    """Safetensors: per lane `<lane>.variable` (K, dim) at the last step and `<lane>.best` (K, dim), as started."""
    last = trajectory.last
    assert last is not None
    tensors: dict[str, Tensor] = {}
    for record, lane in zip(trajectory.lanes, last.lanes, strict=True):
        tensors |= {f"{record.name}.variable": lane.variable.cpu(), f"{record.name}.best": lane.best_variable.cpu().clone()}
    return save(tensors)


def animation(forward: nn.Module, lanes: Sequence[Lane], trajectory: Trajectory, *, milliseconds: int = 150) -> bytes:
    """A GIF that loops: all completions as started, one row per lane, on their way; the last frame rests."""
    frames = []
    for step in picked_steps(trajectory.steps[-1], GIF_FRAMES):
        at = trajectory.steps.index(step)
        with torch.no_grad():
            rows = [forward(lane.space.to_x(r.variables[at])) for lane, r in zip(lanes, trajectory.lanes, strict=True)]
        row = torch.cat([torch.cat(list(each), dim=2) for each in rows], dim=1)
        frames.append(Image.fromarray(to_bytes(row[None])[0].permute(1, 2, 0).cpu().numpy()))
    buffer = io.BytesIO()
    durations = [milliseconds] * (len(frames) - 1) + [1500]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0)
    return buffer.getvalue()


def completions_zip(
    path: Path, card: RunCard, forward: nn.Module, lanes: Sequence[Lane], trajectory: Trajectory, target: Target,
    sets: Sequence[CompletionSet],
) -> None:  # fmt: skip
    """Write the whole export of a run of completions."""
    with whole(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(CARD, card.model_dump_json(indent=2))
        archive.writestr(LOSSES, losses_csv(trajectory))
        archive.writestr(SHEET, png_bytes(sheet(target, sets)), zipfile.ZIP_STORED)
        archive.writestr(ANIMATION, animation(forward, lanes, trajectory), zipfile.ZIP_STORED)
        archive.writestr(LATENTS, latents(trajectory))
        for name, png in pictures(sets).items():
            archive.writestr(f"{FOLDER}/{name}", png, zipfile.ZIP_STORED)
