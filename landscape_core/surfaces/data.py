"""Surfaces and cuts as data that other tools read: NumPy's npz and CSV, with the settings they were made with."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from landscape_core.storage.csv_text import csv_text
from landscape_core.surfaces.cut import Cut
from landscape_core.surfaces.export import Settings
from landscape_core.surfaces.look import array
from landscape_core.surfaces.panels import Panel

COLUMNS = ("surface", "part", "step", "first_axis", "second_axis", "loss_on_plane", "true_loss", "distance_from_plane")
CUT_COLUMNS = ("place_between_ends", "loss")


def surfaces_npz(panels: Sequence[Panel], steps: Sequence[int], settings: Settings) -> bytes:
    """Arrays by name, "<surface>/<what>", a surface being "X", "Z", or "X and Z" where both paths are on one: ticks
    `first_axis` and `second_axis` (n,), `losses` (n, n) with the first index along the first axis, the plane's `origin` (d,)
    and `axes` (2, d); of each path `path <lane>/coordinates` (T, 2) and more. `steps` (T,) are those of the paths' points;
    `settings` is JSON text.
    """
    arrays: dict[str, NDArray[np.generic]] = {"settings": np.array(_json(settings)), "steps": np.array(steps)}
    for panel in panels:
        u, v, losses = (array(values) for values in panel.drawn)
        plane = panel.view.grid.plane
        named = {"first_axis": u, "second_axis": v, "losses": losses, "origin": array(plane.origin), "axes": array(plane.axes)}
        for lane, path in panel.paths.items():
            parts = vars(path).items()
            named |= {f"path {lane}/{name}": array(values) for name, values in parts}
        arrays |= {f"{_name(panel)}/{name}": values for name, values in named.items()}
    return _npz(arrays)


def surfaces_csv(panels: Sequence[Panel], steps: Sequence[int], settings: Settings) -> str:
    """A row for every grid point and for every step of every path; lines of settings, which begin with "#", come first."""
    return csv_text(COLUMNS, _rows(panels, steps), settings)


def _rows(panels: Sequence[Panel], steps: Sequence[int]) -> Iterator[Sequence[object]]:
    for panel in panels:
        u, v, losses = (values.tolist() for values in panel.drawn)
        for i, first in enumerate(u):
            for j, second in enumerate(v):
                yield _name(panel), "grid", "", first, second, losses[i][j], "", ""
        for lane, path in panel.paths.items():
            columns = (path.coordinates, path.plane_loss, path.true_loss, path.distance)
            points = zip(steps, *(values.tolist() for values in columns), strict=True)
            for step, (first, second), on_plane, true, off in points:
                yield _name(panel), f"path {lane}", step, first, second, on_plane, true, off


def _name(panel: Panel) -> str:
    """A surface as programs ask for it: by the lanes whose paths are on it."""
    return " and ".join(panel.view.paths)


def cut_npz(cut: Cut, settings: Settings) -> bytes:
    """`places` (n,), shares of the way from X's end to Z's, `losses` (n,), and `length`, the way in units of x."""
    arrays = {"places": array(cut.places), "losses": array(cut.losses), "length": np.array(cut.length)}
    return _npz({"settings": np.array(_json(settings)), **arrays})


def cut_csv(cut: Cut, settings: Settings) -> str:
    """A row for every place; lines of settings, which begin with "#", come first."""
    return csv_text(CUT_COLUMNS, zip(cut.places.tolist(), cut.losses.tolist(), strict=True), settings)


def _json(settings: Settings) -> str:
    return json.dumps(dict(settings), ensure_ascii=False)


def _npz(arrays: dict[str, NDArray[np.generic]]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)  # type: ignore[arg-type]  # NumPy's stub mixes up the two
    return buffer.getvalue()
