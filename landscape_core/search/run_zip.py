"""A run in one zip: run card, losses, contact sheet, animation, latents. Nothing in it needs this project to be read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from landscape_core.images.pixels import to_bytes
from landscape_core.search.export import ANIMATION, CARD, LATENTS, LOSSES, SHEET, latents, losses_csv, picked_steps
from landscape_core.search.objectives import Target
from landscape_core.search.run_card import Card
from landscape_core.search.solver import Lane
from landscape_core.search.task import Task
from landscape_core.search.trajectory import Trajectory
from landscape_core.storage.files import whole

SHEET_COLUMNS, GIF_FRAMES = 10, 60
_SCALE, _MARGIN, _LABEL = 2, 6, 16


def pictures_at(task: Task, lanes: Sequence[Lane], trajectory: Trajectory, steps: Sequence[int], target: Target) -> Tensor:
    """Sample 0 of every lane at the given steps, computed again from the recorded variables and shown beside the target
    (1, ...): uint8 (lanes, steps, 3, H, W)."""
    rows = []
    with torch.no_grad():
        for lane, record in zip(lanes, trajectory.lanes, strict=True):
            variables = torch.cat([record.variables[trajectory.steps.index(step)][:1] for step in steps])
            rows.append(to_bytes(task.shown(task.forward(lane.space.to_x(variables)), target)))
    return torch.stack(rows)


def contact_sheet(target: Tensor, names: Sequence[str], pictures: Tensor, steps: Sequence[int]) -> Image.Image:
    """Target on the left, then a row per lane and a column per step; pictures uint8 (lanes, steps, 3, H, W)."""
    side = target.shape[-1] * _SCALE
    cell = side + _MARGIN
    sheet = Image.new("RGB", ((len(steps) + 1) * cell + _MARGIN, _LABEL + len(names) * (cell + _LABEL)), "white")
    draw = ImageDraw.Draw(sheet)
    sheet.paste(_picture(target, side), (_MARGIN, _LABEL))
    draw.text((_MARGIN, 2), "target", fill="black")
    for row, name in enumerate(names):
        for column, step in enumerate(steps):
            left, top = _MARGIN + (column + 1) * cell, _LABEL + row * (cell + _LABEL)
            draw.text((left, top - _LABEL + 2), f"{name}, step {step}", fill="black")
            sheet.paste(_picture(pictures[row, column], side), (left, top))
    return sheet


def animation(target: Tensor, pictures: Tensor, *, milliseconds: int = 90) -> bytes:
    """A GIF that loops: first lane, target, second lane side by side; the last frame rests."""
    side = target.shape[-1] * _SCALE
    frames = []
    for column in range(pictures.shape[1]):
        row = [pictures[0, column], target, *pictures[1:, column]]
        frame = Image.new("RGB", (len(row) * (side + _MARGIN) - _MARGIN, side), "white")
        for place, picture in enumerate(row):
            frame.paste(_picture(picture, side), (place * (side + _MARGIN), 0))
        frames.append(frame)
    durations = [milliseconds] * (len(frames) - 1) + [1500]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0)
    return buffer.getvalue()


def export_zip(path: Path, card: Card, task: Task, lanes: Sequence[Lane], trajectory: Trajectory, target: Target) -> None:
    """Write the whole export of a run on one target (1, ...)."""
    last = trajectory.steps[-1]
    sheet_steps, gif_steps = picked_steps(last, SHEET_COLUMNS), picked_steps(last, GIF_FRAMES)
    sheet = io.BytesIO()
    names, shown = [lane.name for lane in lanes], to_bytes(task.shown(None, target))[0]
    contact_sheet(shown, names, pictures_at(task, lanes, trajectory, sheet_steps, target), sheet_steps).save(sheet, "PNG")
    gif = animation(shown, pictures_at(task, lanes, trajectory, gif_steps, target))
    with whole(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(CARD, card.model_dump_json(indent=2))
        archive.writestr(LOSSES, losses_csv(trajectory))
        archive.writestr(SHEET, sheet.getvalue(), zipfile.ZIP_STORED)
        archive.writestr(ANIMATION, gif, zipfile.ZIP_STORED)
        archive.writestr(LATENTS, latents(trajectory))


def _picture(pixels: Tensor, side: int) -> Image.Image:
    image = Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())
    return image.resize((side, side), Image.Resampling.LANCZOS)
