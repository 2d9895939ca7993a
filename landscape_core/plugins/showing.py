"""What people see of an F that draws no pictures: a curve, points or a table, drawn beside what was observed.

Each is a `Task.picture`: F's outputs (n, ...) for one target (1, ...), or None for the target alone, become pictures
(n, 3, SIDE, SIDE) in [-1, 1]. The scale is the target's, so that pictures of one run can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from landscape_core.images.pixels import to_unit
from landscape_core.search.objectives import Target

SIDE = 192  # pixels
_FINER = 2  # drawn this much larger, then shrunk: smooth edges
_MARGIN = 0.08  # of the side, around what was observed
_PAPER, _OBSERVED, _FOUND = (250, 250, 252), (150, 156, 168), (37, 99, 235)
_ROWS = 10  # of a table

Picture = Callable[[Tensor | None, Target], Tensor]


def picture_of(output: Tensor) -> Picture | None:
    """How outputs of that shape (B, ...) are shown where a plug-in does not say: None for pictures, shown as they are."""
    shape = output.shape[1:]
    if len(shape) == 3 and shape[0] == 3 and shape[1] == shape[2]:
        return None
    if len(shape) == 2 and shape[1] in (2, 3):
        return Points()
    return Curve() if len(shape) == 1 and len(output[0]) > _ROWS else Table()


@dataclass(frozen=True)
class Curve:
    """Outputs (B, n), or several curves (B, k, n), over `at` (n,), or over their index."""

    at: Tensor | None = None

    def __call__(self, output: Tensor | None, target: Target) -> Tensor:
        n = target.value.shape[-1]
        at = (torch.arange(n) if self.at is None else self.at).cpu().double().numpy()
        across = (at - at.min()) / max(float(np.ptp(at)), 1e-12)
        up = _scale(target.value)

        def curves(values: Tensor) -> list[np.ndarray]:
            return [np.stack([across, up(row)], axis=1) for row in _numbers(values).reshape(-1, n)]

        seen = _seen(target).reshape(-1, n)

        def draw(brush: ImageDraw.ImageDraw, found: Tensor | None) -> None:
            for curve, known in zip(curves(target.value), seen, strict=True):
                _dots(brush, curve[known], _OBSERVED, 0.008)
            for curve in [] if found is None else curves(found):
                brush.line([*map(tuple, _pixels(curve))], fill=_FOUND, width=2 * _FINER, joint="curve")

        return _drawn(output, draw)


@dataclass(frozen=True)
class Points:
    """Outputs (B, n, 2) or (B, n, 3), of which the first two coordinates are drawn: points, observed ones in grey."""

    def __call__(self, output: Tensor | None, target: Target) -> Tensor:
        across, up = (_scale(target.value[..., i]) for i in (0, 1))

        def places(values: Tensor) -> np.ndarray:
            numbers = _numbers(values).reshape(-1, values.shape[-1])
            return np.stack([across(numbers[:, 0]), up(numbers[:, 1])], axis=1)

        seen = _seen(target).reshape(-1, target.value.shape[-1]).all(axis=1)

        def draw(brush: ImageDraw.ImageDraw, found: Tensor | None) -> None:
            _dots(brush, places(target.value)[seen], _OBSERVED, 0.02)
            if found is not None:
                _dots(brush, places(found), _FOUND, 0.012)

        return _drawn(output, draw)


@dataclass(frozen=True)
class Table:
    """Any outputs: the first numbers in rows, called by `names`, as observed and as found."""

    names: Sequence[str] = ()

    def __call__(self, output: Tensor | None, target: Target) -> Tensor:
        observed, seen = _numbers(target.value).reshape(-1), _seen(target).reshape(-1)

        def draw(brush: ImageDraw.ImageDraw, found: Tensor | None) -> None:
            height, middle = SIDE * _FINER / (_ROWS + 1), SIDE * _FINER * 0.62
            numbers = None if found is None else _numbers(found).reshape(-1)
            for row in range(min(len(observed), _ROWS)):
                top = (row + 0.5) * height
                name = self.names[row] if row < len(self.names) else str(row + 1)
                brush.text((0.04 * SIDE * _FINER, top), name[:10], fill=_OBSERVED)
                brush.text((middle, top), f"{observed[row]:.3g}" if seen[row] else "–", fill=_OBSERVED, anchor="ra")
                if numbers is not None:
                    brush.text((SIDE * _FINER * 0.97, top), f"{numbers[row]:.3g}", fill=_FOUND, anchor="ra")

        return _drawn(output, draw)


def _numbers(values: Tensor) -> np.ndarray:
    return values.detach().cpu().double().nan_to_num(0.0, 0.0, 0.0).numpy()


def _seen(target: Target) -> np.ndarray:
    """Which numbers of a target (1, ...) were observed, as bool of its shape."""
    mask = torch.ones_like(target.value) if target.mask is None else target.mask.expand_as(target.value)
    return mask.cpu().numpy() > 0


def _scale(values: Tensor) -> Callable[[np.ndarray], np.ndarray]:
    """Numbers into [0, 1], so that those observed fill it; others may lie a little outside."""
    numbers = _numbers(values)
    low, high = float(numbers.min()), float(numbers.max())
    room = max(high - low, 1e-12)
    return lambda given: np.clip((given - low) / room, -2.0, 3.0)


def _pixels(places: np.ndarray) -> np.ndarray:
    """(m, 2) of the unit square, y up, as pixels of the larger picture."""
    inner = _MARGIN + (1 - 2 * _MARGIN) * places
    return np.stack([inner[:, 0], 1 - inner[:, 1]], axis=1) * SIDE * _FINER


def _dots(brush: ImageDraw.ImageDraw, places: np.ndarray, colour: tuple[int, int, int], radius: float) -> None:
    r = radius * SIDE * _FINER
    for x, y in _pixels(places):
        brush.ellipse([x - r, y - r, x + r, y + r], fill=colour)


def _drawn(output: Tensor | None, draw: Callable[[ImageDraw.ImageDraw, Tensor | None], None]) -> Tensor:
    pictures = []
    for one in [None] if output is None else output.detach():
        image = Image.new("RGB", (SIDE * _FINER, SIDE * _FINER), _PAPER)
        draw(ImageDraw.Draw(image), one)
        pictures.append(np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX)))
    return to_unit(torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2))
