"""A run as pictures with labels: what every lane shows at a step, and all steps in one sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from landscape_core.images.pixels import to_bytes, to_image
from landscape_core.search.objectives import Target
from landscape_core.search.solver import Lane
from landscape_core.search.task import Task
from landscape_core.search.trajectory import Trajectory

CELL = 128  # pixels that a picture has at least
_MARGIN, _LINE, _FONT = 8, 16, 12


@dataclass(frozen=True)
class Row:
    """A caption over pictures uint8 (3, H, W), each under its label."""

    caption: str
    pictures: Sequence[tuple[str, Tensor]]


def pictures_at(task: Task, lanes: Sequence[Lane], trajectory: Trajectory, steps: Sequence[int], target: Target) -> Tensor:
    """What every lane shows at the given steps, computed again from the recorded variables, beside the target (B, ...): uint8
    (lanes, steps, B, 3, H, W)."""
    one = target.select(slice(0, 1))
    rows = []
    with torch.no_grad():
        for lane, record in zip(lanes, trajectory.lanes, strict=True):
            at = [record.variables[trajectory.steps.index(step)] for step in steps]
            rows.append(torch.stack([to_bytes(task.shown(task.forward(lane.space.to_x(each)), one)) for each in at]))
    return torch.stack(rows)


def drawn(rows: Sequence[Row]) -> Image.Image:
    """Rows of labelled pictures, each below its caption, white around."""
    side = max(CELL, *(picture.shape[-1] for row in rows for _, picture in row.pictures))
    cell, font = side + _MARGIN, ImageFont.load_default(_FONT)
    most = max(len(row.pictures) for row in rows)
    height = 2 * _LINE + cell
    sheet = Image.new("RGB", (_even(most * cell + _MARGIN), _even(len(rows) * height + _MARGIN)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, row in enumerate(rows):
        top = number * height + _MARGIN // 2
        draw.text((_MARGIN, top), row.caption, fill="black", font=font)
        for column, (label, picture) in enumerate(row.pictures):
            left = _MARGIN + column * cell
            draw.text((left, top + _LINE), label, fill="#555555", font=font)
            sheet.paste(_scaled(picture, side), (left, top + 2 * _LINE))
    return sheet


def frames(target: Tensor, names: Sequence[str], shown: Tensor, steps: Sequence[int], losses: Tensor) -> list[Image.Image]:
    """A frame a step: target uint8 (3, H, W), pictures (lanes, steps, B, 3, H, W), losses (lanes, steps, B). Of one sample all
    stand in a row; of several, numbered from 1, a row is a lane."""
    made = []
    for at, step in enumerate(steps):
        said = [f"{name}, {float(losses[lane, at].mean()):.3g}" for lane, name in enumerate(names)]
        if shown.shape[2] == 1:
            pictures = [("target", target), *((said[lane], shown[lane, at, 0]) for lane in range(len(names)))]
            made.append(drawn([Row(f"step {step}; each lane with its loss", pictures)]))
            continue
        rows = [
            Row(f"{said[lane]} (mean loss)", [(str(k + 1), picture) for k, picture in enumerate(shown[lane, at])])
            for lane in range(len(names))
        ]
        made.append(drawn([Row(f"step {step}", [("target", target)]), *rows]))
    return made


def contact_sheet(target: Tensor, names: Sequence[str], shown: Tensor, steps: Sequence[int]) -> Image.Image:
    """The target, then a row per lane and a column per step; of several samples the first."""
    rows = [
        Row(name, [("target", target), *((f"step {step}", shown[lane, at, 0]) for at, step in enumerate(steps))])
        for lane, name in enumerate(names)
    ]
    return drawn(rows)


def _scaled(pixels: Tensor, side: int) -> Image.Image:
    image = to_image(pixels)
    return image if image.width == side else image.resize((side, side), Image.Resampling.LANCZOS)


def _even(size: int) -> int:
    """Videos have even sides."""
    return size + size % 2
